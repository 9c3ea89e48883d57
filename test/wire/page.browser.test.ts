import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page as Tab } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ProviderError } from '../../src/model/errors.ts'
import { makeCertificate } from '../../src/node/certificate.ts'
import { judge } from '../../src/wire/callback.ts'
import { type Loopback, openLoopback, type StrayHit } from '../../src/wire/loopback.ts'
import { failurePage } from '../../src/wire/page.ts'

const executablePath = '/usr/bin/chromium'
const isSkipped = !existsSync(executablePath) && !process.env['CI']
if (isSkipped) console.warn(`The pages are not tried in a real browser: there is no ${executablePath}.`)

const state = 'S-3f9a0b7c51d24e86'
const code = 'SplxlOBeZQQYbYS6WxSbIA'
const path = '/oauth/callback'
const attempt = { provider: 'Zendesk', connection: 'zendesk', flow: '7k2m9q' }

describe.skipIf(isSkipped)('in a real browser', () => {
  let browser: Browser
  let loopback: Loopback
  const strays: StrayHit[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    })
  })
  afterAll(() => browser?.close())
  afterEach(() => loopback?.close())

  async function open(certificate?: { readonly cert: string; readonly key: string }): Promise<Tab> {
    strays.length = 0
    complaints.length = 0
    loopback = await openLoopback(
      { port: 0, addresses: ['127.0.0.1', '::1'], paths: [path] },
      {
        judge: (params) => judge(params, { state }),
        onStray: (hit) => strays.push(hit),
        signal: new AbortController().signal,
        certificate,
      },
    )
    const tab = await browser.newPage()
    // Chromium also writes the status of an honest 4xx page to the console; only what the page itself does is of interest.
    tab.on('console', (message) => {
      if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text())
    })
    tab.on('pageerror', (error) => complaints.push(String(error)))
    tab.on('dialog', (dialog) => {
      complaints.push(dialog.message())
      void dialog.dismiss()
    })
    return tab
  }

  function address(rest: string): string {
    return `http://localhost:${loopback.port}${path}${rest}`
  }

  it('the success page stands, styled, without a complaint', async () => {
    const tab = await open()
    const arrival = tab.goto(address(`?code=${code}&state=${state}`))
    await loopback.visit
    await loopback.answer({ kind: 'success', attempt })
    expect((await arrival)?.status()).toBe(200)
    expect(await tab.getByRole('heading', { level: 1 }).textContent()).toBe('Connected to Zendesk as zendesk')
    expect(await tab.evaluate("getComputedStyle(document.querySelector('main')).borderRadius")).toBe('16px')
    expect(complaints).toEqual([])
  })

  it('is answered over https on both families, once it has been told to go on past its warning', async () => {
    const pair = makeCertificate({ names: ['localhost', '::1'], from: new Date(Date.now() - 60_000), days: 2 })
    const tab = await open(pair)
    const secure = (host: string) => `https://${host}:${loopback.port}${path}?code=${code}&state=${state}`
    await expect(tab.goto(secure('localhost'))).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/)
    await expect.poll(() => strays).toMatchObject([{ reason: 'body unusable', detail: expect.stringMatching(/trust/) }])
    const trusting = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--ignore-certificate-errors'],
    })
    try {
      const past = await trusting.newPage()
      const arrival = past.goto(secure('localhost'))
      expect((await loopback.visit).verdict).toEqual({ kind: 'code', code })
      await loopback.answer({ kind: 'success', attempt })
      expect((await arrival)?.status()).toBe(200)
      await past.getByText('Connected to').waitFor()
      const late = await past.goto(secure('[::1]'))
      expect(await late?.text()).toMatch(/already/i)
    } finally {
      await trusting.close()
    }
  })

  it('the failure page quotes a hostile provider without obeying it', async () => {
    const tab = await open()
    const words = '<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m'
    const arrival = tab.goto(
      address(`?error=access_denied&error_description=${encodeURIComponent(words)}&state=${state}`),
    )
    const { verdict } = await loopback.visit
    if (verdict.kind !== 'denial') throw new Error(`It is ${verdict.kind}.`)
    const denied = new ProviderError('ACCESS_DENIED', 'Zendesk refused: access_denied', { words: verdict.description })
    await loopback.answer(failurePage(denied, attempt))
    expect((await arrival)?.status()).toBe(400)
    expect(await tab.locator('blockquote').textContent()).toBe('<script>alert(1)</script><img src=x onerror=alert(2)>')
    expect(complaints).toEqual([])
  })

  it('an answer behind the # is passed on, and taken out of the address', async () => {
    const tab = await open()
    await tab.goto(address(`#code=${code}&state=${state}&note=a%20b%2Bc`), { waitUntil: 'commit' })
    const { via, verdict, params } = await loopback.visit
    expect([via, verdict, params.get('note')]).toEqual(['POST', { kind: 'code', code }, 'a b+c'])
    await loopback.answer({ kind: 'success', attempt })
    await tab.getByText('Connected to').waitFor()
    expect(tab.url()).toBe(address(''))
    expect(complaints).toEqual([])
  })

  it('an address without anything says so, and the real answer still succeeds in the same tab', async () => {
    const tab = await open()
    await tab.goto(address(''))
    expect(await tab.getByRole('heading', { level: 1 }).textContent()).toBe('This is not the answer we are waiting for')
    const arrival = tab.goto(address(`?code=${code}&state=${state}`))
    await loopback.visit
    await loopback.answer({ kind: 'success', attempt })
    expect((await arrival)?.status()).toBe(200)
    expect(strays.map((hit) => hit.reason)).toContain('no parameters')
    expect(complaints).toEqual([])
  })

  it('a form POST from the provider is taken', async () => {
    const tab = await open()
    await tab.setContent(`<form method="post" action="${address('')}">
      <input name="code" value="${code}"><input name="state" value="${state}"><button>Approve</button></form>`)
    const arrival = tab.getByRole('button').click({ noWaitAfter: true })
    expect((await loopback.visit).via).toBe('POST')
    await loopback.answer({ kind: 'success', attempt })
    await arrival
    await tab.getByText('Connected to').waitFor()
    expect(complaints).toEqual([])
  })
})
