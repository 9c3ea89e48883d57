import { rename } from '../../rename.ts'
import { maskedConnection } from '../output/masked-connection.ts'
import { type Given, openSession } from '../session.ts'

/** `auth-cli connections rename <name> <new>`. */
export async function run(given: Given): Promise<void> {
  const { world, print, reveal } = await openSession(given)
  const [from = '', to = ''] = given.arguments
  const connection = await rename(world, from, to)
  await print.value(
    maskedConnection(connection, world.secrets.mask, { reveal }),
    (style) => `${style.text(from)} is called ${style.bold(style.text(connection.name))} now.`,
  )
}
