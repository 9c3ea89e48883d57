// A browser for tests, as curl would be one: follows redirects with cookies, fills in and submits the forms it meets
// (a sign-in, a consent), delivers the callback and ends. What it does besides is told by FollowerErrands in cli.ts.
import { appendFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'

const { FOLLOWER_LOG, FOLLOWER_SET, FOLLOWER_STRAYS, FOLLOWER_DELIVER = 'get', FOLLOWER_DENY } = process.env
const jar = new Map()

function visit(method, url, { headers = {}, body } = {}) {
  const { protocol, host } = new URL(url)
  const cookies = [...(jar.get(host) ?? new Map())].map(([name, value]) => `${name}=${value}`).join('; ')
  const sent = {
    accept: 'text/html,*/*',
    ...(cookies === '' ? {} : { cookie: cookies }),
    ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    ...headers,
  }
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? https : http).request(
      url,
      { method, headers: sent, agent: false },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        answer.on('error', reject).on('end', () => {
          keepCookies(host, answer.headers['set-cookie'] ?? [])
          const { location } = answer.headers
          const page = { method, url, status: answer.statusCode, location, body: text }
          if (FOLLOWER_LOG) appendFileSync(FOLLOWER_LOG, `${JSON.stringify(page)}\n`)
          resolve(page)
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function keepCookies(host, lines) {
  const kept = jar.get(host) ?? new Map()
  for (const line of lines) {
    const [, name, value] = /^([^=;]+)=([^;]*)/.exec(line) ?? []
    if (value === '') kept.delete(name)
    else if (name !== undefined) kept.set(name, value)
  }
  jar.set(host, kept)
}

/** The form of a page as it would be sent, every visible field filled. */
function formOf({ url, body }) {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(body)
  if (form === null) return undefined
  const attribute = (text, name) => new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(text)?.[1]?.replaceAll('&amp;', '&')
  const fields = [...form[2].matchAll(/<input\b([^>]*)>/gi)].flatMap(([, input]) => {
    const name = attribute(input, 'name')
    return name === undefined ? [] : [[name, attribute(input, 'value') || 'someone']]
  })
  const action = new URL(attribute(form[1], 'action') ?? '', url).href
  const method = (attribute(form[1], 'method') ?? 'get').toUpperCase()
  return { action, method, body: new URLSearchParams(fields).toString() }
}

const isCallback = (url) => {
  const { searchParams: query } = new URL(url)
  return query.has('state') && (query.has('code') || query.has('error')) && !query.has('redirect_uri')
}

async function deliver(callback) {
  const url = new URL(callback)
  for (const [name, value] of Object.entries(JSON.parse(FOLLOWER_SET ?? '{}'))) {
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  for (const stray of JSON.parse(FOLLOWER_STRAYS ?? '[]')) {
    const target = new URL(stray.url.replace('{callback}', callback), url).href
    await visit(stray.method ?? 'GET', target, stray)
  }
  if (FOLLOWER_DELIVER === 'none') return
  if (FOLLOWER_DELIVER === 'post' || FOLLOWER_DELIVER === 'fragment') {
    const body = url.search.slice(1)
    url.search = ''
    // A fragment never leaves the browser: the page it lands on posts it, and here we are that page's script.
    if (FOLLOWER_DELIVER === 'fragment') await visit('GET', url.href)
    await visit('POST', url.href, { body })
    return
  }
  const page = visit('GET', url.href)
  if (FOLLOWER_DELIVER === 'twice') await visit('GET', url.href).catch(() => {})
  const end = await page
  if (end.location !== undefined && isCallback(new URL(end.location, url).href))
    await visit('GET', new URL(end.location, url).href)
}

let next = { method: 'GET', url: process.argv[2], body: undefined }
for (let hops = 0; next !== undefined && hops < 20; hops++) {
  if (isCallback(next.url)) {
    await deliver(next.url)
    break
  }
  const page = await visit(next.method, next.url, { body: next.body })
  const no = FOLLOWER_DENY ? /<a\b[^>]*\bhref="([^"]*\/abort)"/.exec(page.body)?.[1] : undefined
  const form = formOf(page)
  if (page.location !== undefined) next = { method: 'GET', url: new URL(page.location, next.url).href }
  else if (no !== undefined) next = { method: 'GET', url: new URL(no, next.url).href }
  else if (form !== undefined)
    next = { method: form.method, url: form.action, body: form.method === 'POST' ? form.body : undefined }
  else next = undefined
}
