import { describe, expect, it } from 'vitest'
import { openProvider, type Script } from '../support/provider.ts'
import { twinTemplate } from '../support/twin-template.ts'
import { failure, openWorkshop, wanderer } from '../support/world.ts'

const secret = 'plugin-key-long-enough'
const carried = `Basic ${Buffer.from(`plugin-id:${secret}`).toString('base64')}`

async function opened(answer: (payload: string) => Readonly<Record<string, string>>) {
  let port = 0
  const leaves: Script = ({ query }) => {
    const back = new URL(`http://localhost:${port}/oauth/callback`)
    back.search = String(new URLSearchParams(answer(query.get('payload') ?? '')))
    return { status: 302, headers: { location: back.href } }
  }
  const provider = await openProvider({
    routes: {
      '/initiate/plugin/abc/': leaves,
      '/v1/plugin/connect/account': ({ headers }) =>
        headers.authorization === carried && headers['x-crisp-tier'] === 'plugin'
          ? { body: { error: false } }
          : { status: 401, body: { reason: 'invalid_session' } },
    },
  })
  const workshop = openWorkshop({
    templates: { 'crisp-plugin-install': twinTemplate('crisp-plugin-install', provider.origin) },
    browse: wanderer,
  })
  port = 10_000 + Math.floor(Math.random() * 20_000)
  const params = { username: 'plugin-id', password: secret, appLink: `${provider.origin}/initiate/plugin/abc/` }
  return { provider, workshop, given: { params, port } }
}

describe('INSTALL_PLUGIN', () => {
  it('sends the person to install it with the state as payload, tries the key, and keeps where it was installed', async () => {
    const { workshop, given } = await opened((payload) => ({ payload, website_id: 'w-1', token: 'website-token-long' }))
    const { connection } = await workshop.connect('crisp-plugin-install', given)
    expect(connection).toMatchObject({
      params: { website_id: 'w-1' },
      credential: { type: 'INSTALL_PLUGIN', username: 'plugin-id', password: secret },
    })
    expect(workshop.story()).toContain('credential.verified')
    expect((await workshop.request('crisp-plugin-install', { target: '/v1/plugin/connect/account' })).status).toBe(200)
    expect(workshop.told()).not.toMatch(/plugin-key-long|website-token-long/)
    expect(workshop.told()).not.toContain(carried.slice(6))
  })

  it('saves nothing where the key is refused', async () => {
    const { workshop, given } = await opened((payload) => ({ payload, website_id: 'w-1' }))
    const params = { ...given.params, password: 'a-wrong-key-long-enough' }
    const error = await failure(workshop.connect('crisp-plugin-install', { ...given, params }))
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', words: 'invalid_session' })
    expect(await workshop.world.store.connections.read('crisp-plugin-install')).toBeUndefined()
  })

  it('says so where the callback does not tell where', async () => {
    const { workshop, given } = await opened((payload) => ({ payload }))
    expect(await failure(workshop.connect('crisp-plugin-install', given))).toMatchObject({ code: 'CALLBACK_UNUSABLE' })
  })

  it('refuses an installation link that is none', async () => {
    const { workshop, given } = await opened(() => ({}))
    const params = { ...given.params, appLink: 'javascript:alert(1)' }
    const error = await failure(workshop.connect('crisp-plugin-install', { ...given, params }))
    expect(error).toMatchObject({ code: 'BAD_FLAG', exitCode: 2 })
  })
})
