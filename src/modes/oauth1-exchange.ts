import { ProviderError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { World } from '../model/world.ts'
import { headerOf, type Received } from '../wire/record.ts'
import { assertSecure } from '../wire/secure.ts'
import { wordsBesideToken, wordsIn } from '../wire/words.ts'
import type { Attempt } from './mode.ts'
import { oauth1Header, type Signer } from './oauth1-header.ts'

/** Who asks whom. */
export interface Party1 extends Signer {
  readonly title: string
  readonly allowHttp: boolean
  readonly redirectUri: string
  readonly registerUrl?: string | undefined
}

/** Credentials of either kind, temporary or lasting (RFC 5849 §2.1, §2.3). */
export interface TokenPair {
  readonly token: string
  readonly tokenSecret: string
}

export interface Issued extends TokenPair {
  /** The whole answer, parsed. */
  readonly raw: Readonly<Record<string, unknown>>
}

export interface Asking extends Partial<TokenPair> {
  readonly purpose: 'request token' | 'token'
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Signed, and sent in the body; in the query of a GET. */
  readonly form: Readonly<Record<string, string>>
  readonly protocol: Readonly<Record<string, string>>
}

/** One signed request for credentials, and its judgement. Throws ProviderError, TransportError, UsageError. */
export async function askForCredentials(
  world: World,
  attempt: Attempt,
  party: Party1,
  asking: Asking,
): Promise<Issued> {
  const { purpose, protocol, token, tokenSecret, method } = asking
  assertSecure(asking.url, party.allowHttp, purpose === 'token' ? 'token_url' : 'request_url')
  const text = new URLSearchParams(asking.form).toString()
  const isInBody = method === 'POST' && text !== ''
  const url = new URL(asking.url)
  if (method === 'GET' && text !== '') url.search = [url.search.slice(1), text].filter((part) => part !== '').join('&')
  const type: readonly Header[] = isInBody ? [['content-type', 'application/x-www-form-urlencoded']] : []
  const headers: readonly Header[] = [['accept', '*/*'], ['user-agent', 'auth-cli'], ...type]
  const body = method === 'POST' ? text : undefined
  const { title: _, allowHttp: __, redirectUri: ___, registerUrl: ____, ...signer } = party
  const moment = { now: world.clock.now(), random: world.random }
  const request = { method, url: url.href, headers, ...(body === undefined ? {} : { body }) }
  const authorization = oauth1Header(request, moment, { ...signer, token, tokenSecret, protocol })
  const transmit = attempt.speech.transmit(purpose, (answer) => secretsOf(membersOf(answer.text)))
  const answer = await transmit({ ...request, headers: [['authorization', authorization], ...headers] })
  const issued = issuedIn(answer, party, purpose)
  if (/^\s*\{/.test(answer.text))
    attempt.tell({ type: 'quirk', quirk: `the ${purpose} comes as JSON; RFC 5849 §2.1 wants a form` })
  world.secrets.learn(issued.token)
  world.secrets.learn(issued.tokenSecret)
  return issued
}

type Members = Readonly<Record<string, unknown>>

function secretsOf(members: Members): readonly string[] {
  return ['oauth_token', 'oauth_token_secret'].flatMap((name) => {
    const value = members[name]
    return typeof value === 'string' ? [value] : []
  })
}

/** A form, or JSON where somebody sends that. */
function membersOf(text: string): Members {
  const plain = text.replace(/^\uFEFF/, '').trim()
  if (!plain.startsWith('{')) return Object.fromEntries(new URLSearchParams(plain))
  try {
    return JSON.parse(plain) as Members
  } catch {
    return {}
  }
}

function issuedIn(answer: Received, party: Party1, purpose: Asking['purpose']): Issued {
  const { title } = party
  const members = membersOf(answer.text)
  if (answer.status >= 300 && answer.status <= 399) {
    const location = headerOf(answer.headers, 'location')
    const where = URL.canParse(location) ? new URL(location).host : 'another path of the same host'
    throw new ProviderError(
      `HTTP_${answer.status}`,
      `${title} answered the request for a ${purpose} with a redirect (${answer.status}).`,
      {
        status: answer.status,
        hint: `A signed request is never sent along a redirect: correct the URL in the template. It points to ${where}.`,
      },
    )
  }
  const problem = textOf(members['oauth_problem'])
  if (answer.status < 200 || answer.status > 299 || problem !== undefined)
    throw refusal(answer, party, purpose, problem, members)
  const token = textOf(members['oauth_token'])
  const tokenSecret = members['oauth_token_secret']
  // §2.1 requires the secret, and lets it be empty.
  if (token === undefined || typeof tokenSecret !== 'string') {
    throw new ProviderError(
      'NO_ACCESS_TOKEN',
      `${title} answered ${answer.status}, but there is no ${purpose} and secret in it.`,
      {
        status: answer.status,
        words: wordsBesideToken(answer.text),
        hint: 'oauth_token and oauth_token_secret are looked for. The whole answer is in the log.',
      },
    )
  }
  return { token, tokenSecret, raw: members }
}

function refusal(
  { status, text }: Received,
  party: Party1,
  purpose: Asking['purpose'],
  problem: string | undefined,
  members: Members,
): ProviderError {
  const code =
    problem
      ?.toUpperCase()
      .replace(/[^A-Z0-9]+/g, '_')
      .slice(0, 60) ?? `HTTP_${status}`
  const advice = textOf(members['oauth_problem_advice'])
  const register = party.registerUrl === undefined ? '' : ` Your app: ${party.registerUrl}`
  return new ProviderError(
    code,
    `${party.title} refused the request for a ${purpose}${problem === undefined ? ` with status ${status}` : `: ${problem}`}.`,
    {
      status,
      words: advice ?? (problem === undefined ? wordsIn(text) : undefined),
      hint:
        purpose === 'token'
          ? 'The verifier or the request token was refused: it expired or was used before. Connect again.'
          : `The consumer key or secret is wrong, this machine's clock is, or the app does not know the callback URL ${party.redirectUri}.${register}`,
    },
  )
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
