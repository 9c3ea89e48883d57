import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { asksOf } from '../../src/asks.ts'
import type { Template } from '../../src/model/provider.ts'
import { refresh } from '../../src/refresh.ts'
import { type Fields, readCatalogue } from '../support/catalogue.ts'
import { type Hit, openProvider, type Reply } from '../support/provider.ts'
import { openWorkshop } from '../support/world.ts'

vi.setConfig({ testTimeout: 180_000 })

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const entries = [...readCatalogue()].filter(([, { auth_mode: mode }]) => mode === 'TWO_STEP' || mode === 'JWT')
const issued = 'issued-0123456789-token'

/** The template with every host of its own on loopback, so that it can be played. */
function atHome(fields: Fields, origin: string): Record<string, unknown> {
  const url = (text: unknown, path: string): string => {
    if (typeof text !== 'string' || text.startsWith('${step')) return String(text)
    const query = /\?[^|]*/.exec(text)?.[0] ?? ''
    return `${origin}/${path}${query}`
  }
  const steps = (fields['additional_steps'] ?? []) as readonly Record<string, unknown>[]
  return {
    ...fields,
    ...(fields['token_url'] === undefined ? {} : { token_url: url(fields['token_url'], 'login') }),
    ...(fields['refresh_url'] === undefined ? {} : { refresh_url: url(fields['refresh_url'], 'refresh') }),
    ...(steps.length === 0
      ? {}
      : {
          additional_steps: steps.map((step, index) => ({
            ...step,
            token_url: url(step['token_url'], `step${index + 2}`),
          })),
        }),
    proxy: { ...(fields['proxy'] as object), base_url: `${origin}/api` },
  }
}

/** An object in which something stands at a path. */
function holding(path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.')
  return { [first]: rest.length === 0 ? value : holding(rest.join('.'), value) }
}

function merged(...all: readonly Record<string, unknown>[]): Record<string, unknown> {
  const sum: Record<string, unknown> = {}
  for (const one of all)
    for (const [key, value] of Object.entries(one)) {
      const before = sum[key]
      const isBoth = typeof before === 'object' && typeof value === 'object' && before !== null && value !== null
      sum[key] = isBoth ? merged(before as Record<string, unknown>, value as Record<string, unknown>) : value
    }
  return sum
}

function xmlOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, inner]) => `<${name}>${xmlOf(inner)}</${name}>`)
    .join('')
}

/** What the provider of a template answers to its requests: what later ones ask for, and the token at its path. */
function played(fields: Fields, origin: string): (hit: Hit) => Reply {
  const response = (fields['token_response'] ?? {}) as Readonly<Record<string, string>>
  const handed = [...JSON.stringify(fields['additional_steps'] ?? []).matchAll(/\$\{step\d+\.([^}]+)\}/g)].map(
    ([, path = '']) => holding(path, /url|endpoint/i.test(path) ? `${origin}/far` : 'handed-on-0123456789'),
  )
  const expiry = response['token_expiration']
  const strategy = response['token_expiration_strategy']
  const parts = [
    ...handed,
    ...(response['token'] ? [holding(response['token'], issued)] : []),
    ...(response['refresh_token'] ? [holding(response['refresh_token'], issued)] : []),
    ...(expiry === undefined ? [] : [holding(expiry, strategy === 'expireIn' ? 3600 : '2099-01-01T00:00:00Z')]),
    ...((fields['token_response_metadata'] ?? []) as readonly string[]).map((path) => holding(path, `${origin}/api`)),
  ]
  const answer = merged(...parts)
  if (fields['body_format'] === 'xml') return () => ({ body: xmlOf(answer), headers: { 'content-type': 'text/xml' } })
  const isWhole = response['token'] === undefined || response['token'] === ''
  return () => (isWhole ? { body: issued, headers: { 'content-type': 'text/plain' } } : { body: answer })
}

/** A body without its format's escapes, for the plain values that stand in it. */
function spoken(body: string): string {
  return body.startsWith('{') || body.startsWith('<') ? body : [...new URLSearchParams(body).values()].join('\n')
}

