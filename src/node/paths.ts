import path from 'node:path'
import { MachineError } from '../model/errors.ts'
import { crypto } from './crypto.ts'
import { makeFolder, placeOnce, readIfThere, replaceWhole } from './disk.ts'

/** Where things live; all absolute. Folders are made (0700) when something is first written there, never on read. */
export interface Paths {
  /** Folder of the settings file. */
  readonly config: string
  readonly connections: string
  readonly integrations: string
  /** Clients that registered themselves. */
  readonly clients: string
  /** Project files that the person trusts. */
  readonly trust: string
  readonly logs: string
  /** The person's own templates. */
  readonly templates: string
  /** Catalogues that the person added, a folder each. */
  readonly catalogues: string
  /** What the sandbox of this home remembers. */
  readonly sandbox: string
  readonly cache: string
  /** File that says where secrets are kept. */
  readonly secrets: string
  /** The certificate of https callbacks, and its key. */
  readonly certificates: string
  /** File of the key under which secrets are masked. */
  readonly maskKey: string
}

/** What the paths follow from. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** As `process.platform`. */
  readonly platform: string
  /** The person's home folder. */
  readonly homedir: string
  /** Against which a relative `AUTH_CLI_HOME` counts. */
  readonly cwd: string
}

/**
 * `AUTH_CLI_HOME` is one folder for everything; without it, the platform's own: the XDG base directories (relative ones
 * are ignored, as their specification says), `~/Library`, `%APPDATA%` and `%LOCALAPPDATA%`.
 */
export function pathsFrom({ env, platform, homedir, cwd }: Surroundings): Paths {
  const { join, resolve, isAbsolute } = platform === 'win32' ? path.win32 : path.posix
  const lay = (config: string, data: string, state: string, cache: string): Paths => ({
    config,
    connections: join(data, 'connections'),
    integrations: join(data, 'integrations'),
    clients: join(data, 'clients'),
    trust: join(data, 'trust'),
    logs: join(state, 'logs'),
    templates: join(config, 'templates'),
    catalogues: join(data, 'catalogues'),
    sandbox: join(data, 'sandbox'),
    cache,
    secrets: join(data, 'secrets.json'),
    certificates: join(data, 'certificates'),
    maskKey: join(data, 'mask.key'),
  })
  const given = (name: string): string | undefined => {
    const value = env[name]
    return value && isAbsolute(value) ? value : undefined
  }

  if (env['AUTH_CLI_HOME']) {
    const home = resolve(cwd, env['AUTH_CLI_HOME'])
    return lay(home, home, home, join(home, 'cache'))
  }
  if (platform === 'win32') {
    const roaming = join(given('APPDATA') ?? join(homedir, 'AppData', 'Roaming'), 'auth-cli')
    const local = join(given('LOCALAPPDATA') ?? join(homedir, 'AppData', 'Local'), 'auth-cli')
    return lay(roaming, join(local, 'data'), local, join(local, 'cache'))
  }
  if (platform === 'darwin') {
    const library = join(homedir, 'Library')
    const support = join(library, 'Application Support', 'auth-cli')
    const paths = lay(support, support, support, join(library, 'Caches', 'auth-cli'))
    return { ...paths, logs: join(library, 'Logs', 'auth-cli') }
  }
  const xdg = (name: string, ...fallback: string[]): string =>
    join(given(name) ?? join(homedir, ...fallback), 'auth-cli')
  return lay(
    xdg('XDG_CONFIG_HOME', '.config'),
    xdg('XDG_DATA_HOME', '.local', 'share'),
    xdg('XDG_STATE_HOME', '.local', 'state'),
    xdg('XDG_CACHE_HOME', '.cache'),
  )
}

/** The folder that the person stands in. Throws MachineError `FOLDER_GONE` where it has been deleted under them. */
export function workingFolder(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new MachineError('FOLDER_GONE', 'The folder you are in is not there any more.', {
      hint: 'Go to another one: cd ~',
      cause,
    })
  }
}

const keyBytes = 32

/**
 * This home's mask key, 32 random bytes, made at first use so that any number of processes agree on one. Where the home
 * cannot be read or written: a key for this process alone; masking never fails a run.
 */
export function maskKey(paths: Pick<Paths, 'maskKey'>): Uint8Array {
  const file = paths.maskKey
  const fresh = crypto().randomBytes(keyBytes)
  try {
    const kept = readIfThere(file)
    if (kept?.length === keyBytes) return kept
    makeFolder(path.dirname(file))
    // A key of another length is damage (a crash before the bytes reached the disk): it masked nothing that matters.
    if (kept) replaceWhole(file, fresh)
    else placeOnce(file, fresh)
    const agreed = readIfThere(file)
    return agreed?.length === keyBytes ? agreed : fresh
  } catch {
    return fresh
  }
}
