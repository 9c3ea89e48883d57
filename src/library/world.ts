import { UsageError } from '../model/errors.ts'
import { type Secrets, secretsUnder } from '../model/secret.ts'
import type { Need, World } from '../model/world.ts'
import { makeBrowse } from '../node/browse.ts'
import { crypto } from '../node/crypto.ts'
import { here } from '../node/here.ts'
import { realWorld as worldOf } from '../node/world.ts'
import { memoryStore } from './memory-store.ts'

/**
 * This machine, as the command sees it: the connections of `AUTH_CLI_HOME` or the platform's folders, what the environment
 * says, the system's browser. It asks nobody, prints nothing and ends nothing; the preferences of `auth-cli config` are
 * not read. Each part can be another.
 */
export function realWorld(parts: Partial<World> = {}): World {
  const { env, cwd, platform, isTerminal } = here()
  const surroundings = { env: parts.env ?? env, cwd: parts.cwd ?? cwd }
  const browser = makeBrowse({ env: surroundings.env, platform, isTerminal })
  const world = worldOf({
    ...surroundings,
    settings: {},
    settingsFrom: {},
    emit: () => {},
    signal: new AbortController().signal,
    ask: async (needs) => {
      throw missingInput(needs)
    },
    confirm: async () => undefined,
    async *paste() {},
    show: () => {},
    browse: (url) => browser.browse(url),
  })
  return withParts(world, parts)
}

/** The same, but that everything is kept in memory only: nothing is read from a store on disk, and nothing written. */
export function quietWorld(parts: Partial<World> = {}): World {
  const key = crypto().randomBytes(32)
  let secrets: Secrets | undefined
  const kept: Partial<World> = {
    store: memoryStore(),
    get secrets() {
      secrets ??= secretsUnder((value) => crypto().createHmac('sha256', key).update(value).digest('hex'))
      return secrets
    },
  }
  return withParts(withParts(realWorld(), kept), parts)
}

/** A World with some parts put in the place of its own; parts that load on first touch still do. */
export function withParts(world: World, parts: Partial<World>): World {
  const given = Object.getOwnPropertyDescriptors(parts)
  const set = Object.fromEntries(
    Object.entries(given).filter(([, one]) => one.get !== undefined || one.value !== undefined),
  )
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(world), ...set }) as World
}

/** What is missing, by the option that would give it. */
function missingInput(needs: readonly Need[]): UsageError {
  const names = needs.filter(({ prompt }) => prompt.optional !== true).map(optionFor)
  return new UsageError('MISSING_INPUT', `Missing: ${names.join(', ')}.`, {
    hint: 'Give each as an option of connect, or in the environment; nobody is asked here.',
  })
}

function optionFor(need: Need): string {
  if (need.key === 'client-id') return 'credentials.clientId'
  if (need.key === 'client-secret') return 'credentials.clientSecret'
  const { section = 'connection_config', name = need.key } = need as {
    readonly section?: string
    readonly name?: string
  }
  return section === 'connection_config' ? `params.${name}` : `credentials.${name}`
}
