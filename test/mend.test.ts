import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../src/connect.ts'
import { describe as pageOf } from '../src/describe.ts'
import { integrate } from '../src/integrate.ts'
import { locate } from '../src/locate.ts'
import type { LogEvent } from '../src/model/event.ts'
import type { World } from '../src/model/world.ts'
import { refresh } from '../src/refresh.ts'
import { rehearse } from '../src/rehearse.ts'
import { openTwin } from '../src/sandbox/index.ts'
import { verify } from '../src/verify.ts'
import { catalogueFile, readCatalogue } from './support/catalogue.ts'
import { freshFolder } from './support/disk.ts'
import { call, worldOf } from './support/twins.ts'
import { openWorkshop } from './support/world.ts'

const name = 'certn-partner'
const entry = readCatalogue().get(name) ?? {}
const secret = 'the-secret-long-enough'

/** The world with the installed catalogue for its templates. */
const withCatalogue = <W extends World>(world: W): World => ({
  ...world,
  store: world.store,
  secrets: world.secrets,
  folders: { ...world.folders, builtIn: catalogueFile, builtInIndex: undefined },
})

async function played() {
  const twin = await openTwin({ name, template: entry, clientId: 'the-id', clientSecret: secret })
  onTestFinished(() => twin.close())
  const events: LogEvent[] = []
  const world = withCatalogue(worldOf(twin, freshFolder(), events))
  const integration = await integrate(world, await locate(world, name), { clientId: 'the-id', clientSecret: secret })
  await connect(world, integration)
  return { world, twin, events }
}

describe('an entry of a catalogue that nobody could connect by', () => {
  it('is given what Certn documents: it connects, calls, verifies and renews', async () => {
    const { world, events } = await played()
    await call(world, name)
    expect((await verify(world, name)).proof).toMatchObject({ url: 'https://api.certn.co/api/v2/teams', status: 200 })
    await refresh(world, name, { force: true })
    await call(world, name)
    const sent = events.flatMap((event) => (event.type === 'exchange' ? [event.exchange] : []))
    const tokens = sent.filter(({ url }) => url === 'https://api.certn.co/token/')
    expect(tokens.map(({ method, request }) => [method, request.body])).toEqual([
      ['POST', 'grant_type=client_credentials'],
      ['POST', 'grant_type=client_credentials'],
    ])
    const carried = sent.map(({ request }) => request.headers.find(([key]) => key === 'authorization')?.[1])
    expect(carried.map((text) => text?.split(' ')[0])).toEqual(['Basic', 'Bearer', 'Bearer', 'Basic', 'Bearer'])
    expect(JSON.stringify(events)).not.toContain(secret)
  })

  it('is told to have been mended, with what and by which source, before anything is sent', async () => {
    const { events } = await played()
    const told = events.findIndex((event) => event.type === 'warning' && event.code === 'TEMPLATE_MENDED')
    expect(events[told]).toMatchObject({
      message: expect.stringMatching(/no token_url.*API key.*docs\.certn\.co.*api\.certn\.co\/token\/.*Basic/),
    })
    expect(told).toBeLessThan(events.findIndex(({ type }) => type === 'exchange'))
  })

  it('is rehearsed and shown as it will be', async () => {
    const world = withCatalogue(openWorkshop().world)
    const located = await locate(world, name)
    const integration = await integrate(world, located, { clientId: 'the-id', clientSecret: secret })
    const { tokenRequest } = await rehearse(world, integration)
    expect(tokenRequest).toMatchObject({ method: 'POST', url: 'https://api.certn.co/token/' })
    expect(tokenRequest?.headers['authorization']).toMatch(/^Basic /)
    const page = await pageOf(world, located, {})
    expect(page.token).toMatchObject({ url: 'https://api.certn.co/token/', authentication: 'basic-raw' })
    expect(page.api?.headers).toEqual(['authorization: Bearer <access token>'])
    expect(page.quirks).toContainEqual(expect.stringContaining('docs.certn.co'))
    expect(page.lacks).toEqual([])
  })

  it('of one’s own is taken at its word', async () => {
    const { world } = openWorkshop({ templates: { [name]: entry } })
    expect((await locate(world, name)).provider).toMatchObject({ template: { auth_mode: 'OAUTH2_CC' } })
    expect((await locate(world, name)).provider.template.token_url).toBeUndefined()
  })
})

it('any other provider is as it was read', async () => {
  const world = withCatalogue(openWorkshop().world)
  const { provider } = await locate(world, 'github')
  expect([provider.mended, provider.template.token_url]).toEqual([
    undefined,
    'https://github.com/login/oauth/access_token',
  ])
})
