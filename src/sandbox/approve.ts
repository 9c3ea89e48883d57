import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'

interface Step {
  readonly method: string
  readonly url: URL
  readonly body?: string | undefined
}

interface Landing {
  readonly status: number
  readonly url: URL
  readonly location: string | undefined
  readonly text: string
}

const mostRedirects = 5
const longestPage = 1024 * 1024

async function readPage(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += chunk.length
    if (size > longestPage) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

async function visit(step: Step, signal: AbortSignal | undefined): Promise<Landing> {
  const { url, body } = step
  const request = url.protocol === 'https:' ? (await import('node:https')).request : requestHttp
  const headers: Record<string, string | number> = { accept: 'text/html' }
  if (body !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded'
    headers['content-length'] = Buffer.byteLength(body)
  }
  const options: RequestOptions = { method: step.method, headers, agent: false, ...(signal && { signal }) }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end(body)
  })
  const text = await readPage(response)
  return { status: response.statusCode ?? 0, url, location: response.headers.location, text }
}

/** Follows redirects as a browser does: 307 and 308 repeat the request, the others turn it into a GET. */
async function travel(first: Step, signal: AbortSignal | undefined): Promise<Landing> {
  let step = first
  for (let hop = 0; ; hop += 1) {
    const landing = await visit(step, signal)
    if (landing.location === undefined || landing.status < 300 || landing.status > 399) return landing
    if (hop === mostRedirects) throw new Error(`Gave up after ${mostRedirects} redirects, at ${step.url.host}.`)
    const url = new URL(landing.location, step.url)
    if (!/^https?:$/.test(url.protocol)) throw new Error(`Will not follow a redirect to ${url.protocol}`)
    step = landing.status === 307 || landing.status === 308 ? { ...step, url } : { method: 'GET', url }
  }
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

/** The attributes of one tag of the consent page; one without a value reads as the empty string. */
function attributesOf(tag: string): Readonly<Record<string, string>> {
  const found = tag.matchAll(/\s([a-z-]+)(?:="([^"]*)")?/g)
  const decode = (text: string) => text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? '')
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, decode(value)]))
}

/** The consent form as a person would submit it: what is hidden and what is ticked, and the button. */
function fillForm(page: Landing, decision: 'approve' | 'deny'): Step | undefined {
  const [form] = /<form\b[^>]*>[\s\S]*?<\/form>/.exec(page.text) ?? []
  if (form === undefined) return undefined
  const { action = '' } = attributesOf(form.slice(0, form.indexOf('>') + 1))
  const fields = new URLSearchParams()
  for (const [tag] of form.matchAll(/<input\b[^>]*>/g)) {
    const { type, name, value = '', checked } = attributesOf(tag)
    if (name !== undefined && (type === 'hidden' || checked !== undefined)) fields.append(name, value)
  }
  fields.append('decision', decision)
  return { method: 'POST', url: new URL(action, page.url), body: String(fields) }
}

/** The page itself, or the one that its script would go on to with what stands behind the `#` of the URL. */
async function behindHash(page: Landing, start: URL, signal: AbortSignal | undefined): Promise<Landing> {
  if (start.hash === '' || !page.text.includes('<script data-forwards="fragment">')) return page
  const url = new URL(page.url)
  url.search = `?fragment=${encodeURIComponent(start.hash.slice(1))}`
  return travel({ method: 'GET', url }, signal)
}

/**
 * Does what a person would do, over real HTTP: opens the authorization URL of a sandbox, presses Approve (or Deny) on its
 * consent page with everything ticked, and follows the way back to the client until its last page has been read. A fault
 * that is chosen already stays chosen. Rejects when there is no consent page, when the client cannot be reached, and with
 * the signal's reason when it is aborted.
 */
export async function approve(
  authorizationUrl: string,
  options: { readonly decision?: 'approve' | 'deny'; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { decision = 'approve', signal } = options
  try {
    const start = new URL(authorizationUrl)
    const page = await behindHash(await travel({ method: 'GET', url: start }, signal), start, signal)
    // Sent back at once: the request itself was refused, and the client has been told.
    if (page.url.origin !== start.origin) return
    const form = page.status === 200 ? fillForm(page, decision) : undefined
    if (form === undefined) {
      const [, said] = /<h1>([^<]*)<\/h1>/.exec(page.text) ?? []
      throw new Error(`The sandbox showed no consent page: ${page.status}${said ? `, “${said}”` : ''}.`)
    }
    await travel(form, signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
