import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { asksOf } from '../../src/asks.ts'
import { findProvider } from '../../src/catalog/find.ts'
import { sourceAt } from '../../src/catalog/sources.ts'
import { maskedConnection } from '../../src/cli/output/masked-connection.ts'
import { presetOf } from '../../src/cli/twin.ts'
import { connect } from '../../src/connect.ts'
import { integrate } from '../../src/integrate.ts'
import { givenOf, isSecretAnswer } from '../../src/model/connection.ts'
import { AuthCliError } from '../../src/model/errors.ts'
import type { LogEvent } from '../../src/model/event.ts'
import { isSecretName } from '../../src/model/secret.ts'
import type { Answer, Outgoing, World } from '../../src/model/world.ts'
import { refresh } from '../../src/refresh.ts'
import { faults, openTwin } from '../../src/sandbox/index.ts'
import { catalogueFile } from '../support/catalogue.ts'
import { isThorough, sampleOf } from '../support/sample.ts'
import { leaksIn } from '../support/secrets.ts'
import { call, worldOf } from '../support/twins.ts'

vi.setConfig({ testTimeout: 900_000 })

const homes = mkdtempSync(path.join(tmpdir(), 'auth-cli-test-'))
afterAll(() => rmSync(homes, { recursive: true, force: true }))

const source = [sourceAt('added', catalogueFile)]

/** A provider or two of each mode; the odder their secrets travel the better. */
const specimens: Readonly<Record<string, readonly string[]>> = {
  OAUTH2: ['zendesk', 'airtable', 'slack', 'tiktok-ads', 'stripe-app'],
  OAUTH2_CC: ['auth0-cc', 'okta-cc', 'zoominfo'],
  OAUTH1: ['trello', 'smugmug', 'twitter'],
  MCP_OAUTH2: ['notion-mcp'],
  API_KEY: ['algolia', 'google-gemini', 'mandrill'],
  BASIC: ['zendesk-api-key', 'konnektive'],
  NONE: ['youcanbook-me-public'],
  TWO_STEP: ['sage-intacct', 'sap-business-one', 'google-service-account'],
  JWT: ['snowflake-jwt', 'ghost-admin'],
  SIGNATURE: ['emarsys'],
  BILL: ['bill'],
  TBA: ['netsuite-tba'],
  AWS_SIGV4: ['aws-sigv4'],
  APP: ['github-app'],
  CUSTOM: ['github-app-oauth'],
  INSTALL_PLUGIN: ['crisp-plugin-install'],
}

/** What takes its time is tested by itself. */
const outcomes = [
  undefined,
  'wrong answers',
  ...faults.map(({ name }) => name).filter((name) => !/hanging|slow/.test(name)),
]

interface Crossing {
  readonly text: string[]
}

/** The World with everything that crosses written down, in clear. */
function tapped(world: World, crossing: Crossing): World {
  const send = async (request: Outgoing): Promise<Answer> => {
    crossing.text.push(
      request.url,
      JSON.stringify(request.headers),
      typeof request.body === 'string' ? request.body : '',
    )
    const answer = await world.send(request)
    crossing.text.push(JSON.stringify(answer.headers))
    return { ...answer, body: overheard(answer.body, crossing) }
  }
  return { ...world, store: world.store, secrets: world.secrets, send }
}

async function* overheard(body: AsyncIterable<Uint8Array>, crossing: Crossing) {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      yield chunk
    }
  } finally {
    crossing.text.push(Buffer.concat(chunks).toString('utf8'))
  }
}

const tellers =
  /"?(access_?token|refresh_?token|id_?token|token|code_verifier|assertion|sessionId|session_?token|SecretAccessKey|jwt)"?\s*[:=]\s*"?([\w.~+/%-]{12,})/gi

