import { type Answer, json } from '../../answer.ts'
import { isSame } from '../../seal.ts'
import { textOf } from '../fields.ts'
import { fillUrl } from '../fill.ts'
import { checkSealed, refused } from '../grants.ts'
import { uuidFor } from '../made-up.ts'
import { readParams } from '../params.ts'
import { rerun } from '../rerun.ts'
import { type Admission, type Call, type Endpoint, headerOf, type Stage, type TwinMode } from '../stage.ts'

const sessionSeconds = 35 * 60

/** The members of a login and the questions whose answers they are. */
const members = {
  username: 'username',
  password: 'password',
  organizationId: 'organization_id',
  devKey: 'dev_key',
} as const

function signIn(stage: Stage, call: Call): Answer {
  const { params: issued } = stage.part.issued
  const read = readParams(call, 'json')
  if ('flaw' in read) return refused([read.flaw])
  const flaws = Object.entries(members).flatMap(([name, key]) => {
    const sent = read.params[name]
    if (sent === undefined) return [`${name} is missing`]
    return typeof sent === 'string' && isSame(sent, issued[key] ?? '') ? [] : [`${name} is another`]
  })
  if (flaws.length > 0) return refused(flaws, 'BDC_1102', 401)
  const word = (tokens: Readonly<Record<string, unknown>>): Answer => {
    const { access_token: sessionId, expires_in: _, token_type: __, scope: ___, ...rest } = tokens
    const user = { organizationId: issued['organization_id'], userId: uuidFor(`${stage.part.name}\nuser`) }
    return json(200, { ...rest, ...(sessionId !== undefined && { sessionId }), ...user })
  }
  return rerun(stage, [], word, { lifetime: sessionSeconds })
}

function admit(stage: Stage, call: Call): Admission {
  const session = headerOf(call, 'sessionid')
  const key = headerOf(call, 'devkey')
  if (session === undefined) return { flaw: 'the header sessionId is missing' }
  if (key === undefined) return { flaw: 'the header devKey is missing' }
  if (!isSame(key, stage.part.issued.params['dev_key'] ?? '')) return { flaw: 'the header devKey is another' }
  return checkSealed(stage, session)
}

function endpoints(stage: Stage): readonly Endpoint[] {
  const url = fillUrl(textOf(stage.part.template['token_url']) ?? '', { roots: stage.part.variants[0], time: 0 })
  if (url === undefined) return []
  return [{ what: 'the token endpoint', url, methods: ['POST'], answer: (call) => signIn(stage, call) }]
}

/** A login with four secrets for a session of 35 minutes. */
export const bill: TwinMode = { endpoints, admit }
