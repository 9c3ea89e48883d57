import { type Answer, bearerError, json } from '../answer.ts'
import { faultNamed } from '../faults.ts'
import { isDue } from '../provider.ts'
import { admitCall, type Entry } from './admit.ts'
import { bodyParams } from './canonical.ts'
import { type Fields, fieldsOf, textOf, textsWithin } from './fields.ts'
import { usedNames } from './fill.ts'
import { answerLookUp, type LookUp } from './look-ups.ts'
import type { Trial } from './place.ts'
import type { Call, Stage, TwinMode } from './stage.ts'
import { toldFlaw, verdicts } from './verdicts.ts'

/** What the API says to a call: what it was, where its credential is good; else what is wrong with it. */
export function answerApi(stage: Stage, mode: TwinMode, call: Call, trial: Trial | undefined, lookUp?: LookUp): Answer {
  const entry = entryOf(stage, mode, call, trial)
  const verdict = verdicts[textOf(stage.part.template['credentials_verification_script']) ?? '']
  const told = verdict === undefined ? undefined : toldFlaw(verdict, stage.part, call)
  if (told !== undefined) return verdict?.no ?? challenged(stage, mode, call, told)
  if ('flaw' in entry) return verdict?.no ?? challenged(stage, mode, call, entry.flaw)
  // Who asks whom they are to name cannot name them yet.
  if ('misfit' in entry && lookUp !== undefined) return answerLookUp(stage.part, lookUp)
  if ('misfit' in entry) return json(400, { error: 'invalid_request', message: `${entry.misfit}.` })
  const fault = faultNamed(entry.fault ?? stage.provider.fault?.name)
  if (fault?.at === 'api' && fault.refuse && isDue(stage.provider, fault, entry.family)) return fault.refuse()
  if (lookUp !== undefined) return answerLookUp(stage.part, lookUp)
  return mode.reply?.(stage, call) ?? verdict?.welcome ?? json(200, { ...verdict?.yes, ...description(stage, call) })
}

/** The refusal of RFC 6750 §3, with what the mode adds to its challenge. */
function challenged(stage: Stage, mode: TwinMode, call: Call, flaw: string): Answer {
  const answer = bearerError(401, 'invalid_token', `${quoted(flaw)}.`)
  const more = mode.challenge?.(stage, call)
  if (!more) return answer
  return {
    ...answer,
    headers: { ...answer.headers, 'www-authenticate': `${answer.headers['www-authenticate']}, ${more}` },
  }
}

/** A call that tries a credential may also be an ordinary one at the same place. */
function entryOf(stage: Stage, mode: TwinMode, call: Call, trial: Trial | undefined): Entry {
  const entry = admitCall(stage, mode, call, trial)
  if (trial === undefined || !('flaw' in entry || 'misfit' in entry) || Object.keys(trial.data).length > 0) return entry
  const ordinary = admitCall(stage, mode, call)
  return 'flaw' in ordinary || 'misfit' in ordinary ? entry : ordinary
}

/** Fit for a quoted string of a header. */
const quoted = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')

const hidden = '(hidden)'

function description(stage: Stage, call: Call): Fields {
  const { part } = stage
  const proxy = fieldsOf(part.template['proxy'])
  const secrets = secretsOf(stage)
  const clean = (text: string): string => secrets.reduce((whole, one) => whole.replaceAll(one, hidden), text)
  const isCarrier = (fields: unknown, name: string): boolean => usedNames(fieldsOf(fields)[name]).length > 0
  const query = [...call.url.searchParams].map(([name, value]) => [
    name,
    isCarrier(proxy['query'], name) ? hidden : clean(value),
  ])
  const body = bodyParams(call)
  const shown = body && Object.fromEntries(Object.entries(body).filter(([name]) => !isCarrier(proxy['body'], name)))
  const text = call.body === '' ? undefined : shown ? JSON.parse(clean(JSON.stringify(shown))) : clean(call.body)
  return {
    ok: true,
    provider: part.name,
    method: call.method,
    path: clean(call.url.pathname),
    query: Object.fromEntries(query),
    headers: Object.keys(call.headers),
    ...(text !== undefined && { body: text }),
  }
}

/** What was issued and is nobody's business, the longest first. */
function secretsOf(stage: Stage): readonly string[] {
  const { issued, variants } = stage.part
  const texts = [...textsWithin(variants[0]['credentials']), issued.clientSecret ?? '']
  return [...new Set(texts)].filter((text) => text.length >= 6).sort((a, b) => b.length - a.length)
}
