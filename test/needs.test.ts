import { describe, expect, it, test } from 'vitest'

import type { Provider, Template } from '../src/model/provider.ts'
import { assertPossible, gapsOf, needsOf } from '../src/needs.ts'

const plain: Template = {
  auth_mode: 'OAUTH2',
  docs: 'https://docs.example',
  authorization_url: 'https://x.example/a',
  token_url: 'https://x.example/t',
}
const provider = (names: string[], more: Partial<Template> = {}, kind: Provider['source']['kind'] = 'added') => ({
  name: names[0] ?? '',
  names,
  title: 'Idp',
  template: { ...plain, ...more },
  source: { kind, file: 'x.yaml', hash: '' },
  hides: [],
  warnings: [],
})

describe('what a template needs', () => {
  it('is nothing, most of the time', () => {
    expect(needsOf(plain, 'idp')).toEqual([])
  })

  test.each<[Partial<Template>, string]>([
    [{ auth_mode: 'TABLEAU' }, 'It authorizes by TABLEAU, which cannot be done yet'],
    [
      { installation: 'outbound' },
      'Its code comes to a public webhook of yours, after an installation that begins at the provider',
    ],
    [{ token_params: { grant_type: 'password' } }, 'Its code is exchanged by the grant password'],
    [{ token_url: { APP: 'https://x.example' } as never }, 'It has a token endpoint for each of several ways'],
  ])('and stops it: %j', (more, says) => {
    expect(gapsOf({ ...plain, ...more }, 'idp')).toMatchObject([{ says, weight: 'stops' }])
    const how = more.installation === undefined ? 'yet' : 'from here'
    expect(() => assertPossible(provider(['idp'], more))).toThrow(`Idp cannot be connected ${how}. ${says}.`)
  })

  it('after connecting is told, or shown', () => {
    const more: Partial<Template> = {
      post_connection_script: 'jiraPostConnection',
      pre_connection_deletion_script: 'x',
      connection_configuration: ['cloudId'],
      connection_config: { accountId: { automated: true }, realm: { automated: true } },
      redirect_uri_metadata: ['realm'],
      require_client_certificate: true,
    }
    expect(gapsOf({ ...plain, ...more }, 'idp').map(({ weight }) => weight)).toEqual(['tells', 'shows', 'shows'])
    expect(assertPossible(provider(['idp'], more))).toEqual(['Not looked up after connecting: cloudId, accountId'])
  })

  it('is told with what to do instead where its code comes to a webhook', () => {
    const sentry = provider(['sentry-oauth'], { installation: 'outbound', authorization_url: undefined })
    expect(() => assertPossible(sentry)).toThrow(
      /cannot be connected from here\. Its code comes to a public webhook of yours/,
    )
    expect(() => assertPossible(sentry)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', hint: expect.stringContaining('internal integration') }),
    )
  })

  it('is no look-up and no revocation that is known', () => {
    const more = {
      post_connection_script: 'x',
      pre_connection_deletion_script: 'y',
      connection_configuration: ['portalId'],
    }
    expect(needsOf({ ...plain, ...more }, 'hubspot')).toEqual([])
    expect(needsOf({ ...plain, ...more }, ['mine', 'hubspot'])).toEqual([])
    expect(needsOf({ ...plain, ...more }, 'idp')).toHaveLength(2)
  })
})
