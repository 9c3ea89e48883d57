import { type ExportFormat, exported, exportFormats, isForUse } from '../../export.ts'
import { UsageError } from '../../model/errors.ts'
import { refresh } from '../../refresh.ts'
import { savedConnection } from '../../saved.ts'
import { openAwake } from '../awake.ts'
import type { Given } from '../session.ts'

/** `auth-cli export <name> --format …`: a connection with its secrets, for another program or another machine. */
export async function run(given: Given): Promise<void> {
  const [name = ''] = given.arguments
  const format = formatOf(given.options['format'] ?? 'json')
  const { session, close } = await openAwake(given, name)
  const { world, print, json, reveal } = session
  if (process.stdout.isTTY === true && !reveal) {
    throw new UsageError('REVEAL_NEEDED', 'An export holds secrets, and this is a terminal.', {
      hint: `Send it to a file (auth-cli export ${name} > ${name}.json), or say --reveal.`,
    })
  }
  const connection = isForUse(format) ? await refresh(world, name).finally(close) : await savedConnection(world, name)
  const text = await exported(world, connection, format)
  if (!json) return print.bytes(`${text}\n`)
  const isJson = format === 'json' || format === 'nango'
  await print.value(isJson ? JSON.parse(text) : { format, text }, () => text)
}

function formatOf(written: unknown): ExportFormat {
  const format = exportFormats.find((one) => one === written)
  if (format !== undefined) return format
  throw new UsageError('BAD_FLAG', `--format is one of ${exportFormats.join(', ')}, not "${written}".`)
}