/** Runs a provider against a twin that misbehaves, and returns all that was told, and all that must not be in it. */
async function trial(name: string, outcome: string | undefined) {
  const provider = await findProvider(name, source)
  const { names } = provider
  const { redirect_uri: _, issuer: __, ...template } = provider.template
  const fault = outcome === 'wrong answers' ? undefined : outcome
  const twin = await openTwin({ name, names, template, fault })
  const events: LogEvent[] = []
  const crossing: Crossing = { text: [] }
  const home = mkdtempSync(path.join(homes, 'home-'))
  const world = tapped(worldOf(twin, home, events, template.auth_mode), crossing)
  const told: string[] = []
  const secrets = new Map<string, string>()
  const keep = (what: string, value: string | undefined): void => {
    if (value !== undefined && value.length >= 6) secrets.set(value, what)
  }
  const act = async (deed: () => Promise<unknown>): Promise<void> => {
    await deed().catch((error: unknown) => {
      if (!(error instanceof AuthCliError)) throw error
      const { cause: _, ...shown } = error
      told.push(error.message, JSON.stringify({ ...shown, message: error.message, hint: error.hint }))
    })
  }
  try {
    const preset = presetOf(template, twin.issued)
    const params = Object.fromEntries(
      asksOf(template).flatMap(({ key, prompt }) => {
        const value = preset.params?.[key]
        if (value === undefined) return []
        const isSecret = prompt.secret === true
        const given = isSecret && outcome === 'wrong answers' ? [...value].reverse().join('') : value
        if (isSecret) keep(`the answer ${key}`, given)
        return [[key, given]]
      }),
    )
    const clientSecret = outcome === 'wrong answers' ? 'another-client-secret' : preset.clientSecret
    keep('the client secret', clientSecret)
    const located = { name, provider: { ...provider, template } }
    await act(async () => {
      const wishes = { params, clientId: preset.clientId, clientSecret, port: 0 }
      await connect(world, await integrate(world, located, wishes))
    })
    const saved = await world.store.connections.read(name)
    if (saved !== undefined) {
      await act(() =>
        call(world, name).catch((error: unknown) => {
          // That the API says no is an outcome like any other.
          if (error instanceof AuthCliError) throw error
        }),
      )
      await act(() => refresh(world, name, { force: true }))
      const now = (await world.store.connections.read(name)) ?? saved
      for (const [key, value] of Object.entries(givenOf(now.credential)))
        if (isSecretAnswer(now, key)) keep(`given ${key}`, value)
      for (const [key, value] of Object.entries(now.credential.captured ?? {}))
        if (isSecretName(key)) keep(`captured ${key}`, value)
      keep('access token', now.credential.accessToken)
      keep('refresh token', now.credential.refreshToken)
      told.push(JSON.stringify(maskedConnection(now, world.secrets.mask, { scrub: world.secrets.scrub })))
    }
    for (const [, what = '', value = ''] of crossing.text.join('\n').matchAll(tellers)) keep(what, value)
    told.push(...events.map((event) => JSON.stringify(event)), inspect(events, { depth: 9 }))
    return { told: told.join('\n'), secrets, events, isSaved: saved !== undefined }
  } finally {
    await twin.close()
  }
}

const pairs = Object.entries(specimens).flatMap(([mode, names]) => names.map((name) => [mode, name] as const))

describe('no secret', () => {
  it.concurrent.each(sampleOf(pairs, 4))(
    'of %s stands in any event, error or shown connection, however it goes: %s',
    async (mode, name) => {
      for (const outcome of outcomes) {
        const { told, secrets, events, isSaved } = await trial(name, outcome)
        const about = `${name} with ${outcome ?? 'no fault'}`
        expect(leaksIn(told, secrets), about).toEqual([])
        if (events.length > 0) expect(events.at(-1)?.type, about).toBe('flow.ended')
        if (outcome === undefined) expect(isSaved, about).toBe(true)
        // A public client that is turned away at the door has none.
        if (outcome === undefined && mode !== 'NONE') expect(secrets.size, about).toBeGreaterThan(0)
      }
    },
  )

  it.skipIf(!isThorough)('of the rest: only a sample is tried where CI is not set', () => {
    expect(sampleOf(pairs, 4)).toEqual(pairs)
  })
})
