import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { UsageError } from '../model/errors.ts'

/** Variables of `.env` files, a later file's over an earlier one's. Throws UsageError `NO_SUCH_FILE`. */
export function readEnvFiles(files: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const file of files) Object.assign(found, parseEnv(textOf(file)))
  return found
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (cause) {
    throw new UsageError('NO_SUCH_FILE', `--env-file names the file ${JSON.stringify(file)}, which cannot be read.`, {
      hint: 'Give the path of a file with lines such as NAME=value.',
      cause,
    })
  }
}
