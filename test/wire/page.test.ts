import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  Cancelled,
  MachineError,
  ProviderError,
  TemplateError,
  TransportError,
  UsageError,
} from '../../src/model/errors.ts'
import { bugPage, failurePage, type Page, renderPage } from '../../src/wire/page.ts'

const attempt = { provider: 'Zendesk', connection: 'zendesk', flow: '7k2m9q' }
const denial = new ProviderError('ACCESS_DENIED', 'Zendesk refused: access_denied', {
  words: 'You said no',
  hint: 'auth-cli connect zendesk --subdomain acme',
})
const pages: readonly (readonly [string, Page])[] = [
  ['success', { kind: 'success', attempt }],
  ['failure', failurePage(denial, attempt)],
  ['bug', bugPage(attempt)],
  ['stopped', { kind: 'stopped' }],
  ['waiting', { kind: 'waiting' }],
  ['stray', { kind: 'stray', reason: 'state mismatch', isOver: false }],
  ['already answered', { kind: 'stray', reason: 'already answered', isOver: true }],
  ['fragment', { kind: 'fragment' }],
]

function policyOf(page: Page): string {
  return new Map(renderPage(page).headers).get('Content-Security-Policy') ?? ''
}

function inline(body: string, tag: 'style' | 'script'): string | undefined {
  const start = body.indexOf(`<${tag}>`)
  return start < 0 ? undefined : body.slice(start + tag.length + 2, body.indexOf(`</${tag}>`))
}

describe.each(pages)('the %s page', (kind, page) => {
  it('fetches nothing, leaves no trace and cannot be framed', () => {
    expect(Object.fromEntries(renderPage(page).headers)).toMatchObject({
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    })
    expect(policyOf(page)).toContain("default-src 'none'; ")
    expect(policyOf(page)).toContain("frame-ancestors 'none'")
    expect(policyOf(page)).toContain("base-uri 'none'")
    expect(policyOf(page)).toContain(kind === 'fragment' ? "form-action 'self'" : "form-action 'none'")
    expect(renderPage(page).body).not.toMatch(/\b(src|href|style|on\w+)=|https?:|url\(|@import/)
  })

  it('allows exactly the inline style and script that it sends', () => {
    const { body } = renderPage(page)
    for (const tag of ['style', 'script'] as const) {
      const text = inline(body, tag)
      const hash = text === undefined ? undefined : createHash('sha256').update(text).digest('base64')
      const allowed = new RegExp(`${tag}-src 'sha256-([^']+)'`).exec(policyOf(page))?.[1]
      expect(allowed).toBe(hash)
    }
    expect(inline(body, 'script') === undefined).toBe(kind !== 'fragment')
  })

  it('is a document that a reader and a phone make sense of', () => {
    const { body } = renderPage(page)
    expect(body).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(body).toContain('name="viewport"')
    expect(body.match(/<main/g)).toHaveLength(1)
    expect(body).toMatch(/<h1>[\s\S]+<\/h1>/)
    expect(body).toMatch(/<title>[^<]+<\/title>/)
  })
})

describe('what a page says', () => {
  it('is, on success, who is connected as what, and that one may close the tab', () => {
    const { status, body } = renderPage({ kind: 'success', attempt })
    expect(status).toBe(200)
    expect(body).toContain('<h1>Connected to <b>Zendesk</b> as <b>zendesk</b></h1>')
    expect(body).toContain('You can close this tab and go back to your terminal.')
    expect(body).toContain('<dd>7k2m9q</dd>')
  })

  it('is, on failure, what happened, the words of the provider as theirs, and what to try', () => {
    const { status, body } = renderPage(failurePage(denial, attempt))
    expect(status).toBe(400)
    expect(body).toContain('<h1>Not connected to <b>Zendesk</b></h1>')
    expect(body).toContain('Zendesk refused: access_denied')
    expect(body).toMatch(/In the words of Zendesk<\/figcaption>\n<blockquote dir="auto">You said no</)
    expect(body).toMatch(/<h2>Try<\/h2>\n<p class="remedy">auth-cli connect zendesk <span>--subdomain<\/span> acme</)
    expect(body).toContain('You can close this tab and go back to your terminal.')
  })

  it('is, on a stray hit, that the wait goes on, but only while it does', () => {
    const said = (isOver: boolean) => renderPage({ kind: 'stray', reason: 'other path', isOver })
    expect(said(false)).toMatchObject({ status: 404, body: expect.stringContaining('auth-cli is still waiting') })
    expect(said(true)).toMatchObject({ status: 404, body: expect.not.stringContaining('waiting') })
  })

  it('leaves out what it does not have', () => {
    const { body } = renderPage(bugPage(attempt))
    expect(body).not.toContain('<blockquote')
    expect(body).not.toContain('<h2>Try')
  })

  it.each([
    [new UsageError('X', 'm'), /in your terminal/],
    [new TemplateError('X', 'm'), /template that describes Zendesk/],
    [new ProviderError('INVALID_CLIENT', 'm'), /at Zendesk, or in your app/],
    [denial, /Access was refused at Zendesk/],
    [new TransportError('TIMEOUT', 'm'), /between this machine and Zendesk/],
    [new MachineError('DISK_FULL', 'm'), /This machine/],
    [new Cancelled(), /You stopped it/],
  ])('tells who must act on %s', (error, who) => {
    expect(renderPage(failurePage(error, attempt)).body).toMatch(who)
  })

  it('never runs, colours or reorders with text from outside', () => {
    const hostile =
      '<script>alert(1)</script>"\'`&\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b1mbold\u202egnp.exe\u2066\u0000\x07end'
    const failure = failurePage(new ProviderError('X', hostile, { words: hostile, hint: hostile }), {
      provider: hostile,
      connection: hostile,
      flow: hostile,
    })
    for (const page of [
      failure,
      { kind: 'success', attempt: { provider: hostile, connection: hostile, flow: hostile } },
    ] as const) {
      const { body } = renderPage(page)
      expect(body).toContain('&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#96;&#38;redboldgnp.exeend')
      expect(body).not.toContain('<script')
      expect(body).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/)
    }
  })

  it('cuts overlong text without tearing a character', () => {
    const { body } = renderPage(failurePage(new ProviderError('X', `${'a'.repeat(1999)}😀tail`), attempt))
    expect(body).toContain(`${'a'.repeat(1999)}…<`)
    expect(body).not.toContain('tail')
  })

  it('keeps the line breaks and the letters of any script', () => {
    const words = 'línea 1\r\nסיסמה\n\n\n\nمی‌خواهم 👩‍💻'
    expect(renderPage(failurePage(new ProviderError('X', 'm', { words }), attempt)).body).toContain(
      'línea 1\nסיסמה\n\nمی‌خواهم 👩‍💻<',
    )
  })

  it('masks secrets that escape sequences or the cut would have hidden', () => {
    const scrub = (text: string) => text.replaceAll('s3cret-value', '…(9f2c)')
    const words = `s3cret\x1b[31m-value ${'a'.repeat(1980)}s3cret-value`
    const { body } = renderPage(failurePage(new ProviderError('X', 'm', { words }), attempt), scrub)
    expect(body).toContain('…(9f2c) aaa')
    expect(body).not.toContain('s3cret')
  })
})
