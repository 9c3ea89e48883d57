import { type Answer, json } from '../../answer.ts'
import { type Fields, fieldsOf, scalarText } from '../fields.ts'
import { fillUrl } from '../fill.ts'
import { checkSealed } from '../grants.ts'
import { askToInstall } from '../install.ts'
import { urlOf } from '../issuer.ts'
import { readJwt } from '../jwt.ts'
import { jwtFlaws } from '../jwt-check.ts'
import { playedIn } from '../manner.ts'
import { inBody, mixed } from '../proofs.ts'
import { rerun } from '../rerun.ts'
import { type Admission, type Call, type Endpoint, headerOf, type Stage, type TwinMode } from '../stage.ts'

const longestJwt = 600

/** Slack for a clock that is ahead, in seconds. */
const skew = 60

/** Everything that is wrong with the token by which an app speaks for itself: RS256, its id, ten minutes at most. */
function appFlaws(stage: Stage, text: string | undefined): readonly string[] {
  const { issued } = stage.part
  const appId = issued.params['appId'] ?? issued.clientId ?? ''
  const wish = {
    what: 'the JWT of the app',
    algorithm: 'RS256',
    key: issued.params['privateKey'] ?? issued.clientSecret ?? '',
    header: {},
    claims: { iss: appId },
    lifetime: undefined,
    needsIssued: true,
    roots: {},
  }
  const now = stage.provider.now()
  const flaws = jwtFlaws(text, wish, now)
  const end = Number(readJwt(text ?? '')?.claims['exp'])
  const isLong = end > Math.floor(now / 1000) + longestJwt + skew
  return isLong ? [...flaws, 'the JWT of the app lives for more than ten minutes'] : flaws
}

const bearerOf = (call: Call): string | undefined =>
  /^bearer +(\S+) *$/i.exec(headerOf(call, 'authorization') ?? '')?.[1]

/** An access token of an installation, for an hour. */
function answerInstallation(stage: Stage, call: Call): Answer {
  const flaws = appFlaws(stage, bearerOf(call))
  if (flaws.length > 0) return json(401, { message: `${flaws.join('; ')}.` })
  const accepted = headerOf(call, 'accept') ?? ''
  if (!/json|\*\/\*/.test(accepted)) return json(415, { message: 'accept has no kind of JSON.' })
  return rerun(stage, [], (tokens) => wordInstallation(stage, tokens))
}

function wordInstallation({ provider }: Stage, tokens: Fields): Answer {
  const { access_token: token, expires_in: seconds, token_type: _, scope: __, ...rest } = tokens
  const end = typeof seconds === 'number' ? new Date(provider.now() + seconds * 1000).toISOString() : seconds
  const about = { permissions: { metadata: 'read' }, repository_selection: 'all' }
  return json(201, { ...rest, token, expires_at: end, ...about })
}

function installUrl(stage: Stage): URL | undefined {
  const url = urlOf(stage, 'authorization_url')
  return url && new URL(url.origin + url.pathname)
}

function tokenUrl(stage: Stage): URL | undefined {
  const { template, variants } = stage.part
  const text = scalarText(template['token_url']) ?? scalarText(fieldsOf(template['token_url'])['APP'])
  return fillUrl(text ?? '', { roots: variants[0], time: 0 })
}

function endpoints(stage: Stage): readonly Endpoint[] {
  const at = (what: string, url: URL | undefined, method: string, answer: (call: Call) => Answer) =>
    url === undefined ? [] : [{ what, url, methods: [method], answer }]
  return [
    ...at('where the app is installed', installUrl(stage), 'GET', (call) => askToInstall(stage, call, 'state')),
    ...at('where an installation gets its token', tokenUrl(stage), 'POST', (call) => answerInstallation(stage, call)),
  ]
}

function tellInstallation({ part }: Stage, params: URLSearchParams): void {
  params.set('installation_id', part.issued.brought['installation_id'] ?? part.issued.params['installation_id'] ?? '')
  params.set('setup_action', 'install')
}

const isOfApp = ({ url }: Call): boolean =>
  /^\/app(?:\/|$)/.test(url.pathname) && !url.pathname.endsWith('/access_tokens')

/** An installation's token for everything; the app's own word about itself. */
function checkToken(stage: Stage, token: string, call: Call): Admission {
  if (readJwt(token) === undefined || !isOfApp(call)) return checkSealed(stage, token)
  const flaws = appFlaws(stage, token)
  return flaws.length > 0 ? { flaw: flaws.join('; ') } : { family: `self ${stage.part.name}` }
}

/** An app that is installed, and gets its tokens by a JWT that it signs. */
export const app: TwinMode = {
  endpoints,
  checkToken,
  carrier: 'bearer',
  callback(stage, params) {
    params.delete('code')
    tellInstallation(stage, params)
  },
}

const codes: Readonly<Record<string, string>> = {
  invalid_client: 'incorrect_client_credentials',
  invalid_grant: 'bad_verification_code',
}

/** The person's own token beside the installation's. Its errors are answered with 200. */
const user = playedIn({
  exchange: { format: mixed, proof: inBody, redirectUri: 'free', lifetime: 28_800 },
  renewal: { format: mixed, proof: inBody, fixed: { grant_type: ['refresh_token'] }, lifetime: 28_800 },
  refuse: (error, message) => json(200, { error: codes[error] ?? error, error_description: message }),
})

function userEndpoints(stage: Stage): readonly Endpoint[] {
  const { part } = stage
  const url = fieldsOf(part.template['token_url'])['OAUTH2']
  const own = { ...stage, part: { ...part, template: { ...part.template, token_url: url } } }
  const found = user.endpoints?.(own) ?? []
  return found
    .filter(({ what }) => what === 'the token endpoint')
    .map((endpoint) => ({ ...endpoint, answer: (call: Call) => inWantedFormat(call, endpoint.answer(call)) }))
}

/** GitHub answers in a form who does not ask for JSON. */
function inWantedFormat(call: Call, answer: Answer): Answer {
  const isJson = answer.headers['content-type'] === 'application/json' && answer.delivery === undefined
  if (!isJson || answer.status >= 400 || /json/.test(headerOf(call, 'accept') ?? '')) return answer
  const fields = Object.entries(JSON.parse(answer.body) as Fields)
  const body = new URLSearchParams(fields.map(([name, value]): [string, string] => [name, scalarText(value) ?? '']))
  const headers = { ...answer.headers, 'content-type': 'application/x-www-form-urlencoded' }
  return { ...answer, headers, body: String(body) }
}

/** An app that is installed and that the person who does so also lets act for them. */
export const appAndUser: TwinMode = {
  ...app,
  endpoints: (stage) => [...endpoints(stage), ...userEndpoints(stage)],
  callback: tellInstallation,
}
