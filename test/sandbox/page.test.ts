import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { authorizeUrl, exchange, openCallback, openForTest } from './client.ts'

const browser = '/usr/bin/chromium'
const missing = !existsSync(browser) && !process.env['CI']
if (missing) console.warn(`test/sandbox/page.test.ts: skipped, there is no ${browser}.`)

async function openPage() {
  const opened = await chromium.launch({ executablePath: browser, args: ['--no-sandbox', '--disable-gpu'] })
  onTestFinished(() => opened.close())
  const page = await opened.newPage({ viewport: { width: 390, height: 800 } })
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  return { page, complaints }
}

test.skipIf(missing)('a person unticks a scope and presses Approve, on a phone, without a complaint', async () => {
  const sandbox = await openForTest()
  const { redirectUri, visits } = await openCallback()
  const { page, complaints } = await openPage()
  await page.goto(authorizeUrl(sandbox, { redirect_uri: redirectUri, scope: 'read write' }))
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
  await page.getByLabel('Add and change items').uncheck()
  await page.getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByText('Thank you').waitFor()
  expect(complaints).toEqual([])
  const code = visits.find((url) => url.pathname === '/callback')?.searchParams.get('code') ?? ''
  expect((await exchange(sandbox, { code, redirect_uri: redirectUri })).json.scope).toBe('read')
})

test.skipIf(missing)('the keyboard alone reaches the mischief', async () => {
  const sandbox = await openForTest()
  const { redirectUri, visits } = await openCallback()
  const { page, complaints } = await openPage()
  await page.goto(authorizeUrl(sandbox, { redirect_uri: redirectUri }))
  const focused = () => page.evaluate('document.activeElement.textContent.trim()')
  const passed: unknown[] = []
  for (let i = 0; i < 4; i += 1) {
    await page.keyboard.press('Tab')
    passed.push(await focused())
  }
  expect(passed).toEqual(['', 'Approve', 'Deny', 'Approve, but…'])
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  expect(await focused()).toMatch(/^wrong-state/)
  await page.keyboard.press('Enter')
  await page.getByText('Thank you').waitFor()
  expect(visits[0]?.searchParams.get('state')).toBe('not-the-state-you-sent')
  expect(complaints).toEqual([])
})
