import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { json, type Route, type Visit } from '../answer.ts'
import { faultNamed } from '../faults.ts'
import { keepKey } from '../home.ts'
import { openLedger } from '../ledger.ts'
import { openServer, type Sandbox, type SandboxRequest } from '../server.ts'
import { accentOf } from './accents/index.ts'
import { originalUrl, twinAddress } from './address.ts'
import { admitCall } from './admit.ts'
import { answerApi } from './api.ts'
import { decisionPath, takeDecision } from './consent.ts'
import { answerFarewell } from './farewells.ts'
import { textOf } from './fields.ts'
import { refused } from './grants.ts'
import { type Issued, issue, rootsOf } from './issue.ts'
import { broughtByLookUp, lookUpAt } from './look-ups.ts'
import { twinModes } from './modes/index.ts'
import { apiBases, endpointAt, isApi, trialAt, trialsOf } from './place.ts'
import { type Call, type Endpoint, headerOf, type Part, type Stage, type TwinMode } from './stage.ts'

export interface TwinOptions {
  /** The provider's name, and what the twin calls itself. */
  readonly name: string
  /** The template with its alias merged, as a YAML parser gives it. */
  readonly template: Readonly<Record<string, unknown>>
  /** The provider's name and those that its alias stands for: what is special about a provider goes by name. */
  readonly names?: readonly string[] | undefined
  /** By the key of the question: what the person chose. The rest is issued here. */
  readonly answers?: Readonly<Record<string, string>> | undefined
  readonly clientId?: string | undefined
  /** Empty: a public client, which has none. */
  readonly clientSecret?: string | undefined
  /** What the client asks for, where that is to be held to. */
  readonly scopes?: readonly string[] | undefined
  /** What was registered for after an installation, whose request cannot say it; our own default. */
  readonly callbackUrl?: string | undefined
  /** As of a sandbox. */
  readonly port?: number | undefined
  readonly home?: string | undefined
  readonly fault?: string | undefined
  readonly now?: (() => number) | undefined
  readonly onRequest?: ((request: SandboxRequest) => void) | undefined
}

/** A provider's double that runs in this process. */
export interface Twin extends Sandbox {
  /** What this provider issued to its one customer: an answer to every question of the template, and the client. */
  readonly issued: {
    readonly params: Readonly<Record<string, string>>
    readonly clientId?: string | undefined
    readonly clientSecret?: string | undefined
  }
  /** What lives where, in the provider's own URLs. */
  readonly places: readonly { readonly what: string; readonly url: string }[]
  /** Where the twin serves a URL of the provider: `https://x.example/y` → `http://localhost:PORT/-/https/x.example/y`. */
  address(url: string): string
}

/** Thrown for a template that no twin can play yet; `code` is `TWIN_UNSUPPORTED`. */
function unsupported(message: string): Error {
  return Object.assign(new RangeError(message), { code: 'TWIN_UNSUPPORTED' })
}

const mostRequests = 1000

const usualCallback = 'http://localhost:8749/oauth/callback'

function modeFor(options: TwinOptions): TwinMode {
  const { name, template, names = [name] } = options
  const mode = textOf(template['auth_mode']) ?? 'none'
  if (template['installation'] !== undefined) {
    throw unsupported(`There is no twin of ${name}: its code comes to a public webhook, which a twin cannot reach.`)
  }
  // Somebody's own template of the same name may be of another kind.
  const own = mode === 'OAUTH2' ? accentOf(names)?.mode : undefined
  const found = own ?? (Object.hasOwn(twinModes, mode) ? twinModes[mode] : undefined)
  if (!found) throw unsupported(`There is no twin of ${name} yet: nobody plays ${mode}.`)
  return found
}

function partOf(options: TwinOptions, mode: TwinMode): Part {
  const { name, names = [name], answers = {}, clientId, clientSecret, home, scopes } = options
  const accent = accentOf(names)
  const secret = accent?.secret
  const plain = mode.retold?.(options.template) ?? options.template
  const issued = issue({ name, template: plain, answers, brings: accent?.brings, clientId, clientSecret, home, secret })
  const template = accent?.retold?.(plain, issued) ?? plain
  return {
    name,
    title: textOf(template['display_name']) ?? name,
    template,
    issued,
    pkce: accent?.pkce,
    scopes,
    variants: [rootsOf(template, issued), rootsOf(template, withoutLookups({ name, template }, issued))],
  }
}

/** What a client knows who looks up only what this twin answers. */
function withoutLookups(asked: Pick<Part, 'name' | 'template'>, issued: Issued): Issued {
  const answered = broughtByLookUp(asked)
  const isKnown = (key: string): boolean => !issued.lookups.has(key) || answered.includes(key)
  const told = Object.entries(issued.brought).filter(([key]) => isKnown(key))
  return { ...issued, brought: Object.fromEntries(told) }
}

