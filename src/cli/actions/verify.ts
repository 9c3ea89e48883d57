import { verify } from '../../verify.ts'
import { openAwake } from '../awake.ts'
import { progressFor } from '../progress.ts'
import type { Given } from '../session.ts'

/** `auth-cli verify <name>`: tries the connection by the call that its template names for this. */
export async function run(given: Given): Promise<void> {
  const progress = progressFor(given)
  const [name = ''] = given.arguments
  const { session, close } = await openAwake(given, name, { onEvent: progress.emit, flows: true })
  const { world, print, style } = session
  await progress.start(style, { skip: (event) => event.type === 'credential.verified' })
  const { connection, proof, says, tools, flow } = await verify(world, name).finally(close)
  const url = world.secrets.scrub(proof.url)
  const shown = { connection: connection.name, ...proof, url, ...(tools === undefined ? {} : { tools }), says, flow }
  await print.value(shown, (paint) =>
    [
      `${paint.good(paint.symbols.done)} ${paint.text(says)}`,
      `  ${paint.text(`${proof.method} ${url} ${proof.status}`)}`,
      ...(tools === undefined || tools.length === 0 ? [] : [`  ${paint.text(tools.slice(0, 20).join(', '))}`]),
    ].join('\n'),
  )
}
