import { type Answer, json } from '../../answer.ts'
import { isSame } from '../../seal.ts'
import { basicOf } from '../client-proof.ts'
import { parsedFields, scalarText, textOf } from '../fields.ts'
import { refused } from '../grants.ts'
import { rerun } from '../rerun.ts'
import { signatureFlaw } from '../sigv4.ts'
import { type Admission, type Call, type Endpoint, headerOf, type Stage, type TwinMode } from '../stage.ts'
import { answerSts, credentialsOf, sessionOf, stsUrls } from '../sts.ts'

const of = (stage: Stage, key: string): string => stage.part.issued.params[key] ?? ''

const regionOf = (stage: Stage): string | undefined => of(stage, 'region') || of(stage, 'defaultRegion') || undefined

/** Why a custom token service does not know its caller. */
function callerFlaw(stage: Stage, call: Call): string | undefined {
  switch (of(stage, 'stsAuthType')) {
    case 'api_key': {
      const name = of(stage, 'stsAuthHeader') || 'x-api-key'
      const sent = headerOf(call, name)
      return sent !== undefined && isSame(sent, of(stage, 'stsApiKey'))
        ? undefined
        : `the header ${name} is not the key`
    }
    case 'basic': {
      const basic = basicOf(call)
      const isRight =
        basic !== undefined &&
        isSame(basic.user, of(stage, 'stsAuthUsername')) &&
        isSame(basic.password, of(stage, 'stsAuthPassword'))
      return isRight ? undefined : 'the Authorization header is not Basic with user and password'
    }
    default:
      return undefined
  }
}

/** A token service of one's own: who asks, for which role, answered with keys under both ways of writing their names. */
function answerCustom(stage: Stage, call: Call): Answer {
  const flaw = callerFlaw(stage, call)
  if (flaw !== undefined) return refused([flaw], 'unauthorized', 401)
  const sent = parsedFields(call.body)
  if (sent === undefined) return refused(['the body is no JSON object'])
  const role = ['roleArn', 'role_arn', 'RoleArn'].map((name) => scalarText(sent[name])).find(Boolean)
  if (role !== of(stage, 'role_arn')) return refused(['the role is not the one that was issued'])
  return rerun(stage, [], (tokens) => {
    const keys = credentialsOf(stage, tokens)
    const lower = Object.entries(keys).map(([name, value]) => [`${name[0]?.toLowerCase()}${name.slice(1)}`, value])
    return json(200, { ...Object.fromEntries(lower), Credentials: keys })
  })
}

function endpoints(stage: Stage): readonly Endpoint[] {
  const base = { accessKeyId: of(stage, 'awsAccessKeyId'), secretAccessKey: of(stage, 'awsSecretAccessKey') }
  const custom = textOf(stage.part.issued.params['stsEndpointUrl'])
  const sts = stsUrls(regionOf(stage)).map((url) => ({
    what: 'the token service',
    url,
    methods: ['POST', 'GET'],
    answer: (call: Call) => answerSts(stage, call, base, of(stage, 'role_arn')),
  }))
  if (custom === undefined || !URL.canParse(custom)) return sts
  const own = { what: 'your token service', url: new URL(custom), methods: ['POST'] }
  return [{ ...own, answer: (call: Call) => answerCustom(stage, call) }, ...sts]
}

function admit(stage: Stage, call: Call): Admission {
  const session = sessionOf(stage, call)
  if ('flaw' in session) return session
  const wish = { ...session, region: regionOf(stage), service: of(stage, 'service') }
  const flaw = signatureFlaw(call, wish, stage.provider.now())
  return flaw === undefined ? { family: `self ${stage.part.name}` } : { flaw }
}

/** A role that is assumed for an hour, and calls that are signed with its keys (AWS Signature Version 4). */
export const awsSigV4: TwinMode = { endpoints, admit }