/** Where a visit goes: the consent form, an endpoint of the provider, its API, or nowhere. */
function answerVisit(stage: Stage, mode: TwinMode, endpoints: readonly Endpoint[], visit: Visit) {
  if (visit.path === decisionPath && visit.method === 'POST') {
    return mode.decide?.(stage, visit) ?? takeDecision(stage, mode, visit)
  }
  const url = originalUrl(visit.path, visit.search)
  if (url === undefined) return nothingAt(stage, visit.path)
  const { method, headers, body, bytes } = visit
  const call: Call = { method, url, query: visit.search.slice(1), headers, body, bytes }
  const trial = trialAt(stage.part, call)
  const isOfApi = trial !== undefined || isApi(stage.part, call)
  const farewell = answerFarewell(stage, call)
  if (farewell !== undefined) return farewell
  const here = endpointAt(endpoints, call)
  const lookUp = lookUpAt(stage.part, call)
  if (lookUp !== undefined) return answerApi(beforeLookUps(stage), mode, spelledOut(call), trial, lookUp)
  if (here === undefined) return isOfApi ? answerApi(stage, mode, call, trial) : nothingAt(stage, url.href)
  // Some providers have their token endpoint and their API at one URL: who brings a good credential wants the API.
  if (isOfApi && isAdmitted(stage, mode, call)) return answerApi(stage, mode, call, trial)
  const { endpoint, lacking } = here
  if (!endpoint.methods.includes(method)) {
    const allow = endpoint.methods.join(', ')
    return json(405, { error: 'invalid_request', error_description: `${endpoint.what} takes ${allow}.` }, { allow })
  }
  if (lacking.length > 0) return refused([`the query of ${endpoint.what} lacks ${lacking.join(', ')}`])
  return endpoint.answer(call)
}

/** What a client knows who has looked nothing up yet. */
function beforeLookUps(stage: Stage): Stage {
  const { part } = stage
  const { issued, template } = part
  const told = Object.entries(issued.brought).filter(([key]) => !issued.lookups.has(key))
  const roots = rootsOf(template, { ...issued, brought: Object.fromEntries(told) })
  return { ...stage, part: { ...part, variants: [roots, roots] } }
}

/** Mailchimp has its own word for a bearer; to Checkr a token is the user of HTTP Basic, without a password. */
function spelledOut(call: Call): Call {
  const sent = headerOf(call, 'authorization') ?? ''
  const basic = /^basic (\S+)$/i.exec(sent)?.[1]
  const [, user] = /^([^:]+):$/.exec(Buffer.from(basic ?? '', 'base64').toString('utf8')) ?? []
  if (user === undefined && !/^oauth [^=]+$/i.test(sent)) return call
  const authorization = user === undefined ? sent.replace(/^oauth/i, 'Bearer') : `Bearer ${user}`
  return { ...call, headers: { ...call.headers, authorization } }
}

function isAdmitted(stage: Stage, mode: TwinMode, call: Call): boolean {
  if (mode.checkToken === undefined) return false
  const entry = admitCall(stage, mode, call)
  return !('flaw' in entry || 'misfit' in entry)
}

function nothingAt(stage: Stage, where: string) {
  const message = `This twin plays ${stage.part.name}; nothing of it lives at ${where.split('?')[0]}`
  return json(404, { error: 'not_found', message })
}

function placesOf(part: Part, endpoints: readonly Endpoint[]): Twin['places'] {
  const trials = trialsOf(part).map(({ url }) => ({ what: 'where credentials are tried', url: url.href }))
  const bases = [...new Set(apiBases(part).map(({ href }) => href))].map((url) => ({ what: 'the API', url }))
  return [...endpoints.map(({ what, url }) => ({ what, url: url.href })), ...bases, ...trials]
}

/**
 * Starts a twin. It is made from the template's text alone. Rejects as `openSandbox` does, and with `TWIN_UNSUPPORTED`
 * for what no twin plays yet.
 */
export async function openTwin(options: TwinOptions): Promise<Twin> {
  const { port = 0, home, fault, now = Date.now, onRequest } = options
  if (fault !== undefined && !faultNamed(fault)) throw new RangeError(`The sandbox has no fault called "${fault}".`)
  const mode = modeFor(options)
  const part = partOf(options, mode)
  const known = {
    key: home === undefined ? randomBytes(32) : keepKey(home),
    clients: [],
    fault: faultNamed(fault),
    now,
    ledger: openLedger(home === undefined ? undefined : join(home, 'sandbox.used')),
    codes: new Map(),
    teased: new Set<string>(),
  }
  const requests: SandboxRequest[] = []
  let route: Route = () => json(503, { error: 'temporarily_unavailable' })
  const server = await openServer({
    port,
    now,
    choose: () => (visit) => route(visit),
    arrived: (request) => {
      requests.push(request)
      if (requests.length > mostRequests) requests.shift()
    },
    answered: (request) => onRequest?.(request),
  })
  const address = (url: string): string => twinAddress(server.port, url)
  const { callbackUrl = usualCallback } = options
  const stage: Stage = { part, callbackUrl, provider: { ...known, origin: server.origin }, address }
  const endpoints = mode.endpoints?.(stage) ?? []
  route = (visit) => answerVisit(stage, mode, endpoints, visit)
  const { params, clientId, clientSecret } = part.issued
  return {
    origin: server.origin,
    port: server.port,
    requests,
    issued: { params, clientId, clientSecret },
    places: placesOf(part, endpoints),
    address,
    close: server.close,
  }
}
