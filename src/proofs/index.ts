import { awsAuthorization, awsDate } from '../signing/aws.ts'
import { type Call, type Known, objectionIn, objectionUnless, type Reply, type Trial } from './trial.ts'
import { vantageApparel } from './vantage-apparel.ts'

const json = ['content-type', 'application/json'] as const
const form = ['content-type', 'application/x-www-form-urlencoded'] as const

/**
 * The trials that templates name as their `credentials_verification_script`, each as the provider documents its API. One
 * that no public document describes is not here, and its credentials are saved untested.
 */
const trials: Readonly<Record<string, Trial>> = {
  /** Its health check answers 200 to anybody, and says in its body whether the key is known. */
  apolloCredentialsVerification: {
    call: () => ({ method: 'GET', target: '/v1/auth/health' }),
    objection: objectionIn(({ is_logged_in: isLoggedIn }) =>
      isLoggedIn === true ? undefined : 'does not know the key',
    ),
  },
  /** WebDAV (RFC 4918, RFC 5397): a user may ask who they are. */
  appleCalendarCredentialsVerification: {
    call: () => ({
      method: 'PROPFIND',
      target: '/',
      headers: [
        ['depth', '0'],
        ['content-type', 'application/xml; charset=utf-8'],
      ],
      body: '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>',
    }),
    objection: ({ status, text }) => {
      if (status !== 207) return `answered ${status}`
      if (!/[<:]current-user-principal\b/.test(text)) return 'answered 207 without saying who it takes one for'
      return /[<:]unauthenticated\b/.test(text) ? 'takes nobody to be signed in' : undefined
    },
  },
  /** Every key of AWS may ask whose it is. */
  awsIamCredentialsVerification: { call: callerIdentity, objection: objectionUnless(200) },
  /** A token that is none gets a sign-in page, with 203. */
  azureDevopsCredentialsVerification: {
    call: () => ({ method: 'GET', target: '/_apis/projects?$top=1&api-version=7.0' }),
    objection: objectionUnless(200),
  },
  /** https://www.bitdefender.com/business/support/en/77209-140282-getapikeydetails.html */
  bitdefenderCredentialsVerification: {
    call: () => ({
      method: 'POST',
      target: '/v1.0/jsonrpc/general',
      headers: [json],
      body: JSON.stringify({ jsonrpc: '2.0', id: '1', method: 'getApiKeyDetails', params: {} }),
    }),
    objection: objectionIn(({ error, result }) =>
      (error === undefined || error === null) && result !== undefined ? undefined : 'answered the call with an error',
    ),
  },
  /**
   * It has nothing to read: it takes orders. One that is empty orders nothing and creates nothing: its gateway answers 401
   * to a key that it does not know, and only behind that its schema refuses what lacks everything, with 400.
   */
  cdwCredentialsVerification: {
    call: () => ({ method: 'POST', target: '/v1/customers/orders', headers: [json], body: '{}' }),
    objection: objectionUnless(400),
  },
  /**
   * Errors come with 200, and their own code in the body:
   * https://integrations.expensify.com/Integration-Server/doc/#policy-list-getter
   */
  expensifyCredentialsVerification: {
    call: ({ given }) => ({
      method: 'POST',
      target: '/ExpensifyIntegrations',
      headers: [form],
      body: new URLSearchParams({
        requestJobDescription: JSON.stringify({
          type: 'get',
          credentials: { partnerUserID: given['username'] ?? '', partnerUserSecret: given['password'] ?? '' },
          inputSettings: { type: 'policyList' },
        }),
      }).toString(),
    }),
    objection: objectionIn(({ responseCode: code }) =>
      code === 200 || code === '200' ? undefined : `answered with the code ${named(code)}`,
    ),
  },
  /** Errors come with 200: as a status of their own, or as a text that is no JSON. */
  lastpassCredentialsVerification: {
    call: ({ given }) => ({
      method: 'POST',
      target: '/enterpriseapi.php',
      headers: [json],
      body: JSON.stringify({
        cid: given['username'] ?? '',
        provhash: given['password'] ?? '',
        cmd: 'getuserdata',
      }),
    }),
    objection: objectionIn(({ status, error, errors }) =>
      /^(fail|error)/i.test(String(status ?? '')) || isSaid(error) || isSaid(errors)
        ? 'answered with an error'
        : undefined,
    ),
  },
  /** Errors come as XML with 200. */
  pushpayChmsV1CredentialsVerification: {
    call: () => ({ method: 'GET', target: '/api.php?srv=api_status' }),
    objection: ({ status, text }) => {
      if (status < 200 || status > 299) return `answered ${status}`
      if (/<error[\s>]/i.test(text)) return 'answered with an error'
      return /<ccb_api[\s>]/i.test(text) ? undefined : `answered ${status} with something else than its API's XML`
    },
  },
  /** GraphQL answers 200 to what it refuses: https://code.skio.com/ */
  skioCredentialsVerification: {
    call: () => ({
      method: 'POST',
      target: '/v1/graphql',
      headers: [json],
      body: JSON.stringify({ query: '{ Orders(limit: 1) { id } }' }),
    }),
    objection: objectionIn(({ data, errors }) =>
      !isSaid(errors) && Array.isArray((data as { Orders?: unknown } | null | undefined)?.Orders)
        ? undefined
        : 'answered the query with something else than orders',
    ),
  },
  /**
   * Anybody may ask who they are. Errors come with 200 and a status of their own; without a token that is known, a page:
   * https://snipe-it.readme.io/reference/authenticating-with-the-api
   */
  snipeItCredentialsVerification: {
    call: () => ({ method: 'GET', target: '/v1/users/me' }),
    objection: objectionIn(({ status, error }) =>
      status === 'error' || isSaid(error) ? 'answered with an error' : undefined,
    ),
  },
  vantageApparelCredentialsVerification: vantageApparel,
}

/** The trial that a template names; undefined where it names none, or one that is not known. */
export function trialOf(template: { readonly [field: string]: unknown }): Trial | undefined {
  const name = template['credentials_verification_script']
  return typeof name === 'string' && Object.hasOwn(trials, name) ? trials[name] : undefined
}

function callerIdentity({ given, now }: Known): Call {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15'
  const contentType = 'application/x-www-form-urlencoded; charset=utf-8'
  const authorization = awsAuthorization({
    keyId: given['username'] ?? '',
    secret: given['password'] ?? '',
    region: 'us-east-1',
    service: 'sts',
    host: 'sts.amazonaws.com',
    method: 'POST',
    path: '/',
    query: '',
    body,
    contentType,
    now,
  })
  return {
    method: 'POST',
    target: 'https://sts.amazonaws.com/',
    headers: [
      ['authorization', authorization],
      ['x-amz-date', awsDate(now)],
      ['content-type', contentType],
    ],
    body,
  }
}

function isSaid(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length > 0
    : value !== undefined && value !== null && value !== false && value !== ''
}

function named(code: unknown): string {
  return typeof code === 'number' || (typeof code === 'string' && /^\w{1,20}$/.test(code))
    ? String(code)
    : 'of no success'
}

export type { Call, Known, Reply, Trial }
