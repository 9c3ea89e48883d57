import { describe, expect, it } from 'vitest'
import { token } from '../../src/token.ts'
import { openProvider, type Script } from '../support/provider.ts'
import { twinTemplate } from '../support/twin-template.ts'
import { openWorkshop, wanderer } from '../support/world.ts'

const client = { clientId: 'the-client', clientSecret: 'client-secret-long-enough', port: 0 }

/** An instance whose tokens do not say when they end; `says` is what it answers to a question about one. */
async function opened(says: (asked: URLSearchParams) => ReturnType<Script>, name = 'salesforce') {
  let issued = 0
  let introspections = 0
  const provider = await openProvider({
    routes: {
      '/services/oauth2/authorize': ({ query }) => {
        const back = new URL(query.get('redirect_uri') ?? '')
        back.search = String(new URLSearchParams({ code: 'x', state: query.get('state') ?? '' }))
        return { status: 302, headers: { location: back.href } }
      },
      '/services/oauth2/token': () => {
        issued += 1
        return {
          body: {
            access_token: `access-token-number-${issued}`,
            refresh_token: 'refresh-token-long-enough',
            token_type: 'Bearer',
            instance_url: provider.origin,
          },
        }
      },
      '/services/oauth2/introspect': ({ form }) => {
        introspections += 1
        return says(form)
      },
    },
  })
  const workshop = openWorkshop({
    templates: { [name]: twinTemplate('salesforce', provider.origin) },
    browse: wanderer,
  })
  await workshop.connect(name, client)
  return { workshop, provider, counted: () => ({ issued, introspections }) }
}

const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600

describe('a token that does not say when it ends is asked for', () => {
  it('and is used while the provider says that it is alive', async () => {
    const { workshop, counted } = await opened((form) =>
      form.get('token') === 'access-token-number-1' && form.get('client_secret') === client.clientSecret
        ? { body: { active: true, exp: inAnHour() } }
        : { status: 400 },
    )
    expect((await token(workshop.world, 'salesforce')).value).toBe('access-token-number-1')
    expect(counted()).toEqual({ issued: 1, introspections: 1 })
    expect(workshop.told()).not.toMatch(/access-token-number|client-secret-long/)
    expect(workshop.told()).toContain('introspection')
  })

  it.each<[string, ReturnType<Script>]>([
    ['it is not active', { body: { active: false } }],
    ['no end is said', { body: { active: true } }],
    ['it is about to end', { body: { active: true, exp: Math.floor(Date.now() / 1000) + 600 } }],
    ['the question is refused', { status: 403, body: { error: 'unsupported' } }],
  ])('and is renewed where %s', async (_, answer) => {
    const { workshop, counted } = await opened(() => answer)
    expect((await token(workshop.world, 'salesforce')).value).toBe('access-token-number-2')
    expect(counted()).toEqual({ issued: 2, introspections: 1 })
  })

  it('but nobody else is asked', async () => {
    const { workshop, counted } = await opened(() => ({ body: { active: false } }), 'acme-crm')
    expect((await token(workshop.world, 'acme-crm')).value).toBe('access-token-number-1')
    expect(counted()).toEqual({ issued: 1, introspections: 0 })
  })
})
