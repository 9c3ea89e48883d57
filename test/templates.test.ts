import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { asksOf } from '../src/asks.ts'
import { findProvider } from '../src/catalog/find.ts'
import type { Question } from '../src/catalog/questions.ts'
import { listProviders, sourceAt } from '../src/catalog/sources.ts'
import { contextOf } from '../src/fill/flaw.ts'
import { fillUrl } from '../src/fill/url.ts'
import type { Template } from '../src/model/provider.ts'
import { type Fields, readCatalogue } from './support/catalogue.ts'
import { differences } from './support/differences.ts'

const folder = fileURLToPath(new URL('../templates', import.meta.url))
const sources = [sourceAt('built-in', folder)]
const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''))
const endpoints = ['authorization_url', 'token_url', 'refresh_url', 'request_url', 'registration_url'] as const
const pages = ['docs', 'register_url', 'issuer', 'revocation_url', 'introspection_url', 'userinfo_url'] as const
const theirs = readCatalogue()

/** An answer as somebody might give it, or as the provider might bring it. */
function answerTo({ prompt, key, isAsked }: Question): string {
  if (key === 'port') return '8750'
  const known = prompt.example ?? (prompt.default_value || prompt.enum?.[0])
  return (
    known ?? (isAsked || !/url|domain$/.test(key) ? key.toLowerCase() : `https://${key.replaceAll('_', '-')}.example`)
  )
}

/** The URLs as they will be with the examples as answers. */
function filled(name: string, template: Template): Record<string, string> {
  const answers = Object.fromEntries(asksOf(template).map((question) => [question.name, answerTo(question)]))
  const brought = [...(template.redirect_uri_metadata ?? []), ...(template.token_response_metadata ?? [])]
  const later = Object.fromEntries(
    brought.map((key) => [key, `${key === 'host' ? '' : 'https://'}${key.replaceAll('_', '-')}.example`]),
  )
  const params = { ...later, ...answers }
  const scope = { ...params, connectionConfig: params, credentials: answers }
  const texts: [string, unknown][] = [
    ...[...endpoints, ...pages].map((field): [string, unknown] => [field, template[field]]),
    ['proxy.base_url', template.proxy?.base_url],
    ['proxy.verification.base_url_override', template.proxy?.verification?.base_url_override],
  ]
  return Object.fromEntries(
    texts.flatMap(([field, text]) =>
      typeof text === 'string' ? [[field, fillUrl(field, text, scope, contextOf(name, template))]] : [],
    ),
  )
}

/** Every text of a template's questions, under the field that holds it. */
function wording(fields: Fields): [place: string, text: string][] {
  const sections = ['connection_config', 'credentials', 'integration_config', 'assertion_option']
  return sections.flatMap((section) =>
    Object.entries((fields[section] ?? {}) as Record<string, Record<string, unknown>>).flatMap(([key, prompt]) =>
      ['description', 'example', 'placeholder'].flatMap((field): [string, string][] => {
        const text = prompt[field]
        return typeof text === 'string' && text !== '' ? [[`${section}.${key}.${field}`, text]] : []
      }),
    ),
  )
}

/** What both catalogues say of an endpoint, spelled alike. */
function said(fields: Fields, field: string): unknown {
  const value = field.startsWith('proxy.') ? (fields['proxy'] as Fields | undefined)?.[field.slice(6)] : fields[field]
  return typeof value === 'string' ? value.trim() : value
}

