import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { json, type Route } from './answer.ts'
import { addItem, listItems, showMe } from './api.ts'
import { askConsent, takeDecision } from './authorize.ts'
import { demoClients } from './clients.ts'
import { faultNamed } from './faults.ts'
import { announce, keepKey, withdraw } from './home.ts'
import { openLedger } from './ledger.ts'
import { describeServer } from './metadata.ts'
import { homePage, noticePage } from './page.ts'
import type { Provider, SandboxClient } from './provider.ts'
import { probePath } from './running.ts'
import { prove } from './seal.ts'
import { openServer, type Sandbox, type SandboxRequest } from './server.ts'
import { answerToken, introspect, revoke } from './token.ts'

export { approve } from './approve.ts'
export { demoClients } from './clients.ts'
export { type Fault, faults } from './faults.ts'
export type { SandboxClient } from './provider.ts'
export { type RunningSandbox, runningSandbox } from './running.ts'
export type { Sandbox, SandboxRequest } from './server.ts'
export { twinAddress } from './twin/address.ts'
export { openTwin, type Twin, type TwinOptions } from './twin/open.ts'

export interface SandboxOptions {
  /** Where to listen, on 127.0.0.1 and ::1. 0, the default, takes any port that is free on both. */
  readonly port?: number | undefined
  /**
   * Folder for the signing key and for what was used up, made if need be. What one sandbox of a home issued, the next one
   * honours. Absent: everything is forgotten at the end.
   */
  readonly home?: string | undefined
  /** Name of the fault of every authorization that does not choose one itself. */
  readonly fault?: string | undefined
  /** Instead of the two demo clients. */
  readonly clients?: readonly SandboxClient[] | undefined
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: (() => number) | undefined
  /** Told of each request once it was answered, or once it is clear that it will not be. */
  readonly onRequest?: ((request: SandboxRequest) => void) | undefined
}

const mostRequests = 1000

const routesOf = (provider: Provider, port: number): Readonly<Record<string, Readonly<Record<string, Route>>>> => ({
  '/': {
    GET: () =>
      homePage(
        provider.origin,
        provider.clients.map((client) => client.id),
      ),
  },
  '/authorize': { GET: (visit) => askConsent(provider, visit) },
  '/authorize/decision': { POST: (visit) => takeDecision(provider, visit) },
  '/token': { POST: (visit) => answerToken(provider, visit) },
  '/revoke': { POST: (visit) => revoke(provider, visit) },
  '/introspect': { POST: (visit) => introspect(provider, visit) },
  '/api/me': { GET: (visit) => showMe(provider, visit) },
  '/api/items': { GET: (visit) => listItems(provider, visit), POST: (visit) => addItem(provider, visit) },
  '/.well-known/oauth-authorization-server': { GET: () => describeServer(provider.origin) },
  '/.well-known/openid-configuration': { GET: () => describeServer(provider.origin) },
  [probePath]: {
    GET: ({ query }) => {
      const challenge = query.get('challenge') ?? ''
      if (!/^[0-9a-f]{64}$/.test(challenge)) return json(400, { error: 'invalid_request' })
      return json(200, { answer: prove(provider.key, port, process.pid, challenge) })
    },
  },
})

/** The route for a request; one that says so where there is none. */
function chooseRoute(routes: ReturnType<typeof routesOf>, method: string, path: string): Route {
  const here = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (!here) return () => noticePage(404, 'There is nothing here', 'The page at / says what this sandbox offers.')
  const route = here[method === 'HEAD' ? 'GET' : method]
  const allow = Object.keys(here).join(', ')
  return route ?? (() => json(405, { error: 'invalid_request', message: `Use ${allow}.` }, { allow }))
}

/**
 * Starts a sandbox. Rejects with the system's error when the port is taken on either loopback family (`code` is
 * `EADDRINUSE`) or the home cannot be written, and with a `RangeError` when there is no such fault.
 */
export async function openSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, home, fault, clients = demoClients, now = Date.now, onRequest } = options
  if (fault !== undefined && !faultNamed(fault)) throw new RangeError(`The sandbox has no fault called "${fault}".`)
  const known = {
    key: home === undefined ? randomBytes(32) : keepKey(home),
    clients,
    fault: faultNamed(fault),
    now,
    ledger: openLedger(home === undefined ? undefined : join(home, 'sandbox.used')),
    codes: new Map(),
    teased: new Set<string>(),
  }
  const requests: SandboxRequest[] = []
  let routes: ReturnType<typeof routesOf> = {}
  const server = await openServer({
    port,
    now,
    choose: (method, path) => chooseRoute(routes, method, path),
    arrived: (request) => {
      requests.push(request)
      if (requests.length > mostRequests) requests.shift()
    },
    answered: (request) => onRequest?.(request),
  })
  routes = routesOf({ ...known, origin: server.origin }, server.port)
  const announcement = { port: server.port, pid: process.pid }
  try {
    if (home !== undefined) announce(home, announcement)
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    origin: server.origin,
    port: server.port,
    requests,
    async close() {
      if (home !== undefined) withdraw(home, announcement)
      await server.close()
    },
  }
}
