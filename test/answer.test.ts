import { describe, expect, it } from 'vitest'
import { holdToRules, openNeeds, type Said, withTyped } from '../src/answer.ts'
import { everyQuestion } from '../src/catalog/questions.ts'
import type { Prompt, Template } from '../src/model/provider.ts'
import type { Need } from '../src/model/world.ts'

const template = (connection_config: Record<string, Prompt>, more: Partial<Template> = {}): Template => ({
  auth_mode: 'OAUTH2',
  connection_config,
  ...more,
})
const said = (answers: Record<string, string>, from: Said['from'] = 'flag'): Map<string, Said> =>
  new Map(Object.entries(answers).map(([key, text]) => [key, { text, from }]))
const open = (of: Template, params: Record<string, string> = {}, others: Need[] = []) =>
  openNeeds(of, everyQuestion(of), params, others, (key) => `X_${key.toUpperCase()}`)

describe('what was said', () => {
  const shop = template({
    mode: { enum: ['cloud', 'own'], default_value: 'cloud' },
    host: { format: 'hostname', visible_when: { field: 'mode', equals: 'own' } },
    realm: { automated: true, pattern: '^[0-9]+$' },
    fixed: { hidden: true, default_value: 'not a number', pattern: '^[0-9]+$' },
  })
  const every = everyQuestion(shop)

  it('is held to the rules, whoever said it', () => {
    for (const from of ['flag', 'environment', 'project file', 'saved integration', 'saved connection'] as const) {
      expect(() => holdToRules(every, said({ mode: 'moon' }, from))).toThrow('--mode must be one of cloud, own')
      expect(() => holdToRules(every, said({ realm: 'x' }, from))).toThrow('--param realm must match')
    }
    expect(() => holdToRules(every, said({ mode: 'moon' }, 'environment'))).toThrow('It comes from the environment.')
  })

  it('is left out, unjudged, where its question is not there', () => {
    expect(holdToRules(every, said({ host: 'not a host' }))).toEqual({
      params: {},
      answeredBy: {},
      notes: ['--host does not apply to the other answers and is left out.'],
    })
    expect(holdToRules(every, said({ host: 'x y' }, 'saved connection')).notes).toEqual([])
    expect(holdToRules(every, said({ host: 'a.example', mode: 'own' })).params).toEqual({
      host: 'a.example',
      mode: 'own',
    })
  })

  it('is told where it was reduced', () => {
    expect(holdToRules(every, said({ mode: 'own', host: 'https://a.example/x' }))).toMatchObject({
      params: { host: 'a.example' },
      notes: ['Took "a.example" from "https://a.example/x".'],
    })
  })

  it('by the template itself is beyond its own rules', () => {
    expect(holdToRules(every, said({ fixed: 'not a number' }, 'template')).params).toEqual({ fixed: 'not a number' })
  })

  it('to no question at all stays as it is', () => {
    expect(holdToRules(every, said({ 'team.id': 'T1' })).params).toEqual({ 'team.id': 'T1' })
  })
})

describe('what is still to be asked', () => {
  const shop = template({
    region: { optional: true },
    subdomain: {},
    plan: { default_value: 'free' },
    seats: { visible_when: { field: 'plan', equals: 'paid' } },
  })
  const keys = (needs: readonly Need[]): string[] => needs.map(({ key }) => key)
  const client: Need = { key: 'client-id', flag: '--client-id', label: '', prompt: {}, accept: (value) => ({ value }) }

  it('is all that has no answer, once one of them must have one', () => {
    expect(keys(open(shop))).toEqual(['region', 'subdomain', 'plan', 'seats'])
    expect(keys(open(shop, { subdomain: 'acme' }, [client]))).toEqual(['region', 'plan', 'seats', 'client-id'])
  })

  it('is nothing where nothing must', () => {
    expect(keys(open(shop, { subdomain: 'acme' }))).toEqual([])
    expect(keys(open(shop, { subdomain: 'acme', plan: 'paid' }))).toEqual(['region', 'seats'])
  })

  it('depends on what was typed before', () => {
    const seats = open(shop).find(({ key }) => key === 'seats')
    expect([seats?.appliesTo?.({}), seats?.appliesTo?.({ plan: 'paid' })]).toEqual([false, true])
  })

  it('has a variable of the environment', () => {
    expect(open(shop)[1]).toMatchObject({ flag: '--subdomain', environment: 'X_SUBDOMAIN' })
  })

  it('is what is automated too, where the browser cannot go anywhere without', () => {
    const paycor = template(
      { key: { automated: true, title: 'Key', pattern: '^k' }, server: { automated: true }, api: { automated: true } },
      {
        authorization_url: 'https://x.example/a',
        authorization_params: { key: '${connectionConfig.key}' },
        token_url: 'https://${connectionConfig.server}/t?key=${connectionConfig.key}',
        redirect_uri_metadata: ['server'],
        proxy: { base_url: '${connectionConfig.api}' },
      },
    )
    const [need, ...more] = open(paycor)
    expect([need?.flag, keys(more)]).toEqual(['--param key=<value>', []])
    expect(need?.accept('')).toMatchObject({ problem: expect.stringContaining('needs a value') })
    expect(need?.accept('x')).toMatchObject({ problem: expect.stringContaining('must match') })
    expect(open(paycor, { key: 'k1' })).toEqual([])
  })

  it('is not what an alternative goes without', () => {
    const urls = { authorization_url: 'https://${connectionConfig.host}/a || https://x.example/a' }
    expect(open(template({ host: { automated: true } }, urls))).toEqual([])
  })
})

describe('what was typed', () => {
  const shop = template({
    plan: { default_value: 'free' },
    seats: { default_value: '1', visible_when: { field: 'plan', equals: 'paid' } },
    note: { optional: true },
  })
  const every = everyQuestion(shop)
  const nothing = { params: {}, answeredBy: {}, notes: [] }

  it('joins what was said, and defaults the rest', () => {
    expect(withTyped(nothing, every, { plan: 'paid' })).toEqual({
      params: { plan: 'paid', seats: '1' },
      answeredBy: { plan: 'prompt', seats: 'template' },
      notes: [],
    })
    expect(withTyped(nothing, every, {}).params).toEqual({ plan: 'free' })
  })
})
