import { presetOf } from '../../src/cli/twin.ts'
import { connect } from '../../src/connect.ts'
import { integrate } from '../../src/integrate.ts'
import type { Located } from '../../src/locate.ts'
import { isRenewable } from '../../src/model/connection.ts'
import { AuthCliError, TransportError } from '../../src/model/errors.ts'
import type { LogEvent } from '../../src/model/event.ts'
import type { Provider } from '../../src/model/provider.ts'
import type { World } from '../../src/model/world.ts'
import { gapsOf } from '../../src/needs.ts'
import { realWorld } from '../../src/node/world.ts'
import { refresh } from '../../src/refresh.ts'
import { request } from '../../src/request.ts'
import { approve, openTwin, type Twin } from '../../src/sandbox/index.ts'
import { verify } from '../../src/verify.ts'

/** What became of a provider that was played by its twin: connected, all looked up, called, verified and renewed as far as it can be. */
export interface Trial {
  readonly name: string
  readonly mode: string
  readonly support: 'whole' | 'in part' | 'not yet'
  /** What is missing, or where the run failed. */
  readonly says: readonly string[]
  /** Set where the run failed although nothing is known to be missing. */
  readonly failure?: string | undefined
}

/** Runs a provider through its mode against a twin that knows nothing of the client, over real HTTP. */
export async function tryTwin(provider: Provider, home: string): Promise<Trial> {
  const { name, names, template } = provider
  const about = { name, mode: template.auth_mode }
  const gaps = gapsOf(template, names)
  const says = gaps.map((gap) => gap.says)
  if (gaps.some(({ weight }) => weight === 'stops')) return { ...about, support: 'not yet', says }
  let twin: Twin
  try {
    twin = await openTwin({ name, names, template })
  } catch (error) {
    return { ...about, support: 'not yet', says: [...says, error instanceof Error ? error.message : String(error)] }
  }
  try {
    await run(provider, twin, home)
    return { ...about, support: gaps.length === 0 ? 'whole' : 'in part', says }
  } catch (error) {
    return { ...about, support: 'not yet', says, failure: told(error) }
  } finally {
    await twin.close()
  }
}

async function run(provider: Provider, twin: Twin, home: string): Promise<void> {
  const events: LogEvent[] = []
  const world = worldOf(twin, home, events, provider.template.auth_mode)
  const { redirect_uri: _, issuer: __, ...template } = provider.template
  const located: Located = { name: provider.name, provider: { ...provider, template } }
  const { params, clientId, clientSecret } = presetOf(template, twin.issued)
  const integration = await integrate(world, located, { params, clientId, clientSecret, port: 0 })
  await at('connect', () => connect(world, integration, { replace: true }))
  for (const event of events)
    if (event.type === 'warning' && event.code === 'LOOK_UP_INCOMPLETE') throw new Error(`look-up: ${event.message}`)
  await at('request', () => call(world, provider.name))
  if (template.proxy?.verification !== undefined) await at('verify', () => verify(world, provider.name))
  const before = await world.store.connections.read(provider.name)
  if (before === undefined) throw new Error('nothing was saved')
  if (!isRenewable(before)) return
  const after = await at('refresh', () => refresh(world, provider.name, { force: true }))
  if (after.credential.obtainedAt === before.credential.obtainedAt) throw new Error('refresh: it was not renewed')
  await at('request after refresh', () => call(world, provider.name))
}

/** Calls the root of the connection's API. Throws where it does not answer 200. */
export async function call(world: World, name: string): Promise<void> {
  const connection = await world.store.connections.read(name)
  if (connection?.snapshot.endpoints.api === undefined) return
  // Some APIs say in words of their own that a call makes no sense: what counts is that they took the credential.
  const isOutspoken = connection.snapshot.template['credentials_verification_script'] !== undefined
  await request(world, name, { method: 'GET', target: '/', headers: [] }, async (answer) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of answer.body) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString('utf8')
    const isTaken = isOutspoken ? ![401, 403].includes(answer.status) : answer.status < 300
    if (!isTaken) throw new Error(`the API answered ${answer.status}: ${text.slice(0, 300)}`)
  })
}

async function at<T>(step: string, act: () => Promise<T>): Promise<T> {
  return act().catch((error: unknown) => {
    throw new Error(`${step}: ${told(error)}`)
  })
}

function told(error: unknown): string {
  if (!(error instanceof AuthCliError)) return error instanceof Error ? error.message : String(error)
  const words = 'words' in error && error.words !== undefined ? ` “${String(error.words)}”` : ''
  return `${error.code} ${error.message}${words}`
}

/** An app is installed at an address that tells nobody where to come back to: the twin is told. */
function withWayBack(url: string, events: readonly LogEvent[], mode: string): string {
  if (!['APP', 'CUSTOM', 'INSTALL_PLUGIN'].includes(mode)) return url
  const opened = events.findLast((event) => event.type === 'listener.opened')
  const back = new URL(url)
  const isTold = back.searchParams.has('redirect_uri') || back.searchParams.has('oauth_token')
  if (opened === undefined || isTold || /redirect_uri/.test(back.hash)) return url
  back.searchParams.set('redirect_uri', opened.redirectUri || `http://${opened.addresses[0]}/oauth/callback`)
  return back.href
}

/** A real World whose far end is the twin, and whose person approves. */
export function worldOf(twin: Twin, home: string, events: LogEvent[] = [], mode = ''): World {
  const nobody = (): never => {
    throw new Error('nobody is there')
  }
  const abandon = new AbortController()
  const { signal } = abandon
  const world = realWorld({
    env: { AUTH_CLI_HOME: home },
    cwd: home,
    settings: {},
    settingsFrom: {},
    emit: (event) => events.push(event),
    signal,
    ask: async (needs) => {
      throw new Error(`asks for ${needs.map(({ flag }) => flag).join(', ')}`)
    },
    confirm: nobody,
    async *paste() {},
    show: () => {},
    browse: async (url) => {
      // Nobody else comes: an answer that strays is the end.
      void approve(twin.address(withWayBack(url, events, mode)), { signal })
        .catch(() => {})
        .then(() => {
          if (events.some(({ type }) => type === 'callback.received')) return
          abandon.abort(new TransportError('TIMEOUT', 'Nobody came back.'))
        })
      return 'the test'
    },
    reach: async (url) => twin.address(url),
    reachesTwins: true,
  })
  return world
}
