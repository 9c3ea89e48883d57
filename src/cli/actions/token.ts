import { UsageError } from '../../model/errors.ts'
import { refresh } from '../../refresh.ts'
import { openAwake } from '../awake.ts'
import { type Given, readNumber } from '../session.ts'

/** `auth-cli token <name>`: the usable token on stdout and nothing else. */
export async function run(given: Given): Promise<void> {
  const [name = ''] = given.arguments
  const { session, close } = await openAwake(given, name)
  const minValidity = readNumber('--min-validity', given.options['minValidity'], 0, 1_000_000_000)
  const connection = await refresh(session.world, name, minValidity === undefined ? {} : { minValidity }).finally(close)
  const { accessToken } = connection.credential
  if (accessToken === undefined) {
    throw new UsageError('NO_TOKEN', `"${name}" has no access token: it is ${connection.mode}.`, {
      hint: `Look at it: auth-cli inspect ${name}`,
    })
  }
  const header = given.options['header'] === true
  const text = header ? `Authorization: Bearer ${accessToken}` : accessToken
  const { tokenType = 'bearer', expiresAt = null } = connection.credential
  await session.print.value(header ? { header: text } : { accessToken, tokenType, expiresAt }, () => text)
}
