import { describe, expect, it } from 'vitest'
import { token } from '../../src/token.ts'
import { verify } from '../../src/verify.ts'
import { openProvider, type Script } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

const key = 'k3y-that-is-long-enough-to-be-one'

/** An API that takes one header and nothing else. */
const takes =
  (name: string, value: string): Script =>
  ({ headers }) =>
    headers[name] === value ? { body: { ok: true } } : { status: 401, body: { message: 'Bad credentials' } }

describe('API_KEY', () => {
  const template = (origin: string, more: Record<string, unknown> = {}) => ({
    display_name: 'Keys',
    docs: 'https://keys.example',
    auth_mode: 'API_KEY',
    credentials: { apiKey: { type: 'string', title: 'API key' } },
    proxy: { base_url: origin, headers: { 'X-Api-Key': '${apiKey}' }, ...more },
  })

  it('tries the key before it saves it, and calls carry it as the template says', async () => {
    const { origin, hits } = await openProvider({ routes: { '/me': takes('x-api-key', key) } })
    const workshop = openWorkshop({
      templates: { keys: template(origin, { verification: { endpoints: ['/me'] } }) },
    })
    const { connection } = await workshop.connect('keys', { params: { apiKey: key } })
    expect(workshop.story()).toEqual([
      'flow.started',
      'answers.collected',
      'exchange',
      'credential.verified',
      'connection.saved',
      'flow.ended',
    ])
    expect(connection.credential).toMatchObject({ type: 'API_KEY', apiKey: key })
    expect(await workshop.request('keys', { target: '/me' })).toEqual({ status: 200, text: '{"ok":true}' })
    expect(hits.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    expect((await token(workshop.world, 'keys')).value).toBe(key)
    expect(workshop.told()).not.toContain(key)
  })

  it('saves nothing where every call refuses, and quotes the provider', async () => {
    const { origin, hits } = await openProvider({ routes: { '/a': takes('x-api-key', key), '/b': takes('x', 'y') } })
    const workshop = openWorkshop({
      templates: { keys: template(origin, { verification: { endpoints: ['/a', '/b'] } }) },
    })
    const error = await failure(workshop.connect('keys', { params: { apiKey: 'wrong-key-wrong-key' } }))
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', exitCode: 4, words: 'Bad credentials', status: 401 })
    expect(hits.map(({ path }) => path)).toEqual(['/a', '/b'])
    expect(await workshop.world.store.connections.read('keys')).toBeUndefined()
    expect(JSON.stringify([error.facts, workshop.told()])).not.toContain('wrong-key')
  })

  it('is content with one call of several', async () => {
    const { origin } = await openProvider({ routes: { '/new': takes('x-api-key', key) } })
    const workshop = openWorkshop({
      templates: { keys: template(origin, { verification: { endpoints: ['/old', '/new'] } }) },
    })
    await workshop.connect('keys', { params: { apiKey: key } })
    expect(workshop.exchanges().map(({ response }) => response?.status)).toEqual([404, 200])
  })

  it('sends what a verification says beside it: method, headers, data, another base', async () => {
    const elsewhere = await openProvider({ routes: { '/check/7/%2Fa': () => ({ status: 204 }) } })
    const { origin } = await openProvider()
    const workshop = openWorkshop({
      templates: {
        keys: {
          ...template(origin, {
            verification: {
              method: 'POST',
              endpoints: ['/check/7/${connectionConfig.part}'],
              base_url_override: elsewhere.origin,
              headers: { 'content-type': 'application/json', 'x-more': '${connectionConfig.part}' },
              data: { limit: 1, deep: [{ key: '${apiKey}' }] },
            },
          }),
          connection_config: { part: { type: 'string', title: 'Part' } },
        },
      },
    })
    await workshop.connect('keys', { params: { apiKey: key, part: '/a' } })
    const [hit] = elsewhere.hits
    expect([hit?.method, hit?.headers['x-more'], hit?.headers['x-api-key']]).toEqual(['POST', '/a', key])
    expect(JSON.parse(hit?.body ?? '')).toEqual({ limit: 1, deep: [{ key }] })
    expect(workshop.told()).not.toContain(key)
  })

  it('says that it saved a key untested where nothing tells how to try it', async () => {
    const { origin, hits } = await openProvider()
    const workshop = openWorkshop({ templates: { keys: template(origin) } })
    await workshop.connect('keys', { params: { apiKey: key } })
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'UNTESTED' }))
    expect(hits).toEqual([])
    expect(await failure(verify(workshop.world, 'keys'))).toMatchObject({ code: 'NO_VERIFICATION', exitCode: 2 })
  })

  it('goes into the query or the body where the template wants it there, and says so', async () => {
    const { origin, hits } = await openProvider({ routes: { '/x': () => ({ body: {} }) } })
    const proxy = {
      base_url: origin,
      query: { key: '${apiKey}' },
      body: { auth: { key: '${apiKey}', gone: '${connectionConfig.no}' } },
    }
    const workshop = openWorkshop({ templates: { keys: { ...template(origin), proxy } } })
    await workshop.connect('keys', { params: { apiKey: key } })
    await workshop.request('keys', {
      method: 'POST',
      target: '/x?a=b%20c',
      body: '{"q":1}',
      headers: [['content-type', 'application/json']],
    })
    await workshop.request('keys', { method: 'POST', target: '/x?key=mine' })
    expect(hits[0]?.query.toString()).toBe(`a=b+c&key=${key}`)
    expect(JSON.parse(hits[0]?.body ?? '')).toEqual({ q: 1, auth: { key } })
    expect([hits[1]?.query.get('key'), hits[1]?.headers['content-type']]).toEqual(['mine', 'application/json'])
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'quirk' }))
    expect(workshop.told()).not.toContain(key)
  })

  it('is tried again by verify, which says what that proves', async () => {
    let good = true
    const { origin } = await openProvider({
      routes: { '/me': () => (good ? { body: {} } : { status: 403, body: { error: { message: 'Key was revoked' } } }) },
    })
    const workshop = openWorkshop({ templates: { keys: template(origin, { verification: { endpoints: ['/me'] } }) } })
    await workshop.connect('keys', { params: { apiKey: key } })
    expect(await verify(workshop.world, 'keys')).toMatchObject({
      proof: { status: 200 },
      says: expect.stringMatching(/^Keys takes/),
    })
    good = false
    const error = await failure(verify(workshop.world, 'keys'))
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', words: 'Key was revoked' })
    expect(error.hint).not.toMatch(/Nothing was saved/)
  })
})

