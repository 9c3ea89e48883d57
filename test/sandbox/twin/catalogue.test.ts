import { afterAll, beforeAll, expect, test } from 'vitest'
import { approve, openTwin, type Twin } from '../../../src/sandbox/index.ts'
import { readCatalogue, type Fields as Template } from '../../support/catalogue.ts'
import { basic, challenge, type Fields, openCallback, send, sendForm, sendJson, verifier } from './twin.ts'

/** Entries that no twin plays, and why. */
const unplayed: Readonly<Record<string, string>> = {
  'sentry-oauth': 'its code comes to a public webhook',
}

/** Providers with an accent that a plain client does not have: `accents.test.ts` speaks it. */
const accented: readonly string[] = [
  'absorb-lms',
  'agiloft',
  'braintree',
  'braintree-sandbox',
  'bullhorn',
  'followupboss',
  'heygen',
  'microsoft-admin',
  'posthog-oauth',
  'revolut-business',
  'shopline-oauth',
  'stripe-app',
  'stripe-app-sandbox',
  'tiktok-accounts',
  'tiktok-ads',
  'tiktok-personal',
  'walmart',
]

/** Providers whose API wants what only a look-up brings: `look-ups.test.ts` makes it. */
const lookedUp: readonly string[] = ['mailchimp', 'sage-200', 'sophos-central']

/** Templates that do not say enough for anybody to connect by them; `accents.test.ts` knows what their twins want. */
const wordless: readonly string[] = ['certn-partner']

const mapping = (value: unknown): Template => (typeof value === 'object' && value !== null ? (value as Template) : {})

const formats: Readonly<Record<string, RegExp>> = {
  hostname: /^[a-zA-Z0-9.-]+$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  uri: /^[a-z][\w+.-]*:\S+$/i,
  email: /^\S+@\S+\.\S+$/,
}

