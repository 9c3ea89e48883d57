import type { Connection } from '../../model/connection.ts'
import { AuthCliError, MachineError, UsageError } from '../../model/errors.ts'
import type { World } from '../../model/world.ts'
import { revoke } from '../../revoke.ts'
import { savedConnection } from '../../saved.ts'
import { openAwake } from '../awake.ts'
import { progressFor } from '../progress.ts'
import type { Given, Session } from '../session.ts'

interface Found {
  readonly name: string
  /** Undefined where its file is broken. */
  readonly connection: Connection | undefined
}

/** Forgets connections here; what the provider still knows of them is said, or with `--revoke` revoked first. */
export async function run(given: Given): Promise<void> {
  const isRevoked = given.options['revoke'] === true
  const progress = progressFor(given)
  let current = ''
  const { session, close } = await openAwake(given, () => current, { onEvent: progress.emit, flows: isRevoked })
  const { world, print } = session
  await progress.start(session.style, { skip: (event) => event.type === 'token.revoked' })
  const found: Found[] = []
  for (const name of new Set(given.arguments)) {
    const connection = await readable(world, name)
    found.push({ name: connection?.name ?? name, connection })
  }
  if (!(await isSure(given, session, found))) return print.value({ deleted: [] }, () => 'Nothing was deleted.')
  const deleted: string[] = []
  const says: string[] = []
  const kept: [string, AuthCliError][] = []
  for (const one of found) {
    try {
      current = one.name
      const outcome = isRevoked ? await revokeFirst(world, one) : undefined
      await world.store.connections.remove(one.name)
      deleted.push(one.name)
      says.push(`Deleted ${one.name}. ${outcome ?? remainsAt(one)}`)
    } catch (error) {
      if (!(error instanceof AuthCliError)) throw error
      kept.push([one.name, error])
    }
  }
  await close()
  if (deleted.length > 0) await print.value({ deleted }, () => says.join('\n'))
  const [first] = kept
  if (first === undefined) return
  for (const [name, error] of kept.slice(1)) process.stderr.write(`! ${name} is kept: ${error.message}\n`)
  throw first[1]
}

async function isSure(given: Given, { world }: Session, found: readonly Found[]): Promise<boolean> {
  if (given.options['yes'] === true) return true
  const names = found.map(({ name }) => name)
  const what = given.options['revoke'] === true ? 'Revoke and delete' : 'Delete'
  const sure = await world.confirm(`${what} ${names.join(', ')}?`, world.signal)
  if (sure === undefined) {
    throw new UsageError('MISSING_INPUT', 'Deleting wants a yes.', {
      hint: `Say it with --yes: auth-cli connections delete ${names.join(' ')} --yes`,
    })
  }
  return sure
}

/** Where the provider refuses, the connection is kept: it is what one would revoke with. */
async function revokeFirst(world: World, { name, connection }: Found): Promise<string> {
  if (connection?.lastError?.code === 'REVOKED') return 'It was revoked before.'
  const { revoked, remaining } = await revoke(world, name)
  const left = remaining.length === 0 ? '' : ` Its ${remaining.join(' and ')} may stay good until it expires.`
  return `Its ${revoked.join(' and ')} ${revoked.length === 1 ? 'is' : 'are'} revoked.${left}`
}

function remainsAt({ connection }: Found): string {
  if (connection === undefined) return 'What its provider issued stays valid there until it expires or is revoked.'
  if (connection.lastError?.code === 'REVOKED') return 'Its tokens were revoked before.'
  const { template } = connection.snapshot
  const issuer = template.display_name ?? connection.provider
  if (connection.mode === 'NONE') return `${issuer} knows nothing of it.`
  return `What ${issuer} issued stays valid there until it expires or is revoked.`
}

/** One whose file is broken, or whose key is lost, can be deleted all the same: that is the way out of it. */
async function readable(world: World, name: string): Promise<Connection | undefined> {
  try {
    return await savedConnection(world, name)
  } catch (error) {
    if (error instanceof MachineError && ['STORE_CORRUPT', 'KEYCHAIN_UNAVAILABLE'].includes(error.code))
      return undefined
    throw error
  }
}
