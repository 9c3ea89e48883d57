import { describe, expect, it, test } from 'vitest'
import { trialOf } from '../../src/proofs/index.ts'
import { readXml } from '../../src/signing/xml.ts'
import { verify } from '../../src/verify.ts'
import { type Hit, openProvider, type Reply } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

const secret = 'Cr3dential-of-this-trial-0123'

interface Case {
  readonly script: string
  readonly path: string
  readonly yes: Reply
  readonly noes: readonly Reply[]
  /** What the call must be, beside its path. */
  readonly asks?: (hit: Hit) => void
}

const xml = (body: string, status = 200): Reply => ({ status, headers: { 'content-type': 'text/xml' }, body })
const multistatus = (found: string): string =>
  `<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop>${found}</prop></propstat></response></multistatus>`
/** SOAP as this service answers, with PromoStandards' messages. */
const soap = (code: number, text: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Response><ServiceMessageArray><ServiceMessage><code>${code}</code><description>${text}</description></ServiceMessage></ServiceMessageArray></Response></s:Body></s:Envelope>`
const page: Reply = { body: '<html><title>Sign in</title></html>' }

const cases: readonly Case[] = [
  {
    script: 'apolloCredentialsVerification',
    path: '/api/v1/auth/health',
    yes: { body: { healthy: true, is_logged_in: true } },
    noes: [{ body: { healthy: true, is_logged_in: false } }, { status: 401, body: {} }, page],
  },
  {
    script: 'appleCalendarCredentialsVerification',
    path: '/api/',
    yes: xml(multistatus('<current-user-principal><href>/1/principal/</href></current-user-principal>'), 207),
    noes: [
      { status: 401, body: '' },
      { status: 204 },
      page,
      xml(multistatus(''), 207),
      xml(multistatus('<current-user-principal><unauthenticated/></current-user-principal>'), 207),
    ],
    asks: ({ method, headers, body }) => {
      expect([method, headers['depth']]).toEqual(['PROPFIND', '0'])
      expect(body).toContain('current-user-principal')
    },
  },
  {
    script: 'azureDevopsCredentialsVerification',
    path: '/api/_apis/projects',
    yes: { body: { count: 0, value: [] } },
    noes: [{ ...page, status: 203 }, { status: 401 }, { status: 302, headers: { location: 'https://login.example' } }],
    asks: ({ query }) => expect(query.get('api-version')).toBe('7.0'),
  },
  {
    script: 'bitdefenderCredentialsVerification',
    path: '/api/v1.0/jsonrpc/general',
    yes: { body: { id: '1', jsonrpc: '2.0', result: { apis: ['general'] } } },
    noes: [{ body: { id: '1', error: { code: -32001, message: 'Invalid key' } } }, { status: 401 }, page],
    asks: ({ body }) => expect(JSON.parse(body)).toMatchObject({ jsonrpc: '2.0', method: 'getApiKeyDetails' }),
  },
  {
    script: 'cdwCredentialsVerification',
    path: '/api/v1/customers/orders',
    yes: { status: 400, body: { message: 'required: customerNumber' } },
    noes: [{ status: 401, body: {} }, { status: 403 }, { status: 500 }, { status: 201, body: { id: 1 } }, page],
    asks: ({ method, headers, body }) =>
      expect([method, headers['content-type'], body]).toEqual(['POST', 'application/json', '{}']),
  },
  {
    script: 'expensifyCredentialsVerification',
    path: '/api/ExpensifyIntegrations',
    yes: { body: { responseCode: 200, policyList: [] } },
    noes: [{ body: { responseCode: 401, responseMessage: 'Authentication error' } }, page],
    asks: ({ form }) =>
      expect(JSON.parse(form.get('requestJobDescription') ?? '')).toEqual({
        type: 'get',
        credentials: { partnerUserID: 'me', partnerUserSecret: secret },
        inputSettings: { type: 'policyList' },
      }),
  },
  {
    script: 'lastpassCredentialsVerification',
    path: '/api/enterpriseapi.php',
    yes: { body: { total: 0, count: 0, Users: {} } },
    noes: [
      { body: { status: 'FAIL', errors: ['Authorization Error'] } },
      { body: { error: 'no' } },
      { headers: { 'content-type': 'text/html' }, body: 'Authorization Error' },
      page,
    ],
    asks: ({ body }) => expect(JSON.parse(body)).toEqual({ cid: 'me', provhash: secret, cmd: 'getuserdata' }),
  },
  {
    script: 'pushpayChmsV1CredentialsVerification',
    path: '/api/api.php',
    yes: xml('<ccb_api><response><counter>1</counter></response></ccb_api>'),
    noes: [
      xml(
        '<ccb_api><response><errors><error number="002">Invalid username or password.</error></errors></response></ccb_api>',
      ),
      xml(
        '<ccb_api><response><error number="002" type="Login">Invalid Username or Password.</error></response></ccb_api>',
      ),
      page,
      { status: 401 },
    ],
    asks: ({ query }) => expect(query.get('srv')).toBe('api_status'),
  },
  {
    script: 'skioCredentialsVerification',
    path: '/api/v1/graphql',
    yes: { body: { data: { Orders: [] } } },
    noes: [
      { body: { errors: [{ message: 'access denied' }] } },
      { body: { data: null } },
      { body: { data: { Orders: null } } },
      page,
    ],
    asks: ({ body }) => expect(JSON.parse(body).query).toMatch(/^\{ Orders\(limit: 1\) \{ id \} \}$/),
  },
  {
    script: 'snipeItCredentialsVerification',
    path: '/api/v1/users/me',
    yes: { body: { id: 1, username: 'me' } },
    noes: [
      { body: { status: 'error', messages: 'Unauthorized' } },
      { body: { error: 'Unauthorized or unauthenticated.' } },
      page,
    ],
  },
  {
    script: 'vantageApparelCredentialsVerification',
    path: '/api/CustomerLookupService.svc',
    yes: xml(soap(160, 'No results found')),
    noes: [
      xml(soap(105, 'Authentication Credentials failed')),
      xml('<a:Envelope xmlns:a="x"><a:Body><b:code xmlns:b="y"> 105 </b:code></a:Body></a:Envelope>'),
      xml('<s:Envelope xmlns:s="x"><s:Body><s:Fault><faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>'),
      xml(soap(160, 'No results found'), 500),
      xml('<other/>'),
      xml('<s:Envelope'),
      { body: { code: 200 } },
      page,
    ],
    asks: ({ method, headers, body }) => {
      expect([method, headers['content-type'], headers['soapaction']]).toEqual([
        'POST',
        'text/xml; charset=utf-8',
        '"getAccountsByEmail"',
      ])
      expect(body).toContain('xmlns:look="https://brandedpromoapparel.com/Schema/CustomerLookupService/"')
      const told = [...body.matchAll(/<look:(\w+)>([^<]*)</g)].map(([, name, text]) => [name, text])
      expect(told).toEqual([
        ['wsVersion', '1.0.0'],
        ['id', 'me'],
        ['password', secret],
        ['keyword', 'auth-cli-trial@nobody.invalid'],
      ])
    },
  },
]

async function open(script: string, path: string, reply: () => Reply, password = secret) {
  const { origin, hits } = await openProvider({ routes: { [path]: reply } })
  const workshop = openWorkshop({
    templates: {
      tried: {
        display_name: 'Tried',
        docs: 'https://tried.example',
        auth_mode: 'BASIC',
        credentials_verification_script: script,
        proxy: { base_url: `${origin}/api/` },
      },
    },
  })
  return { hits, workshop, connect: () => workshop.connect('tried', { params: { username: 'me', password } }) }
}

describe.each(cases)('$script', ({ script, path, yes, noes, asks }) => {
  it('takes a yes, at connecting and ever after', async () => {
    const { hits, workshop, connect } = await open(script, path, () => yes)
    await connect()
    asks?.(hits[0] as Hit)
    expect(await verify(workshop.world, 'tried')).toMatchObject({ proof: { status: yes.status ?? 200 } })
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'credential.verified' }))
    expect(workshop.told()).not.toContain(secret)
  })

  it('takes nothing else for one, and saves nothing', async () => {
    for (const no of noes) {
      const { workshop, connect } = await open(script, path, () => no)
      const error = await failure(connect())
      expect(error, JSON.stringify(no)).toMatchObject({
        code: 'VERIFICATION_FAILED',
        exitCode: 4,
        status: no.status ?? 200,
      })
      expect(await workshop.world.store.connections.read('tried')).toBeUndefined()
      expect(`${error.message}${JSON.stringify(error.facts)}${workshop.told()}`).not.toContain(secret)
    }
  })
})

it('writes what was given into SOAP as XML wants it, and shows none of it', async () => {
  const script = 'vantageApparelCredentialsVerification'
  const password = 'Cr3d<&>"t1al\'-0123'
  const yes = xml(soap(160, 'No results found'))
  const { hits, workshop, connect } = await open(script, '/api/CustomerLookupService.svc', () => yes, password)
  await connect()
  expect(await readXml(hits[0]?.body ?? '')).toMatchObject({
    'soap:Envelope': { 'soap:Body': { 'look:GetAccountsByEmailRequest': { 'look:password': password } } },
  })
  expect(workshop.told()).not.toMatch(/Cr3d|t1al/)
})

it('refuses what no XML can hold, before anything is sent', async () => {
  const script = 'vantageApparelCredentialsVerification'
  const { hits, connect } = await open(script, '/api/CustomerLookupService.svc', () => page, 'Cr3dential-\u0001-0123')
  expect(await failure(connect())).toMatchObject({ code: 'BAD_FLAG', exitCode: 2 })
  expect(hits).toEqual([])
})

it('asks AWS whose keys they are, signed for its token service', async () => {
  const call = await trialOf({ credentials_verification_script: 'awsIamCredentialsVerification' })?.call({
    given: { username: 'AKIDEXAMPLE', password: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    now: new Date('2015-08-30T12:36:00Z'),
  })
  expect(call).toMatchObject({
    method: 'POST',
    target: 'https://sts.amazonaws.com/',
    body: expect.stringMatching(/^Action=GetCallerIdentity&/),
  })
  expect(call?.headers?.[0]?.[1]).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/us-east-1\/sts\/aws4_request, /,
  )
})

test.each(['toString', 'somebodysOwn'])(
  'knows no %s: what it would prove is saved untested, and that is said',
  async (script) => {
    expect(trialOf({ credentials_verification_script: script })).toBeUndefined()
    const { hits, workshop, connect } = await open(script, '/', () => ({}))
    await connect()
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'UNTESTED' }))
    expect(hits).toEqual([])
  },
)