/** One pattern of the catalogue is none, and holds nobody to anything. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern).test(value)
  } catch {
    return pattern === '^[a-zA-Z0-9_!@#$%^&*()\\\\-+=]+$'
  }
}

interface Played {
  readonly name: string
  readonly template: Template
  readonly twin: Twin
}

const everything: Played[] = []
const refused: string[] = []

beforeAll(async () => {
  for (const [name, template] of readCatalogue()) {
    try {
      everything.push({ name, template, twin: await openTwin({ name, template }) })
    } catch (error) {
      if ((error as { code?: string }).code !== 'TWIN_UNSUPPORTED') throw new Error(`${name}: ${error}`)
      refused.push(name)
    }
  }
}, 300_000)

afterAll(async () => void (await Promise.all(everything.map(({ twin }) => twin.close()))))

const playedIn = (...modes: readonly string[]): readonly Played[] =>
  everything.filter(({ template }) => modes.includes(String(template['auth_mode'])))

/** A reader of placeholders that is no relative of the twin's: values by name, base64 once, the first whole alternative. */
function filled(text: string, values: ReadonlyMap<string, string>): string | undefined {
  const inner = text.replace(/\$\{(?!base64\()([^{}]+)\}/g, (whole, name) => values.get(name) ?? whole)
  const whole = inner.replace(/\$\{base64\(([^{}]*)\)\}/g, (_, one) => Buffer.from(one).toString('base64'))
  const found = text.includes('${') ? whole.split(' || ').find((one) => !one.includes('${')) : text
  return found
}

function valuesFor({ twin, template }: Played): ReadonlyMap<string, string> {
  const { params, clientId = '', clientSecret = '' } = twin.issued
  const lone = Object.entries(params).filter(
    ([key]) => key in mapping(template['credentials']) || !(key in mapping(template['connection_config'])),
  )
  const own = (key: string, value: string): string => params[`credentials.${key}`] ?? value
  return new Map([
    ...Object.entries(params).map(([key, value]) => [`connectionConfig.${key}`, value] as const),
    ...lone.flatMap(([key, value]) => [
      [`credentials.${key}`, own(key, value)] as const,
      [key, own(key, value)] as const,
    ]),
    ['clientId', clientId],
    ['clientSecret', clientSecret],
  ])
}

const place = ({ twin }: Played, what: string): string => twin.places.find((one) => one.what === what)?.url ?? ''

/** The API's headers and query, as somebody would send them who knows nothing but the template. */
function apiCall(one: Played, token?: string, raw: Template = {}): { readonly url: string; readonly headers: Fields } {
  const values = new Map([
    ...valuesFor(one),
    ...(token === undefined ? [] : [['accessToken', token] as const]),
    ...Object.entries(raw).map(([key, value]) => [`credentials.raw.${key}`, String(value)] as const),
  ])
  const proxy = mapping(one.template['proxy'])
  const { username = '', password = '' } = one.twin.issued.params
  const own = Object.entries(mapping(proxy['headers'])).flatMap(([name, text]) => {
    const value = filled(String(text), values)
    return value === undefined ? [] : [[name.toLowerCase(), value] as const]
  })
  const isBasic = one.template['auth_mode'] === 'BASIC'
  const usual =
    token !== undefined
      ? { authorization: `Bearer ${token}` }
      : isBasic
        ? { authorization: basic(username, password) }
        : {}
  const url = new URL(place(one, 'the API'))
  for (const [name, text] of Object.entries(mapping(proxy['query']))) {
    const value = filled(String(text), values)
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return { url: url.href, headers: { ...usual, ...Object.fromEntries(own) } }
}

test('issues what keeps every rule of every question, and fills every URL with it', async () => {
  expect(everything.length).toBeGreaterThan(900)
  expect(refused).toEqual(Object.keys(unplayed))
  const broken: string[] = []
  const open: string[] = []
  for (const { name, template, twin } of everything) {
    for (const section of ['connection_config', 'credentials', 'integration_config', 'assertion_option']) {
      for (const [key, fields] of Object.entries(mapping(template[section]))) {
        const { pattern, format, enum: choices, hidden, automated, visible_when: condition } = mapping(fields)
        const value = twin.issued.params[`${section}.${key}`] ?? twin.issued.params[key]
        if (value === undefined) {
          if (!hidden && !automated && !condition) broken.push(`${name} ${key}`)
          continue
        }
        if (hidden || automated) continue
        const isRight =
          (typeof pattern !== 'string' || matches(pattern, value)) &&
          (formats[String(format)]?.test(value) ?? true) &&
          (!Array.isArray(choices) || choices.includes(value))
        if (!isRight) broken.push(`${name} ${key}`)
      }
    }
    const wanted = ['authorization_url', 'token_url'].filter((field) => typeof template[field] === 'string').length
    const isApi = typeof mapping(template['proxy'])['base_url'] === 'string'
    const known = twin.places.filter(({ what }) => /authorization|token endpoint/.test(what)).length
    const mode = String(template['auth_mode'])
    if (/OAUTH2|TWO_STEP|BILL/.test(mode) && mode !== 'TWO_STEP' && mode !== 'OAUTH2_CC' && known < wanted)
      open.push(name)
    if (/TWO_STEP|OAUTH2_CC/.test(mode) && known < 1) open.push(name)
    const steps = template['additional_steps']
    const found = twin.places.filter(({ what }) => what.startsWith('step ')).length
    if (Array.isArray(steps) && found !== steps.length) open.push(name)
    if (isApi && !twin.places.some(({ what }) => what === 'the API')) open.push(name)
    for (const { url } of twin.places) expect(decodeURIComponent(url), name).not.toContain('${')
  }
  expect(broken).toEqual([])
  expect(open).toEqual([])
})

test('lets a plain client of every OAuth 2.0 template in', async () => {
  const played = playedIn('OAUTH2')
  expect(played.length).toBeGreaterThan(300)
  const { redirectUri, visits } = await openCallback()
  const stuck: string[] = []
  for (const one of played) {
    const { twin, template, name } = one
    if (lookedUp.includes(name)) continue
    const { clientId = '', clientSecret = '' } = twin.issued
    const texts = (field: string): Fields =>
      Object.fromEntries(
        Object.entries(mapping(template[field])).map(([key, text]) => [
          key,
          text === '${random}' ? crypto.randomUUID() : (filled(String(text), valuesFor(one)) ?? ''),
        ]),
      )
    const separator = typeof template['scope_separator'] === 'string' ? template['scope_separator'] : ' '
    const isRaw = Array.isArray(template['authorization_url_skip_encode'])
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      ...(!isRaw && { scope: ['a', 'b'].join(separator) }),
      state: name,
      ...texts('authorization_params'),
      ...(template['disable_pkce'] !== true && { code_challenge: challenge, code_challenge_method: 'S256' }),
    })
    if (template['authorization_url_skip_empty'] === true)
      for (const [key, value] of [...query]) if (value === '') query.delete(key)
    const fragment = template['authorization_url_fragment']
    const plain = `${place(one, 'the authorization endpoint')}${fragment ? `#${fragment}` : ''}?${query}${isRaw ? '&scope=a+b' : ''}`
    const url = Object.entries(mapping(template['authorization_url_replacements'])).reduce(
      (text, [from, to]) => text.replace(from, String(to)),
      plain,
    )
    await approve(twin.address(url)).catch((error) => stuck.push(`${name}: ${error.message}`))
    const params = visits.at(-1)?.searchParams
    const codeName = String(template['authorization_code_param_in_callback'] ?? 'code')
    const isHeader = template['authorization_method'] === 'header'
    const raw = basic(clientId, isHeader ? encodeURIComponent(clientSecret) : clientSecret)
    const isBasic = isHeader || template['token_request_auth_method'] === 'basic'
    const headers = isBasic ? { authorization: raw } : {}
    const json = template['body_format'] === 'json'
    const own = Object.fromEntries(
      Object.entries(mapping(template['token_params'])).map(([key, value]) =>
        typeof value === 'string' || !json ? [key, texts('token_params')[key]] : [key, value],
      ),
    )
    const fields = {
      ...own,
      grant_type: 'authorization_code',
      code: params?.get(codeName) ?? '',
      redirect_uri: redirectUri,
      ...(template['disable_pkce'] !== true && { code_verifier: verifier }),
      ...(!isBasic && { client_id: clientId, client_secret: clientSecret }),
    }
    const endpoint = place(one, 'the token endpoint')
    const answer = json
      ? await sendJson(twin, endpoint, fields, headers)
      : await sendForm(twin, endpoint, fields as Fields, headers)
    const nested = mapping(answer.json[String(template['alternate_access_token_response_path'])])
    const token = answer.json.access_token ?? nested['access_token']
    if (answer.status !== 200 || typeof token !== 'string') stuck.push(`${name}: ${params} ${answer.text}`)
    else {
      const call = apiCall(one, token, answer.json)
      const called = await send(twin, call.url, { headers: call.headers })
      if (called.status !== 200) stuck.push(`${name}: ${called.text}`)
    }
  }
  expect(stuck.filter((one) => !accented.includes(one.split(':')[0] ?? ''))).toEqual([])
  expect(stuck).toHaveLength(accented.length)
})