describe('the templates that come along', () => {
  it('are two hundred at least, aliases on top, in every mode and most with something of their own', async () => {
    const all = await Promise.all(names.map((name) => findProvider(name, sources)))
    const standalone = all.filter(({ names: [, target] }) => target === undefined)
    expect(standalone.length).toBeGreaterThanOrEqual(200)
    expect(all.length - standalone.length).toBeGreaterThanOrEqual(40)
    const modes = new Set(all.map(({ template }) => template.auth_mode))
    const known = new Set([...theirs.values()].map((fields) => fields['auth_mode']))
    expect([...known].filter((mode) => !modes.has(String(mode)))).toEqual([])
    const special = standalone.filter(
      ({ template }) =>
        template.proxy?.verification !== undefined ||
        asksOf(template).some(({ section }) => section === 'connection_config'),
    )
    expect(special.length).toBeGreaterThanOrEqual(60)
  })

  test.each(names)('%s has neither problems nor warnings', async (name) => {
    const provider = await findProvider(name, sources)
    expect(provider.warnings).toEqual([])
    expect(provider.template.docs).toMatch(/^https:\/\//)
    expect(asksOf(provider.template).filter(({ isParam, isAsked }) => isAsked && isParam)).toEqual([])
  })

  test.each(names.filter((name) => name !== 'sandbox'))('%s has https endpoints and pages', async (name) => {
    const { template } = await findProvider(name, sources)
    for (const [field, url] of Object.entries(filled(name, template))) expect(url, field).toMatch(/^https:\/\/[^$]+$/)
  })

  test.each(names)('%s answers its own examples', async (name) => {
    const { template } = await findProvider(name, sources)
    for (const { accept, prompt, key } of asksOf(template))
      if (prompt.example !== undefined) expect(accept(prompt.example), key).toEqual({ value: prompt.example })
  })

  test.each(names)('%s leads nowhere but to its provider, whatever is answered', async (name) => {
    const { template } = await findProvider(name, sources)
    const urls = JSON.stringify([
      ...endpoints.map((field) => template[field]),
      ...pages.map((field) => template[field]),
      template.proxy?.base_url,
    ])
    for (const { section, name: key, accept } of asksOf(template)) {
      // An answer that a host ends with decides whose host it is; one that is the whole host is the person's own.
      const isEnd =
        urls.includes(`\${connectionConfig.${key}}`) &&
        new RegExp(`https?://[^/"\\s]*[\\w.-]\\$\\{connectionConfig\\.${key}\\}(?=[/":\\s])`).test(urls)
      if (section !== 'connection_config' || !isEnd) continue
      for (const foreign of ['evil.com', 'com.evil.com', 'evil'])
        expect(accept(foreign), key).not.toHaveProperty('value')
    }
  })

  it('say everything in words of their own', async () => {
    const taken = new Map([...theirs].map(([name, fields]) => [name, new Set(wording(fields).map(([, text]) => text))]))
    const sentences = new Set(
      [...theirs.values()]
        .flatMap((fields) => wording(fields).map(([, text]) => text))
        .filter((text) => text.includes(' ')),
    )
    const same: string[] = []
    for (const name of names) {
      const { template } = await findProvider(name, sources)
      for (const [place, text] of wording(template))
        if (sentences.has(text) || taken.get(name)?.has(text) === true) same.push(`${name}.${place}: ${text}`)
      if (template.docs !== undefined && template.docs === theirs.get(name)?.['docs']) same.push(`${name}.docs`)
    }
    expect(same).toEqual([])
  })

  it('agree with another catalogue on modes and endpoints, but for what is listed with its reason', async () => {
    const fields = ['auth_mode', 'authorization_url', 'token_url', 'refresh_url', 'request_url', 'proxy.base_url']
    const other: string[] = []
    const unneeded = new Set(differences.map(({ name, field }) => `${name}.${field}`))
    for (const name of names) {
      const known = theirs.get(name)
      if (known === undefined) continue
      const { template } = await findProvider(name, sources)
      for (const field of fields) {
        const [ours, others] = [said(template, field), said(known, field)]
        const place = `${name}.${field}`
        if (JSON.stringify(ours) !== JSON.stringify(others) && !unneeded.delete(place))
          other.push(`${place}: ${ours} ≠ ${others}`)
      }
    }
    expect(other).toEqual([])
    expect([...unneeded]).toEqual([])
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
    expect(asksOf(template)[0]?.accept('https://acme.zendesk.com')).toMatchObject({ value: 'acme' })
  })

  it('know the sandbox on this machine', async () => {
    const { template } = await findProvider('sandbox', sources)
    expect(filled('sandbox', template)).toMatchObject({
      authorization_url: 'http://localhost:8750/authorize',
      token_url: 'http://localhost:8750/token',
      issuer: 'http://localhost:8750',
      'proxy.base_url': 'http://localhost:8750',
    })
  })
})
