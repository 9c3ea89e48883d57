import { readFileSync, statSync } from 'node:fs'
import { carriedConnection, carriedObject, isOurs } from '../../carried.ts'
import { type ImportTerms, importConnection, importCredential } from '../../import.ts'
import { locate } from '../../locate.ts'
import type { Given as Wishes } from '../../look-up.ts'
import type { Connection } from '../../model/connection.ts'
import { UsageError } from '../../model/errors.ts'
import { type Handed, handedByNango, timeOf } from '../../nango.ts'
import { maskedConnection } from '../output/masked-connection.ts'
import { progressFor } from '../progress.ts'
import { secretFlag } from '../secret-flag.ts'
import { type Given, openSession, readPairs, readStdin, type Session } from '../session.ts'
import { connectionName, scopesOf } from './connect.ts'

/** `auth-cli import [file]`: what `export` wrote, what Nango's import takes, or a credential given by flags. */
export async function run(given: Given): Promise<void> {
  const { options } = given
  const progress = progressFor(given)
  const session = await openSession(given, { onEvent: progress.emit, flows: true })
  await progress.start(session.style)
  const terms: ImportTerms = {
    as: connectionName(options['as']),
    replace: options['replace'] === true,
    allowHttp: options['allowHttp'] === true,
    tags: readPairs('--tag', options['tag']),
  }
  const connection = await imported(given, session, terms)
  const { world, print, reveal } = session
  await print.value(maskedConnection(connection, world.secrets.mask, { reveal }), (style) =>
    [
      `${style.good(style.symbols.done)} Imported ${style.bold(style.text(connection.name))}, a connection to ${style.text(connection.provider)}.`,
      `  Look at it: ${style.bold(style.text(`auth-cli inspect ${connection.name}`))}`,
    ].join('\n'),
  )
}

async function imported(given: Given, session: Session, terms: ImportTerms): Promise<Connection> {
  const { world } = session
  const byFlags = await handedByFlags(given, session)
  const { wishes, provider } = byFlags
  if (byFlags.credential !== undefined) {
    if (given.arguments.length > 0)
      throw new UsageError('BAD_FLAG', 'A file and a credential by flags are two connections: import one at a time.')
    if (provider === undefined) {
      throw new UsageError('MISSING_INPUT', 'Missing: --provider', {
        hint: 'Name whose credential it is: --provider github',
      })
    }
    return importCredential(world, await locate(world, provider), { provider, ...byFlags.credential }, wishes, terms)
  }
  const value = carriedObject(await carriedText(given))
  if (isOurs(value)) return importConnection(world, carriedConnection(value), terms)
  const handed = handedByNango(provider === undefined ? value : { ...value, provider_config_key: provider })
  return importCredential(world, await locate(world, handed.provider), handed, wishes, terms)
}

interface ByFlags {
  readonly provider?: string | undefined
  readonly wishes: Wishes
  /** Undefined where no flag gave one. */
  readonly credential?: Omit<Handed, 'provider'> | undefined
}

const givenFlags = { apiKey: '--api-key', username: '--username', password: '--password' } as const

async function handedByFlags({ options }: Given, session: Session): Promise<ByFlags> {
  const seen = new Set<string>()
  const secret = (flag: string, key: string) => secretFlag(flag, options[key], session, seen)
  const accessToken = await secret('--access-token', 'accessToken')
  const refreshToken = await secret('--refresh-token', 'refreshToken')
  const idToken = await secret('--id-token', 'idToken')
  const given: Record<string, string> = {}
  for (const [key, flag] of Object.entries(givenFlags)) {
    const value = key === 'username' ? options[key] : await secret(flag, key)
    if (typeof value === 'string') given[key] = value
  }
  const hasAny = [accessToken, refreshToken].some((one) => one !== undefined) || Object.keys(given).length > 0
  const wishes: Wishes = {
    params: readPairs('--param', options['param']),
    clientId: options['clientId'] as string | undefined,
    clientSecret: await secret('--client-secret', 'clientSecret'),
    clientAuth: options['clientAuth'] as string | undefined,
    scopes: scopesOf(options['scope']),
    allowHttp: options['allowHttp'] === true,
    trustProject: options['trustProject'] === true,
  }
  const provider = options['provider'] as string | undefined
  if (!hasAny) return { provider, wishes }
  const expiresAt = expiryOf(options['expiresAt'])
  const credential = { accessToken, refreshToken, idToken, expiresAt, given, params: {} }
  return { provider, wishes, credential }
}

function expiryOf(written: unknown): string | undefined {
  try {
    return timeOf(written, '--expires-at')
  } catch {
    throw new UsageError('BAD_FLAG', `--expires-at wants a time, not ${JSON.stringify(written)}.`, {
      hint: 'Write it as 2026-03-01T12:00:00Z, or in seconds since 1970.',
    })
  }
}

/** Bytes; what is larger is told without being read. */
const largest = 32 * 1024 * 1024

async function carriedText({ arguments: [file] }: Given): Promise<string> {
  if (file === undefined || file === '-') {
    if (process.stdin.isTTY !== true) return readStdin()
    throw new UsageError('MISSING_INPUT', 'There is nothing to import.', {
      hint: 'Give a file, pipe an export in, or name a credential: --provider github --access-token -',
    })
  }
  try {
    if (statSync(file).size <= largest) return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UsageError('NO_SUCH_FILE', `The file ${JSON.stringify(file)} cannot be read.`, {
      hint: 'Give what auth-cli export wrote, or pipe it in.',
      cause,
    })
  }
  throw new UsageError('IMPORT_INVALID', `The file ${JSON.stringify(file)} is larger than 32 MB.`, {
    hint: 'Give the export of one connection.',
  })
}