/** APIs that a GET finds open, and why. */
const openToGet: Readonly<Record<string, string>> = {
  adyntel: 'its key goes into bodies',
  inteliquent: 'its key goes into bodies',
  klicktipp: 'its template does not say where the key goes',
  mandrill: 'its key goes into bodies',
  'sage-member': 'its key goes into bodies',
  telegram: 'its key goes into paths that the caller writes',
}

/** API keys whose signature only a client can make that knows how. */
const signing = ['aws-iam', 'aws-inspector2', 'aws-multi-service', 'cisco-duo-admin', 'streamline-ai']

test('lets a plain client of every key and password in, and nobody without them', async () => {
  const played = playedIn('API_KEY', 'BASIC')
  expect(played.length).toBeGreaterThan(400)
  const stuck: string[] = []
  const free: string[] = []
  for (const one of played) {
    if (signing.includes(one.name) || one.name === 'private-api-generic') continue
    const { url, headers } = apiCall(one)
    const good = await send(one.twin, url, { headers })
    if (good.status > 299 && one.template['credentials_verification_script'] !== 'cdwCredentialsVerification') {
      stuck.push(`${one.name}: ${good.text}`)
    }
    const bare = url.split('?')[0] ?? ''
    const bad = await send(one.twin, bare)
    if (bad.status === 200 && bad.json?.ok) free.push(one.name)
  }
  expect(stuck).toEqual([])
  expect(free).toEqual(Object.keys(openToGet))
})

test('asks for the key of a private API where the answers of its integration put it', async () => {
  const [one] = everything.filter(({ name }) => name === 'private-api-generic')
  if (!one) throw new Error('not played')
  const { apiKey = '', baseUrl = '' } = one.twin.issued.params
  const ask = (authorization: string) => send(one.twin, `${baseUrl}/x`, { headers: { authorization } })
  expect((await ask(`Api-Key ${apiKey}`)).status).toBe(401)
  expect((await ask(apiKey)).status).toBe(200)
})

