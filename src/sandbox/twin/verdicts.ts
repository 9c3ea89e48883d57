import { type Answer, json } from '../answer.ts'
import { isSame } from '../seal.ts'
import { type Fields, fieldsOf, scalarText } from './fields.ts'
import type { Call, Part } from './stage.ts'
import { contentOf, descendants, parseXml } from './xml.ts'

/** How a provider words its verdict on a credential where the status alone does not tell. */
export interface Verdict {
  /** Members that a good answer also has. */
  readonly yes?: Fields
  /** Instead of the good answer. */
  readonly welcome?: Answer
  /** Instead of 401. */
  readonly no?: Answer
  /** User and password where a call tells them in its body, which is all that counts there; undefined of any other. */
  readonly told?: (call: Call) => readonly [user: unknown, password: unknown] | undefined
}

const xml = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml', 'cache-control': 'no-store' },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
})

const soap = (code: number, text: string): Answer => {
  const message = `<ServiceMessage><code>${code}</code><description>${text}</description></ServiceMessage>`
  const body = `<Response><ServiceMessageArray>${message}</ServiceMessageArray></Response>`
  return xml(200, `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>${body}</Body></Envelope>`)
}

const signIn: Answer = {
  status: 203,
  headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  body: '<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1></html>',
}

function jsonIn(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    return {}
  }
}

const toldToExpensify = ({ url, body }: Call): readonly [unknown, unknown] | undefined => {
  if (!url.pathname.endsWith('/ExpensifyIntegrations')) return undefined
  const job = jsonIn(new URLSearchParams(body).get('requestJobDescription') ?? '')
  const { partnerUserID, partnerUserSecret } = fieldsOf(job['credentials'])
  return [partnerUserID, partnerUserSecret]
}

const toldToLastPass = ({ url, body }: Call): readonly [unknown, unknown] | undefined => {
  if (!url.pathname.endsWith('/enterpriseapi.php')) return undefined
  const { cid, provhash } = jsonIn(body)
  return [cid, provhash]
}

const toldToVantage = ({ url, body }: Call): readonly [unknown, unknown] | undefined => {
  if (!url.pathname.endsWith('/CustomerLookupService.svc')) return undefined
  const document = parseXml(body)
  const text = (name: string): string | undefined => {
    const [found] = document === undefined ? [] : descendants(document, name)
    return found === undefined ? undefined : contentOf(found)
  }
  return [text('id'), text('password')]
}

/** What is wrong with user and password where a call tells them in its body. */
export function toldFlaw({ told }: Verdict, { issued }: Part, call: Call): string | undefined {
  const found = call.method === 'POST' ? told?.(call) : undefined
  if (found === undefined) return undefined
  const { username = '', password = '' } = issued.params
  const [user, word] = found.map((one) => scalarText(one) ?? '')
  return isSame(user ?? '', username) && isSame(word ?? '', password)
    ? undefined
    : 'the body tells another user or password'
}

/** By the name of the template's `credentials_verification_script`. */
export const verdicts: Readonly<Record<string, Verdict>> = {
  apolloCredentialsVerification: {
    yes: { healthy: true, is_logged_in: true },
    no: json(200, { healthy: true, is_logged_in: false }),
  },
  appleCalendarCredentialsVerification: {
    welcome: xml(
      207,
      '<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop><current-user-principal><href>/1/principal/</href></current-user-principal></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>',
    ),
  },
  azureDevopsCredentialsVerification: { no: signIn },
  bitdefenderCredentialsVerification: { yes: { jsonrpc: '2.0', id: null, result: {} } },
  cdwCredentialsVerification: { welcome: json(400, { message: 'The request lacks what it is to be about.' }) },
  expensifyCredentialsVerification: {
    yes: { responseCode: 200 },
    no: json(200, { responseCode: 500, responseMessage: 'Authentication error' }),
    told: toldToExpensify,
  },
  lastpassCredentialsVerification: {
    yes: { status: 'OK' },
    no: json(200, { status: 'FAIL', errors: ['Authorization Error'] }),
    told: toldToLastPass,
  },
  pushpayChmsV1CredentialsVerification: {
    welcome: xml(200, '<ccb_api><response><items count="0"/></response></ccb_api>'),
    no: xml(200, '<ccb_api><response><error number="002">Invalid username or password.</error></response></ccb_api>'),
  },
  skioCredentialsVerification: {
    yes: { data: { Orders: [] } },
    no: json(200, { errors: [{ message: 'Invalid API key', extensions: { code: 'access-denied' } }] }),
  },
  vantageApparelCredentialsVerification: {
    welcome: soap(200, 'Success'),
    no: soap(105, 'Authentication Credentials failed'),
    told: toldToVantage,
  },
}
