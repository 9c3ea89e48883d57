import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { findProvider, listProviders, sourceAt } from '../src/catalog/find.ts'
import { questions } from '../src/catalog/questions.ts'
import { contextOf } from '../src/fill/flaw.ts'
import { fillUrl } from '../src/fill/url.ts'
import type { Template } from '../src/model/provider.ts'

const folder = fileURLToPath(new URL('../templates', import.meta.url))
const sources = [sourceAt('built-in', folder)]
const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''))
const endpoints = ['authorization_url', 'token_url', 'refresh_url', 'issuer'] as const

/** The endpoints as they will be with the examples as answers. */
function filled(name: string, template: Template): Record<string, string> {
  const params = Object.fromEntries(questions(template).map(({ key, prompt }) => [key, prompt.example ?? '']))
  const scope = { connectionConfig: { port: '8750', ...params } }
  const texts: [string, string | undefined][] = [
    ...endpoints.map((field): [string, string | undefined] => [field, template[field]]),
    ['proxy.base_url', template.proxy?.base_url],
    ['register_url', template.register_url],
  ]
  return Object.fromEntries(
    texts.flatMap(([field, text]) =>
      text === undefined ? [] : [[field, fillUrl(field, text, scope, contextOf(name, template))]],
    ),
  )
}

describe('the templates that come along', () => {
  it('are these', () => {
    expect(names.sort()).toEqual(['github', 'gitlab', 'google', 'notion', 'sandbox', 'shopify', 'slack', 'zendesk'])
  })

  test.each(names)('%s has neither problems nor warnings', async (name) => {
    const provider = await findProvider(name, sources)
    expect(provider.warnings).toEqual([])
    expect(provider.template.docs).toMatch(/^https:\/\//)
    expect(questions(provider.template).filter(({ isParam }) => isParam)).toEqual([])
  })

  test.each(names.filter((name) => name !== 'sandbox'))('%s has https endpoints', async (name) => {
    const { template } = await findProvider(name, sources)
    for (const [field, url] of Object.entries(filled(name, template))) expect(url, field).toMatch(/^https:\/\/[^$]+$/)
  })

  test.each(names)('%s answers its own examples', async (name) => {
    const { template } = await findProvider(name, sources)
    for (const { accept, prompt } of questions(template))
      expect(accept(prompt.example ?? '')).toEqual({ value: prompt.example })
  })

  it('are listed as they are found', async () => {
    for (const { name, title, mode } of await listProviders(sources)) {
      const found = await findProvider(name, sources)
      expect([title, mode]).toEqual([found.title, found.template.auth_mode])
    }
  })

  it('know where acme is at Zendesk', async () => {
    const { template } = await findProvider('zendesk', sources)
    expect(filled('zendesk', template)).toMatchObject({
      authorization_url: 'https://acme.zendesk.com/oauth/authorizations/new',
      token_url: 'https://acme.zendesk.com/oauth/tokens',
      'proxy.base_url': 'https://acme.zendesk.com',
    })
    expect(questions(template)[0]?.accept('https://acme.zendesk.com')).toMatchObject({ value: 'acme' })
  })

  it('know the sandbox on this machine', async () => {
    const { template } = await findProvider('sandbox', sources)
    expect(filled('sandbox', template)).toEqual({
      authorization_url: 'http://localhost:8750/authorize',
      token_url: 'http://localhost:8750/token',
      issuer: 'http://localhost:8750',
      'proxy.base_url': 'http://localhost:8750',
    })
  })
})