test('grants to a plain client of every client-credentials template', async () => {
  const stuck: string[] = []
  for (const one of playedIn('OAUTH2_CC')) {
    const { template, twin, name } = one
    const method = template['token_request_auth_method']
    if (wordless.includes(name) || method === 'private_key_jwt') continue
    const { clientId = '', clientSecret = '' } = twin.issued
    const own = Object.fromEntries(
      Object.entries(mapping(template['token_params'])).map(([key, text]) => [
        key,
        filled(String(text), valuesFor(one)) ?? '',
      ]),
    )
    const [id, secret] = method === 'custom' ? ['username', 'password'] : ['client_id', 'client_secret']
    const fields = { ...own, ...(method !== 'basic' && { [id]: clientId, [secret]: clientSecret }) }
    const headers = method === 'basic' ? { authorization: basic(clientId, clientSecret) } : {}
    const url = place(one, 'the token endpoint')
    const asked =
      template['body_format'] === 'json'
        ? await sendJson(twin, url, fields, headers)
        : template['body_format'] === 'query'
          ? await send(twin, `${url}?${new URLSearchParams(fields)}`, { method: 'POST', headers })
          : await sendForm(twin, url, fields, headers)
    const token = asked.json.access_token ?? asked.json.jwt
    if (typeof token !== 'string') {
      stuck.push(`${name}: ${asked.text}`)
      continue
    }
    const call = apiCall(one, token)
    const called = await send(twin, call.url, { headers: call.headers })
    if (called.status !== 200) stuck.push(`${name}: ${called.text}`)
  }
  expect(stuck.filter((one) => !lookedUp.includes(one.split(':')[0] ?? ''))).toEqual([])
})

/** Every text of a value, filled. */
function deep(value: unknown, fill: (text: string) => string): unknown {
  if (typeof value === 'string') return fill(value)
  if (Array.isArray(value)) return value.map((one) => deep(one, fill))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, deep(one, fill)]))
}

/** Logins that only a client can make that signs, hashes, tells the time or writes XML. */
const learned = (template: Template): boolean =>
  /\$\{(?:token|random|now|sha256|credentials\.assertion)\b/.test(JSON.stringify(template)) ||
  template['body_format'] === 'xml' ||
  template['additional_steps'] !== undefined

test('logs in a plain client of every login that takes one request and no craft', async () => {
  const stuck: string[] = []
  const plain = playedIn('TWO_STEP').filter(({ template }) => !learned(template))
  expect(plain.length).toBeGreaterThan(45)
  for (const one of plain) {
    const { template, twin, name } = one
    const values = valuesFor(one)
    const fill = (text: string): string => {
      const escaped = text.replace(/\$\{(?!base64\()([^{}]+)\}/g, (whole, key) => values.get(key) ?? whole)
      return escaped.replace(/\$\{base64\(([^{}]*)\)\}/g, (_, inner) => Buffer.from(inner).toString('base64'))
    }
    const headers = deep(mapping(template['token_headers']), fill) as Fields
    const fields = deep(mapping(template['token_params']), fill) as Fields
    const url = place(one, 'the token endpoint')
    const isGet = template['token_request_method'] === 'GET'
    const isEmpty = Object.keys(fields).length === 0
    const asked = isGet
      ? await send(twin, url, { headers })
      : template['body_format'] === 'form'
        ? await sendForm(twin, url, fields, headers)
        : isEmpty
          ? await send(twin, url, { method: 'POST', headers })
          : await sendJson(twin, url, fields, headers)
    const path = String(mapping(template['token_response'])['token'])
    const token =
      path === '' ? asked.text : path.split('.').reduce<unknown>((found, step) => mapping(found)[step], asked.json)
    if (asked.status !== 200 || typeof token !== 'string') {
      stuck.push(`${name}: ${asked.text}`)
      continue
    }
    const cookies = asked.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
    const call = apiCall(one, token, asked.json)
    const texts = deep(mapping(mapping(template['proxy'])['headers']), (text) =>
      text.includes('_cookies') ? cookies.join('; ') : fill(text.replaceAll('${credentials.token}', token)),
    ) as Fields
    const own = Object.fromEntries(Object.entries(texts).filter(([, text]) => !text.includes('${')))
    const called = await send(twin, call.url, { headers: { ...call.headers, ...own } })
    if (called.status !== 200) stuck.push(`${name}: ${called.text}`)
  }
  expect(stuck).toEqual([])
})
