import { createHash } from 'node:crypto'
import type { Answer } from './answer.ts'
import { type Fault, faults } from './faults.ts'
import { person, scopesOffered } from './provider.ts'

/** Markup that is already safe to send. */
interface Markup {
  readonly markup: string
}

type Piece = string | number | Markup | undefined | readonly Markup[]

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function written(piece: Piece): string {
  if (piece === undefined) return ''
  if (typeof piece === 'object') return 'markup' in piece ? piece.markup : piece.map(written).join('')
  return String(piece).replace(/[&<>"']/g, (character) => escapes[character] ?? '')
}

/** Markup from a template: whatever is filled in is escaped unless it is markup itself. */
function html(texts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return { markup: texts.map((text, index) => text + written(pieces[index])).join('') }
}

const style = `
:root { color-scheme: light dark; --ground: #f4f1ea; --card: #fffdf9; --ink: #24211c; --soft: #6a6459; --line: #e2dccf;
  --accent: #1f6f5c; --accent-ink: #fff; --tint: #eef4f0; --warn: #8a5a00; --warn-tint: #fdf3dc }
@media (prefers-color-scheme: dark) { :root { --ground: #171613; --card: #211f1b; --ink: #ece7dd; --soft: #a8a195;
  --line: #38342d; --accent: #6fc3ab; --accent-ink: #10231d; --tint: #24302b; --warn: #f0c36b; --warn-tint: #33291a } }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0; min-height: 100vh; min-height: 100dvh; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; padding: clamp(1rem, 6vh, 4.5rem) 1rem 2rem }
.brand, main, footer { max-width: 27rem; margin-inline: auto }
.brand { display: flex; align-items: center; gap: .6rem; margin-bottom: 1rem; font-weight: 650; letter-spacing: -.01em }
.brand span { font-weight: 400; color: var(--soft); margin-left: auto; font-size: .875rem }
.mark { width: 1.75rem; height: 1.75rem; flex: none; fill: var(--accent) }
main { background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 1.75rem;
  box-shadow: 0 1px 2px #0000000a, 0 12px 32px -16px #00000024 }
h1 { font-size: 1.375rem; line-height: 1.25; letter-spacing: -.015em; font-weight: 650; margin: 0 0 .5rem; overflow-wrap: anywhere; text-wrap: balance }
p { margin: 0 0 1rem; overflow-wrap: anywhere }
.soft { color: var(--soft) }
.soft strong { color: var(--ink); font-weight: 600 }
a { color: var(--accent) }
.note { background: var(--warn-tint); color: var(--warn); border-radius: 10px; padding: .625rem .875rem; font-size: .9375rem }
fieldset { border: 0; padding: 0; margin: 1.25rem 0 1.5rem; min-width: 0 }
legend { padding: 0; font-size: .875rem; color: var(--soft); margin-bottom: .5rem }
.scope { display: flex; gap: .75rem; align-items: flex-start; padding: .7rem .875rem; border: 1px solid var(--line); cursor: pointer }
.scope:first-of-type { border-radius: 10px 10px 0 0 }
.scope:last-of-type { border-radius: 0 0 10px 10px }
.scope:only-of-type { border-radius: 10px }
.scope + .scope { border-top: 0 }
.scope:has(:checked) { background: var(--tint) }
.scope input { width: 1.125rem; height: 1.125rem; margin: .2rem 0 0; accent-color: var(--accent); flex: none }
.scope code { display: block; color: var(--soft) }
code { font: .8125rem/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
button { font: inherit; cursor: pointer; border-radius: 10px; border: 1px solid var(--line); background: none; color: inherit }
.answers { display: flex; gap: .625rem }
.answers button { flex: 1; padding: .7rem 1rem; font-weight: 600; min-height: 2.875rem }
.answers .yes { background: var(--accent); border-color: var(--accent); color: var(--accent-ink) }
.answers button:hover { filter: brightness(.94) }
.answers .no:hover, .fault:hover { background: var(--tint); filter: none }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
details { margin-top: 1.25rem; border-top: 1px solid var(--line); padding-top: 1rem }
summary { cursor: pointer; color: var(--soft); font-size: .9375rem; border-radius: 6px; width: fit-content; padding: .125rem .25rem; margin-left: -.25rem }
details h2 { font-size: .875rem; font-weight: 600; margin: 1.25rem 0 .375rem }
details ul { list-style: none; margin: 0; padding: 0 }
.fault { text-align: left; padding: .5rem .625rem; border-color: transparent; margin-inline: -.625rem; width: calc(100% + 1.25rem) }
.fault code { display: block; color: var(--accent); font-weight: 600 }
.fault span { display: block; font-size: .875rem; line-height: 1.35; color: var(--soft) }
.list { margin: 0 0 1rem; padding-left: 1.125rem }
.list li { margin: .25rem 0; overflow-wrap: anywhere }
.soft + .list { margin-top: -.625rem }
main > :last-child { margin-bottom: 0 }
details p { margin: .75rem 0 0; font-size: .9375rem }
footer { margin-top: 1rem; font-size: .8125rem; color: var(--soft); text-align: center; text-wrap: balance }
@media (max-width: 26rem) { main { padding: 1.25rem } .brand span { display: none } }
@media (forced-colors: active) { .answers .yes { border-width: 3px } }
`

// `form-action` also judges where a submitted form is redirected to, and that is the client's own callback, anywhere.
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "form-action 'self' http: https:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** What stands behind the # goes where the server sees it. The built-in approver does the same without a script. */
const forwarding = "location.replace(location.pathname + '?fragment=' + encodeURIComponent(location.hash.slice(1)))"

// Apart from the markup: a bundler lowers a tagged template that ends a script.
const forwardingScript = `<script data-forwards="fragment">${forwarding}</script>`

// `same-origin`, because under `no-referrer` a browser submits the form with `Origin: null`. Nothing leaves this origin.
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy,
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

const mark = html`<svg class="mark" viewBox="0 0 28 28" aria-hidden="true"><path d="M4 24V13h3v2h3v-2h2V8h1V3l5 2-3.500 1.600V8H16v5h2v2h3v-2h3v11h-7v-4a3 3 0 0 0-6 0v4z"/></svg>`

function page(status: number, title: string, content: Markup): Answer {
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Sandbox</title>
<link rel="icon" href="data:,">
<style>${{ markup: style }}</style>
</head>
<body>
<header class="brand">${mark}Sandbox<span>a provider to practise on</span></header>
<main>
${content}
</main>
<footer>This provider runs on your own machine. Nobody’s data is behind it.</footer>
</body>
</html>
`
  return { status, headers, body: whole.markup }
}

/** A page that says one thing. `words` may come from outside. */
export function noticePage(status: number, title: string, words: string): Answer {
  return page(status, title, html`<h1>${title}</h1>\n<p class="soft">${words}</p>`)
}

export interface ConsentView {
  /** Whom the page speaks for; absent: the sandbox itself. */
  readonly provider?: string | undefined
  readonly client: string
  /** Host that the person is sent back to. */
  readonly back: string
  readonly scopes: readonly string[]
  /** Chosen before the page was shown. */
  readonly fault: Fault | undefined
  /** Those that can be chosen; absent: all. */
  readonly faults?: readonly Fault[] | undefined
  /** The sealed request that the form carries. */
  readonly request: string
}

const places: readonly (readonly [at: Fault['at'], heading: string])[] = [
  ['authorize', 'On the way back'],
  ['token', 'When the code is exchanged'],
  ['refresh', 'When the token is refreshed'],
  ['api', 'When the API is called'],
]

const scopeRow = (scope: string): Markup => html`
<label class="scope"><input type="checkbox" name="scope" value="${scope}" checked><span>${Object.hasOwn(scopesOffered, scope) ? scopesOffered[scope] : undefined}<code>${scope}</code></span></label>`

const faultRow = ({ name, says }: Fault): Markup => html`
<li><button class="fault" name="fault" value="${name}"><code>${name}</code><span>${says}</span></button></li>`

const faultGroup = (at: Fault['at'], heading: string, some: readonly Fault[]): Markup => html`
<h2 id="at-${at}">${heading}</h2>
<ul aria-labelledby="at-${at}">${some.filter((fault) => fault.at === at).map(faultRow)}
</ul>`

const scopeRows = (scopes: readonly string[]): Markup | undefined =>
  scopes.length === 0
    ? undefined
    : html`<fieldset>
<legend>It wants to</legend>${scopes.map(scopeRow)}
</fieldset>`

/** The page that asks the person: who, for what, yes or no, and below the ways to say yes and mean trouble. */
export function consentPage(view: ConsentView): Answer {
  const { provider = '', client, back, scopes, fault, request } = view
  const chosen =
    fault &&
    html`<p class="note">This sandbox will misbehave once you approve: <strong>${fault.name}</strong>. It ${fault.says}.</p>`
  return page(
    200,
    `Connect ${client}?`,
    html`<h1>Let ${client} use your ${provider && `${provider} `}account?</h1>
<p class="soft">You are signed in as ${person.name}. Whatever you answer, you go back to <strong>${back}</strong>.</p>
${chosen}
<form method="post" action="/authorize/decision">
<input type="hidden" name="request" value="${request}">
${fault && html`<input type="hidden" name="fault" value="${fault.name}">`}
${scopeRows(scopes)}
<div class="answers">
<button class="yes" name="decision" value="approve">Approve</button>
<button class="no" name="decision" value="deny">Deny</button>
</div>
<details>
<summary>Approve, but…</summary>
<p class="soft">Each of these approves, and then something goes wrong.</p>${places.map(([at, heading]) => faultGroup(at, heading, view.faults ?? faults))}
</details>
</form>`,
  )
}

/** What stands at the root: what this is, and what can be called. */
export function homePage(origin: string, clients: readonly string[]): Answer {
  const name = (client: string) => html`<li><code>${client}</code></li>`
  return page(
    200,
    'A provider to practise on',
    html`<h1>A provider to practise on</h1>
<p>This is a small authorization server with an API behind it. It exists so that authorization flows, and the ways in which they fail, can be tried without an account anywhere.</p>
<p class="soft">Clients it knows</p>
<ul class="list">${clients.map(name)}</ul>
<p class="soft">Where things are</p>
<ul class="list">
<li><code>${origin}/authorize</code></li>
<li><code>${origin}/token</code></li>
<li><code>${origin}/api/me</code></li>
<li><code>${origin}/api/items</code></li>
<li><a href="/.well-known/oauth-authorization-server"><code>/.well-known/oauth-authorization-server</code></a></li>
</ul>`,
  )
}

/** A page for a URL whose query stands behind a `#`: it sends the browser on, with `fragment` as a parameter. */
export function forwardingPage(): Answer {
  const hash = createHash('sha256').update(forwarding).digest('base64')
  const answer = page(
    200,
    'One moment',
    html`<h1>One moment</h1>
<p class="soft">This provider reads what stands behind the # of its address. Nothing happens here without a script.</p>
${{ markup: forwardingScript }}`,
  )
  return {
    ...answer,
    headers: { ...answer.headers, 'content-security-policy': `${policy}; script-src 'sha256-${hash}'` },
  }
}
