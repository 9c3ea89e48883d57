import { revoke } from '../../revoke.ts'
import { commandFor } from '../../saved.ts'
import { openAwake } from '../awake.ts'
import { progressFor } from '../progress.ts'
import type { Given } from '../session.ts'

/** `auth-cli revoke <name>`: gives its tokens back to the provider; what is left is ready to be connected again. */
export async function run(given: Given): Promise<void> {
  const progress = progressFor(given)
  const [name = ''] = given.arguments
  const { session, close } = await openAwake(given, name, { onEvent: progress.emit, flows: true })
  const { print, style } = session
  await progress.start(style, { skip: (event) => event.type === 'token.revoked' })
  const { connection, flow, revoked, remaining } = await revoke(session.world, name).finally(close)
  await print.value({ connection: connection.name, revoked, remaining, flow }, (paint) =>
    [
      `${paint.good(paint.symbols.done)} ${paint.text(`Revoked the ${revoked.join(' and the ')} of "${connection.name}".`)}`,
      `  Its answers and its client are kept: ${paint.bold(paint.text(commandFor(connection)))}`,
    ].join('\n'),
  )
}
