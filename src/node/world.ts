import { homedir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Emit } from '../model/event.ts'
import { type Secrets, secretsUnder } from '../model/secret.ts'
import type { Settings, Store, World } from '../model/world.ts'
import { crypto } from './crypto.ts'
import { maskKey, type Paths, pathsFrom } from './paths.ts'
import { openStore } from './store.ts'

/** What the real world is made of; everything else is this machine. */
export interface Terms {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly settings: Settings
  readonly settingsFrom: World['settingsFrom']
  readonly emit: Emit
  readonly signal: AbortSignal
  readonly ask: World['ask']
  readonly confirm: World['confirm']
  readonly paste: World['paste']
  readonly show: World['show']
  readonly browse: World['browse']
  /**
   * Awaited before each request leaves: what must run before somebody can answer, and where the URL is found if a twin
   * stands in for its provider.
   */
  readonly reach?: ((url: string) => Promise<string | undefined>) | undefined
  /** Whether `reach` finds a twin for a twin's connection. */
  readonly reachesTwins?: boolean | undefined
  /** Told once per home where its secrets lie. */
  readonly onNotice?: ((notice: string) => void) | undefined
}

/** Folders of this person on this machine, `AUTH_CLI_HOME` or the platform's own. */
export function realPaths(env: Terms['env'], cwd: string): Paths {
  return pathsFrom({ env, platform: process.platform, homedir: homedir(), cwd })
}

/** The templates that come with the package. */
export const builtInTemplates = fileURLToPath(new URL('../../templates', import.meta.url))

/** What the build saw in them, for a quick list. */
const builtInIndex = fileURLToPath(new URL('../../dist/templates.json', import.meta.url))

/** The JSON Schema of the template format, for editors. */
export const schemaFile = fileURLToPath(new URL('../../schema/provider.schema.json', import.meta.url))

/** What came of trying every provider against its twin, as this version was tested. */
export const trialsFile = fileURLToPath(new URL('../../docs/support.json', import.meta.url))

/** Where templates are looked for on this machine. */
export function foldersOf(paths: Pick<Paths, 'templates' | 'catalogues'>): World['folders'] {
  const { templates: person, catalogues: added } = paths
  return { builtIn: builtInTemplates, builtInIndex, person, added, trials: trialsFile, home: homedir() }
}

/** This machine as a World; what is heavy loads on first touch. */
export function realWorld(terms: Terms): World {
  const paths = realPaths(terms.env, terms.cwd)
  let store: Store | undefined
  let secrets: Secrets | undefined
  let send: Promise<World['send']> | undefined
  return {
    ...terms,
    async send(request) {
      const url = (await terms.reach?.(request.url)) ?? request.url
      send ??= import('./send.ts').then(({ makeSend }) => makeSend(terms.env))
      return (await send)({ ...request, url })
    },
    clock: { now: () => new Date(), monotonic: () => performance.now(), sleep },
    random: (bytes) => crypto().randomBytes(bytes),
    certificate: async (host) => {
      const { authorityFolders, certificateFor } = await import('./certificates.ts')
      const { 'callback-cert': cert, 'callback-key': key } = terms.settings
      const authorities = authorityFolders(terms.env, process.platform, homedir())
      const { platform } = process
      return certificateFor(host, {
        folder: paths.certificates,
        given: { cert, key },
        authorities,
        platform,
        now: new Date(),
      })
    },
    folders: foldersOf(paths),
    pid: process.pid,
    get store() {
      store ??= openStore(paths, { keyring: terms.settings.keyring, onNotice: terms.onNotice })
      return store
    },
    get secrets() {
      secrets ??= secretsUnder(hmacUnder(maskKey(paths)))
      return secrets
    },
  }
}

function hmacUnder(key: Uint8Array): (value: string) => string {
  return (value) => crypto().createHmac('sha256', key).update(value).digest('hex')
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}
