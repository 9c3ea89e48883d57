import { join } from 'node:path'
import { type Connected, connect } from '../../src/connect.ts'
import { integrate } from '../../src/integrate.ts'
import { locate } from '../../src/locate.ts'
import type { Given } from '../../src/look-up.ts'
import type { AuthCliError } from '../../src/model/errors.ts'
import type { Exchange, LogEvent } from '../../src/model/event.ts'
import type { World } from '../../src/model/world.ts'
import { realWorld } from '../../src/node/world.ts'
import { type ApiCall, request } from '../../src/request.ts'
import { freshFolder } from './disk.ts'
import { projectWith } from './project.ts'

/** A real World in a folder of its own: real HTTP, real disk, nobody to be asked, every event kept. */
export interface Workshop {
  readonly world: World
  readonly events: readonly LogEvent[]
  /** What happened so far, without the details. */
  readonly story: () => string[]
  readonly exchanges: () => Exchange[]
  /** Everything that was told, as one text: no secret may stand in it. */
  readonly told: () => string
  /** `connect <name>`: saved under the name unless `given` says otherwise. */
  readonly connect: (name: string, given?: Given) => Promise<Connected>
  /** Calls the API and reads the answer. */
  readonly request: (
    name: string,
    call: Partial<ApiCall> & { readonly target: string },
  ) => Promise<{ readonly status: number; readonly text: string }>
}

export interface WorkshopTerms {
  /** Templates of the project file in the working folder. */
  readonly templates?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: Partial<World['clock']>
  /** What opening the browser does; nobody has one unless told otherwise. */
  readonly browse?: World['browse']
  /** Lines that the person pastes. */
  readonly pastes?: readonly string[]
  readonly signal?: AbortSignal
  /** Answers to what is asked, by their keys; nobody where absent. */
  readonly answers?: Readonly<Record<string, string>>
}

/** A browser that goes wherever it is sent, in the background. */
export const wanderer: World['browse'] = async (url) => {
  void fetch(url).catch(() => {})
  return 'a fetch'
}

export function openWorkshop({
  templates = {},
  env = {},
  clock = {},
  browse,
  answers,
  pastes = [],
  signal = new AbortController().signal,
}: WorkshopTerms = {}): Workshop {
  const events: LogEvent[] = []
  const home = freshFolder()
  const nobody = (): never => {
    throw new Error('nobody is there')
  }
  const real = realWorld({
    env: { AUTH_CLI_HOME: home, ...env },
    cwd: projectWith(templates),
    settings: {},
    settingsFrom: {},
    emit: (event) => events.push(event),
    signal,
    ask: async (needs) => {
      if (answers !== undefined) return answers
      throw new Error(`missing: ${needs.map(({ flag }) => flag).join(', ')}`)
    },
    confirm: nobody,
    async *paste() {
      yield* pastes
    },
    show: () => {},
    browse: browse ?? nobody,
  })
  const world: World = {
    ...real,
    store: real.store,
    secrets: real.secrets,
    folders: { ...real.folders, home: join(home, '..') },
    clock: { ...real.clock, ...clock },
  }
  return {
    world,
    events,
    story: () => events.map(({ type }) => type),
    exchanges: () => events.flatMap((event) => (event.type === 'exchange' ? [event.exchange] : [])),
    told: () => JSON.stringify(events),
    connect: async (name, given = {}) =>
      connect(world, await integrate(world, await locate(world, name), { trustProject: true, ...given })),
    request: (name, call) =>
      request(world, name, { method: 'GET', headers: [], ...call }, async (answer) => {
        const chunks: Uint8Array[] = []
        for await (const chunk of answer.body) chunks.push(chunk)
        return { status: answer.status, text: Buffer.concat(chunks).toString('utf8') }
      }),
  }
}

/** The error that something ends with; fails where it ends well. */
export async function failure(act: Promise<unknown>): Promise<AuthCliError> {
  return act.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error as AuthCliError,
  )
}
