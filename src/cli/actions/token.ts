import type { LogEvent } from '../../model/event.ts'
import { refresh } from '../../refresh.ts'
import { headersOf, token } from '../../token.ts'
import { openAwake } from '../awake.ts'
import { plain } from '../output/style.ts'
import { type Given, readNumber } from '../session.ts'

/** `auth-cli token <name>`: the usable token on stdout and nothing else. */
export async function run(given: Given): Promise<void> {
  const [name = ''] = given.arguments
  const { session, close } = await openAwake(given, name, { onEvent: tellWarning })
  const { world, print } = session
  const minValidity = readNumber('--min-validity', given.options['minValidity'], 0, 1_000_000_000)
  const wishes = minValidity === undefined ? {} : { minValidity }
  if (given.options['header'] === true) {
    const connection = await refresh(world, name, wishes).finally(close)
    const headers = await headersOf(world, connection)
    const lines = headers.map(([key, value]) => `${key}: ${value}`)
    const whole = lines.join('\n')
    return print.value(lines.length === 1 ? { header: whole } : { header: whole, headers: lines }, () => whole)
  }
  const { connection, value } = await token(world, name, wishes).finally(close)
  const { tokenType, expiresAt = null } = connection.credential
  const type = tokenType ?? (connection.mode === 'BASIC' ? 'basic' : connection.mode === 'API_KEY' ? 'key' : 'bearer')
  await print.value({ accessToken: value, tokenType: type, expiresAt }, () => value)
}

/** stdout is for the token alone, and progress is nobody's business here; what may go wrong next time is. */
function tellWarning(event: LogEvent): void {
  if (event.type !== 'warning') return
  process.stderr.write(`! ${plain(event.message)}\n${event.hint === undefined ? '' : `  ${plain(event.hint)}\n`}`)
}
