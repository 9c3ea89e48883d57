import { UsageError } from '../../model/errors.ts'
import { type Laid, type Moved, moveSecrets, type SecretsStatus, secretsStatus } from '../../node/move-secrets.ts'
import type { Style } from '../output/style.ts'
import { type Given, openSession } from '../session.ts'

/** `auth-cli secrets`: where the secrets of this home lie, and whether the keychain works. */
export async function status(given: Given): Promise<void> {
  const { world, paths, print } = await openSession(given)
  const keyring = world.settings.keyring ?? null
  const found = await secretsStatus(paths, { check: keyring !== 'off' })
  await print.value({ ...found, keyring, keyringFrom: world.settingsFrom['keyring'] ?? null }, (style) =>
    statusScreen(found, keyring, style),
  )
}

/** `auth-cli secrets move keychain|files`: every saved secret, in one go; may be run again. */
export async function move(given: Given): Promise<void> {
  const { world, paths, print } = await openSession(given)
  const to = given.arguments[0]
  if (to !== 'keychain' && to !== 'files') {
    throw new UsageError('BAD_ARGUMENT', `Secrets are moved to keychain or to files, not to "${to}".`)
  }
  const { keyring } = world.settings
  if ((to === 'keychain' && keyring === 'off') || (to === 'files' && keyring === 'required')) {
    throw new UsageError('BAD_SETTING', `They cannot be moved to ${to} while keyring is ${keyring}.`, {
      hint: 'Take away AUTH_CLI_KEYRING, or: auth-cli config unset keyring',
    })
  }
  const done = await moveSecrets(paths, to)
  await print.value(done, (style) => movedScreen(done, style))
}

function movedScreen({ to, key, moved, broken }: Moved, style: Style): string {
  const count = moved.connections + moved.integrations + moved.clients
  const where = to === 'keychain' ? 'sealed under a key in your keychain' : 'in files that only you can read'
  const what =
    count === 0
      ? 'Nothing had to be moved'
      : `Moved ${numbered(moved.connections, 'connection')} and ${numbered(moved.integrations, 'integration')}${
          moved.clients === 0 ? '' : `, and ${numbered(moved.clients, 'registered client')}`
        }`
  return [
    `${what}: your secrets are ${where} now.`,
    ...(to === 'keychain'
      ? ['A copy of this home is of use only where that keychain is; so are cron jobs and SSH sessions.']
      : key === undefined
        ? []
        : ['The key stays in your keychain, for copies of this home that may still need it.']),
    ...broken.map(({ why }) => `${style.warn(style.symbols.warning)} Left as it is: ${style.text(why)}`),
  ].join('\n')
}

function statusScreen({ kept, key, keychain, ...laid }: SecretsStatus, keyring: string | null, style: Style): string {
  const works = keychain?.works === true ? 'works' : `cannot be used: ${style.text(keychain?.why ?? '')}`
  const rows = [
    ['kept in', kept === 'keychain' ? `files, sealed under a key in your keychain (${key})` : 'files (0600)'],
    ['keychain', keychain === undefined ? 'not tried: keyring is off' : works],
    ['keyring', keyring ?? 'not set'],
    ['connections', told(laid.connections)],
    ['integrations', told(laid.integrations)],
  ]
  const mixed = laid.connections.plain + laid.integrations.plain
  const next =
    kept === 'keychain' && mixed > 0
      ? [`${mixed} still lie in clear. Run on: auth-cli secrets move keychain`]
      : kept === 'files' && keychain?.works === true
        ? ['Lock them: auth-cli secrets move keychain']
        : []
  return [...rows.map(([label = '', value]) => `  ${style.dim(label.padEnd(14))} ${value}`), ...next].join('\n')
}

function told({ sealed, plain, broken }: Laid): string {
  return [`${sealed} sealed`, `${plain} in clear`, ...(broken > 0 ? [`${broken} broken`] : [])].join(', ')
}

function numbered(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
