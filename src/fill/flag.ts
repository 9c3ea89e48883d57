/** The flag that spells a question's key: `accountId`, `account_id` and `account.id` are all `--account-id`. */
export function flagOf(key: string): string {
  const kebab = key
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return `--${kebab.toLowerCase()}`
}