describe('BASIC', () => {
  const template = (origin: string, more: Record<string, unknown> = {}) => ({
    display_name: 'Base',
    docs: 'https://base.example',
    auth_mode: 'BASIC',
    proxy: { base_url: origin, verification: { endpoints: ['/me'] }, ...more },
  })
  const header = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

  it('asks for a name and a password where the template does not say so, and carries them in UTF-8', async () => {
    const { origin } = await openProvider({ routes: { '/me': takes('authorization', header('jürgen:pass:wörd')) } })
    const workshop = openWorkshop({ templates: { base: template(origin) } })
    await workshop.connect('base', { params: { username: 'jürgen', password: 'pass:wörd' } })
    expect((await workshop.request('base', { target: '/me' })).status).toBe(200)
    expect((await token(workshop.world, 'base')).value).toBe(header('jürgen:pass:wörd').slice(6))
    expect(workshop.told()).not.toMatch(/pass:w/)
  })

  it('takes a hidden password from its default, and leaves an empty one empty', async () => {
    const { origin } = await openProvider({ routes: { '/me': takes('authorization', header('k:X')) } })
    const credentials = {
      username: { type: 'string', title: 'Key' },
      password: { type: 'string', title: '', hidden: true, default_value: 'X' },
    }
    const workshop = openWorkshop({ templates: { base: { ...template(origin), credentials } } })
    await workshop.connect('base', { params: { username: 'k' } })
    const plain = await openProvider({ routes: { '/me': takes('authorization', header('k:')) } })
    const other = openWorkshop({ templates: { base: template(plain.origin) } })
    await other.connect('base', { params: { username: 'k', password: '' } })
  })

  it('leaves the Authorization header to a template that spells it out', async () => {
    const { origin } = await openProvider({ routes: { '/me': takes('authorization', header('me/token:t0ken')) } })
    const headers = { authorization: 'Basic ${base64(${credentials.username}/token:${credentials.password})}' }
    const workshop = openWorkshop({ templates: { base: template(origin, { headers }) } })
    await workshop.connect('base', { params: { username: 'me', password: 't0ken' } })
    expect(workshop.told()).not.toContain('t0ken')
  })
})

describe('NONE', () => {
  it('keeps answers and base URL, and calls go out as they are', async () => {
    const { origin, hits } = await openProvider({ routes: { '/open': () => ({ body: 'hello' }) } })
    const workshop = openWorkshop({
      templates: {
        open: { display_name: 'Open', docs: 'https://o.example', auth_mode: 'NONE', proxy: { base_url: origin } },
      },
    })
    const { connection } = await workshop.connect('open')
    expect(connection.credential).toEqual({ type: 'NONE', obtainedAt: expect.any(String) })
    expect((await workshop.request('open', { target: '/open' })).status).toBe(200)
    expect(hits[0]?.headers.authorization).toBeUndefined()
    expect(await failure(token(workshop.world, 'open'))).toMatchObject({ code: 'NO_TOKEN', exitCode: 2 })
  })
})
