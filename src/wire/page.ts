import { createHash } from 'node:crypto'
import {
  type AuthCliError,
  Cancelled,
  MachineError,
  ProviderError,
  TemplateError,
  TransportError,
} from '../model/errors.ts'
import type { Header, StrayReason } from '../model/event.ts'

/** Which attempt a page speaks of. */
export interface Attempt {
  /** The provider's title. */
  readonly provider: string
  readonly connection: string
  /** Id of the flow. */
  readonly flow: string
}

/** What the person sees in the browser. Every text in it may come from outside: it is cleaned when it is rendered. */
export type Page =
  | { readonly kind: 'success'; readonly attempt: Attempt }
  | {
      readonly kind: 'failure'
      readonly attempt: Attempt
      readonly message: string
      /** The provider's own words. */
      readonly words?: string | undefined
      /** Who must act, in one sentence. */
      readonly who: string
      /** What to do, as on the terminal's "Try" lines. */
      readonly remedy?: string | undefined
    }
  /** The command ended, or was stopped, before there was anything to tell. */
  | { readonly kind: 'stopped' }
  /** The answer is here and being worked on, but another tab holds the place where its outcome will be shown. */
  | { readonly kind: 'waiting' }
  /** `isOver`: true when nothing is waited for any more. */
  | { readonly kind: 'stray'; readonly reason: StrayReason; readonly isOver: boolean }
  /** For an address without a query: passes on what may stand behind its `#`, which no server sees. */
  | { readonly kind: 'fragment' }

/** A page ready to be sent. */
export interface RenderedPage {
  readonly status: number
  readonly headers: readonly Header[]
  /** UTF-8 HTML. */
  readonly body: string
}

/** The page of a failure that we foresaw; its words and its remedy are those of the terminal. */
export function failurePage(error: AuthCliError, attempt: Attempt): Page {
  return {
    kind: 'failure',
    attempt,
    message: error.message,
    words: error instanceof ProviderError ? error.words : undefined,
    who: whoMustAct(error, attempt.provider),
    remedy: error.hint,
  }
}

/** The page of a bug of ours: what it was stays on the terminal. */
export function bugPage(attempt: Attempt): Page {
  return {
    kind: 'failure',
    attempt,
    message: 'Something broke inside auth-cli.',
    who: 'This one is ours to repair. Your terminal shows what to report.',
  }
}

function whoMustAct(error: AuthCliError, provider: string): string {
  if (error.code === 'ACCESS_DENIED') return `Access was refused at ${provider}. Nothing was saved.`
  if (error instanceof ProviderError) return `This needs a change at ${provider}, or in your app’s settings there.`
  if (error instanceof TemplateError) return `This needs a change in the template that describes ${provider}.`
  if (error instanceof TransportError) return `The way between this machine and ${provider} needs a look.`
  if (error instanceof MachineError) return 'This machine needs a look: its disk, its permissions or its keychain.'
  if (error instanceof Cancelled) return 'You stopped it in your terminal. Nothing was saved.'
  return 'You can put this right in your terminal.'
}

/**
 * A page as HTML with its headers: self-contained, no script but the fragment page's own, nothing fetched. `scrub`
 * masks secrets; it sees each text after control characters are gone and before it is cut and escaped.
 */
