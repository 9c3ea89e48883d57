/** Whether a text is a JavaScript regular expression. */
export function isPattern(source: string): boolean {
  try {
    return new RegExp(source) !== undefined
  } catch {
    return false
  }
}
