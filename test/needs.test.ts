import { describe, expect, it, test } from 'vitest'
import { dialectOf } from '../src/dialects/index.ts'
import { wantedAccents } from '../src/dialects/wanted.ts'
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
    [{ installation: 'outbound' }, 'Its code comes to a public webhook instead of the browser'],
    [{ token_params: { grant_type: 'password' } }, 'Its code is exchanged by the grant password'],
    [{ token_url: { APP: 'https://x.example' } as never }, 'It has a token endpoint for each of several ways'],
  ])('and stops it: %j', (more, says) => {
    expect(gapsOf({ ...plain, ...more }, 'idp')).toEqual([{ says, weight: 'stops' }])
    expect(() => assertPossible(provider(['idp'], more))).toThrow(`Idp cannot be connected yet. ${says}.`)
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

  it('and is known by its name, or by the name that it is an alias of', () => {
    const says = 'One habit of its own is not understood yet: its token request is signed'
    expect(needsOf(plain, 'shopline-oauth')).toEqual([says])
    expect(needsOf(plain, ['mine', 'shopline-oauth'])).toEqual([says])
    expect(() => assertPossible(provider(['mine', 'shopline-oauth']))).toThrow('cannot be connected yet')
    expect(assertPossible(provider(['one-drive']))).toEqual([
      'One habit of its own is not understood yet: a second token for its other API is not fetched',
    ])
  })

  it('is not guessed from the name of somebody’s own template', () => {
    expect(assertPossible(provider(['walmart'], {}, 'project'))).toEqual([])
    expect(() => assertPossible(provider(['walmart', 'tiktok-ads'], {}, 'person'))).toThrow('cannot be connected yet')
  })

  it('is no accent that is understood', () => {
    expect(Object.keys(wantedAccents).filter((name) => Object.keys(dialectOf([name])).length > 0)).toEqual([])
  })
})