export function renderPage(page: Page, scrub: (text: string) => string = (text) => text): RenderedPage {
  const { status, mark, title, content } = draw(page, (text) => escapeHtml(cut(scrub(withoutControls(text)))))
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main class="${mark}">
${marks[mark]}
${content}
</main>${page.kind === 'fragment' ? `\n<script>${script}</script>` : ''}
</body>
</html>
`
  return { status, headers: headersFor(page.kind), body }
}

function headersFor(kind: Page['kind']): readonly Header[] {
  const reposts = kind === 'fragment'
  const policy = [
    "default-src 'none'",
    `style-src ${hashSource(style)}`,
    ...(reposts ? [`script-src ${hashSource(script)}`] : []),
    `form-action ${reposts ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return [
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Content-Security-Policy', policy.join('; ')],
    ['Cache-Control', 'no-store'],
    ['Referrer-Policy', 'no-referrer'],
    ['X-Content-Type-Options', 'nosniff'],
  ]
}

function hashSource(inline: string): string {
  return `'sha256-${createHash('sha256').update(inline).digest('base64')}'`
}

type Mark = 'done' | 'failed' | 'calm'

interface Drawing {
  readonly status: number
  readonly mark: Mark
  /** HTML text of the tab. */
  readonly title: string
  /** HTML of the card below its mark. */
  readonly content: string
}

const farewell = 'You can close this tab and go back to your terminal.'

function draw(page: Page, html: (text: string) => string): Drawing {
  if (page.kind === 'success') return drawSuccess(page.attempt, html)
  if (page.kind === 'failure') return drawFailure(page, html)
  if (page.kind === 'stray') return drawStray(page.reason, page.isOver)
  if (page.kind === 'fragment') return drawFragment()
  if (page.kind === 'waiting') {
    return simple(409, 'Your answer has arrived', [
      'auth-cli is working on it. How it ends is shown in your terminal, not in this tab.',
      farewell,
    ])
  }
  return simple(503, 'This attempt has ended', [
    'auth-cli stopped before it was done. Your terminal says why.',
    farewell,
  ])
}

function drawSuccess({ provider, connection, flow }: Attempt, html: (text: string) => string): Drawing {
  const place = html(provider)
  return {
    status: 200,
    mark: 'done',
    title: `Connected to ${place}`,
    content: `<h1>Connected to <b>${place}</b> as <b>${html(connection)}</b></h1>
<p>${farewell}</p>
${smallPrint(html(connection), html(flow))}`,
  }
}

function drawFailure(page: Page & { readonly kind: 'failure' }, html: (text: string) => string): Drawing {
  const { provider, connection, flow } = page.attempt
  const place = html(provider)
  const words = page.words
    ? `<figure>
<figcaption>In the words of ${place}</figcaption>
<blockquote dir="auto">${html(page.words)}</blockquote>
</figure>`
    : ''
  const remedy = page.remedy
    ? `<section>
<h2>Try</h2>
<p class="remedy">${unbroken(html(page.remedy))}</p>
</section>`
    : ''
  const parts = [
    `<h1>Not connected to <b>${place}</b></h1>`,
    `<p class="message">${html(page.message)}</p>`,
    words,
    `<p>${html(page.who)}</p>`,
    remedy,
    `<p>${farewell}</p>`,
    smallPrint(html(connection), html(flow)),
  ]
  return {
    status: 400,
    mark: 'failed',
    title: `Not connected to ${place}`,
    content: parts.filter((part) => part !== '').join('\n'),
  }
}

/** Keeps a browser from breaking a line inside a flag, between its dashes and its name. */
function unbroken(html: string): string {
  return html.replace(/(?<=^|\s)-[a-z0-9-]{1,40}(?=\s|$)/gi, '<span>$&</span>')
}

function smallPrint(connection: string, flow: string): string {
  return `<footer><dl>
<div><dt>Connection</dt><dd>${connection}</dd></div>
<div><dt>Flow</dt><dd>${flow}</dd></div>
</dl></footer>`
}

/** Status and explanation of each stray hit. None says what would have been right: the visitor may be hostile. */
const strays: Readonly<Record<StrayReason, readonly [status: number, why: string]>> = {
  'other path': [404, 'There is nothing at this address.'],
  'foreign host': [403, 'This address was asked for under a name that is not ours.'],
  method: [405, 'Only GET and POST bring an answer here.'],
  prefetch: [503, 'Your browser only looked ahead. Open the address for real.'],
  'no parameters': [400, 'It brings nothing: no code, no error.'],
  'state missing': [400, 'Nothing in it shows that it belongs to this attempt.'],
  'state mismatch': [400, 'It belongs to another attempt, perhaps to an earlier tab.'],
  'state repeated': [400, 'It names its attempt more than once.'],
  'issuer mismatch': [400, 'It names another issuer than the one you were sent to.'],
  'issuer missing': [400, 'It does not name its issuer, as this provider promises to.'],
  'token mismatch': [400, 'It belongs to another attempt, perhaps to an earlier tab.'],
  'already answered': [409, 'This attempt has its answer already, and takes only one.'],
  'body unusable': [400, 'What was sent could not be read.'],
}

function drawStray(reason: StrayReason, isOver: boolean): Drawing {
  const [status, why] = strays[reason]
  if (reason === 'already answered') return simple(status, 'Already answered', [why, farewell])
  if (isOver) return simple(status, 'This is not part of the answer', [why, farewell])
  return simple(status, 'This is not the answer we are waiting for', [
    why,
    'auth-cli is still waiting in your terminal. The address to open stands there.',
  ])
}

function simple(status: number, heading: string, sentences: readonly string[]): Drawing {
  const content = [`<h1>${heading}</h1>`, ...sentences.map((sentence) => `<p>${sentence}</p>`)].join('\n')
  return { status, mark: 'calm', title: heading, content }
}

function drawFragment(): Drawing {
  const { content, ...rest } = drawStray('no parameters', false)
  return {
    ...rest,
    content: `<div id="nothing">
${content}
<noscript><p>Scripts are off here. If the address of this page has a <code>#</code> in it, copy the whole address and paste it into your terminal.</p></noscript>
</div>
<div id="passing" hidden>
<h1>Passing the answer on</h1>
<p>It is on its way to your terminal.</p>
</div>`,
  }
}

/** Turns `#code=…&state=…` into a form POST to the same path, and takes it out of the address. */
const script = `
(() => {
  const answer = location.hash.slice(1)
  if (!answer) return
  document.getElementById('nothing').hidden = true
  document.getElementById('passing').hidden = false
  document.title = 'Passing the answer on'
  history.replaceState(null, '', location.pathname)
  const form = document.createElement('form')
  form.method = 'post'
  form.action = location.pathname
  for (const [name, value] of new URLSearchParams(answer)) {
    const field = document.createElement('input')
    field.type = 'hidden'
    field.name = name
    field.value = value
    form.append(field)
  }
  document.body.append(form)
  HTMLFormElement.prototype.submit.call(form)
})()
`

const marks: Readonly<Record<Mark, string>> = {
  done: '<svg viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="24"/><path d="m15 24.5 6.5 6.5L33.5 18"/></svg>',
  failed:
    '<svg viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="24"/><path d="m17 17 14 14m0-14L17 31"/></svg>',
  calm: '<svg viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="24"/><path d="M14.5 24h.01M24 24h.01M33.5 24h.01"/></svg>',
}

const style = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f6; --card: #fff; --edge: #e3e5e9; --soft: #f6f7f9;
  --text: #1a1d23; --dim: #5c6370; --accent: #5c6370;
}
.done { --accent: #15803d; }
.failed { --accent: #b42318; }
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101215; --card: #191c21; --edge: #2b2f36; --soft: #21252b;
    --text: #e8eaed; --dim: #a0a7b3; --accent: #a0a7b3;
  }
  .done { --accent: #4ade80; }
  .failed { --accent: #f9877f; }
}
* { box-sizing: border-box; margin: 0; }
[hidden] { display: none; }
body {
  display: grid; place-items: center; min-height: 100vh; min-height: 100dvh; padding: 1.25rem;
  background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main {
  width: 100%; max-width: 32rem; padding: 2.5rem;
  background: var(--card); border: 1px solid var(--edge); border-radius: 16px;
  box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 12px 32px rgb(0 0 0 / .06);
  overflow-wrap: anywhere;
}
svg { display: block; width: 3rem; margin-bottom: 1.25rem; fill: none; stroke: var(--accent); stroke-linecap: round; stroke-linejoin: round; }
svg circle { fill: var(--accent); fill-opacity: .1; stroke: none; }
svg path { stroke-width: 3; }
.calm svg path { stroke-width: 4; }
h1 { font-size: 1.375rem; line-height: 1.3; font-weight: 500; letter-spacing: -.01em; text-wrap: balance; }
h1 b { font-weight: 650; }
h2, figcaption { font-size: .8125rem; line-height: 1.4; font-weight: 600; color: var(--dim); }
p, figure, section { margin-top: .875rem; }
p { color: var(--dim); text-wrap: pretty; }
.message { color: var(--text); }
blockquote { margin-top: .375rem; padding: .125rem 0 .125rem .875rem; border-left: 3px solid var(--accent); white-space: pre-line; }
.remedy { margin-top: .375rem; padding: .75rem .875rem; background: var(--soft); border-radius: 8px; color: var(--text); white-space: pre-line; }
.remedy span { white-space: nowrap; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
footer { margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--edge); font-size: .8125rem; color: var(--dim); }
dl { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; }
dl div { display: flex; gap: .5rem; }
dd { color: var(--text); font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (max-width: 30rem) { main { padding: 1.75rem 1.5rem; } }
`

/** Longest text from outside that a page shows, in UTF-16 units. */
const longestText = 2000

function cut(text: string): string {
  // A pair that the cut would tear in two is left out whole.
  return text.length > longestText ? `${text.slice(0, longestText).replace(/[\ud800-\udbff]$/, '')}…` : text
}

/** Without escape sequences, control characters and what reorders or hides text; line breaks stay. */
function withoutControls(text: string): string {
  return text
    .replace(/(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/g, '')
    .replace(/(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?/g, '')
    .replace(/\x1b[ -/]*[0-~]?/g, '')
    .replace(/\r\n?|[\u2028\u2029\x85]/g, '\n')
    .replace(/\t/g, ' ')
    .replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, '')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}