/** Credentials that are the whole value of a parameter, and so must be sent as they are. */
function wholeParams(fields: Fields): readonly string[] {
  const written = fields['token_request_method'] === 'GET' ? [] : [fields['token_params']]
  const steps = (fields['additional_steps'] ?? []) as readonly Record<string, unknown>[]
  const all = JSON.stringify([written, steps.map(({ token_params: params }) => params)])
  return [...all.matchAll(/"\$\{credentials\.([\w]+)\}"/g)].map(([, key = '']) => key)
}

const guesses = [
  'secret-value-9876543210',
  'someone@acme.example',
  '123e4567-e89b-42d3-a456-426614174000',
  '1234567890',
  'acme.example',
  'a1'.repeat(16),
  'A1'.repeat(16),
  'ab'.repeat(32),
  'AB'.repeat(32),
  'A1'.repeat(20),
  `${'a1'.repeat(12)}:${'b2'.repeat(32)}`,
  'v1.0',
  'eyJhbGci.eyJzdWIi.c2lnbmF0dXJl',
]

function answersTo(template: Template): Record<string, string> {
  const wanted = JSON.stringify([template.token, template.assertion])
  const key = (wanted.includes('ES256') ? ec : rsa).export({ type: 'pkcs8', format: 'pem' }).toString()
  const answers: Record<string, string> = {}
  for (const { key: name, prompt, accept, isAsked, isOptional } of asksOf(template)) {
    if (!isAsked || isOptional) continue
    const all = [...(/^privateKey$/.test(name) ? [key] : []), ...guesses, prompt.example ?? '', ...(prompt.enum ?? [])]
    const fit = all.find((guess) => guess !== '' && 'value' in accept(guess))
    if (fit === undefined) throw new Error(`nothing keeps the rules of ${name}: ${prompt.pattern}`)
    answers[name] = fit
  }
  return answers
}

describe('every log-in of a catalogue', () => {
  it('is there to be played', () => {
    expect(entries.length).toBeGreaterThan(65)
  })

  it.each(entries)('%s brings its token home, sends what was given, and keeps it to itself', async (name, fields) => {
    let script: (hit: Hit) => Reply = () => ({ status: 500 })
    const any = (hit: Hit): Reply => script(hit)
    const paths = ['/login', '/refresh', '/step2', '/step3', '/far', '/far/.well-known/openid-configuration']
    const more = ['/far/api/token', '/api/api/token', '/api/services/a360/token']
    const routes = Object.fromEntries([...paths, ...more].map((path) => [path, any]))
    const { origin, hits } = await openProvider({
      routes: {
        ...routes,
        '/api/users': () => ({ body: {} }),
        '/api/v1/team': () => ({ body: {} }),
        '/api/api/v2/statements': () => ({ body: {} }),
      },
    })
    script = played(fields, origin)
    const template = atHome(fields, origin)
    const workshop = openWorkshop({ templates: { [name]: template } })
    const params = answersTo(template as unknown as Template)
    const { connection } = await workshop.connect(name, { params })
    const { credential, snapshot } = connection
    if (fields['auth_mode'] === 'JWT') expect(credential.accessToken).toMatch(/^eyJ/)
    else expect(credential.accessToken).toBe(issued)
    const asked = hits.filter(({ path }) => !path.startsWith('/api/v1/') && path !== '/api/users')
    const steps = ((fields['additional_steps'] ?? []) as readonly unknown[]).length
    if (fields['auth_mode'] === 'TWO_STEP') expect(asked).toHaveLength(1 + steps)
    const sent = asked.map(({ body, query, headers }) =>
      [...query.values(), spoken(body), ...Object.values(headers)].join('\n'),
    )
    const unsent = wholeParams(fields).filter(
      (key) => params[key] !== undefined && !sent.join('\n').includes(params[key]),
    )
    expect(unsent).toEqual([])
    const told = workshop.told()
    for (const [answer, value] of Object.entries(params)) {
      const isSecret =
        template['credentials'] !== undefined && /secret|password|key$/i.test(answer) && !/Id$/.test(answer)
      if (isSecret && value.length > 12) expect(told, answer).not.toContain(value)
    }
    expect(told).not.toContain(issued)
    expect(told).not.toContain('PRIVATE KEY-----\\\\n')
    if (snapshot.renewal === 'again') {
      await refresh(workshop.world, name, { force: true })
      expect(workshop.told()).not.toContain(issued)
    }
  })
})
