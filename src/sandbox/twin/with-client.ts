import type { Answer } from '../answer.ts'
import { type ProofStyle, proofFlaw, unproven } from './client-proof.ts'
import type { Fields } from './fields.ts'
import { refused } from './grants.ts'
import { type BodyFormat, readParams } from './params.ts'
import type { Call, Stage } from './stage.ts'

/** How the template has the client of an authorization server prove itself. */
export function proofStyle(template: Fields): ProofStyle {
  if (template['authorization_method'] === 'header') return 'header'
  return template['token_request_auth_method'] === 'basic' ? 'both' : 'body'
}

/** Reads the request and proves the client, or refuses; then lets `answer` do the rest. */
export function withClient(stage: Stage, call: Call, format: BodyFormat, answer: (params: Fields) => Answer): Answer {
  const read = readParams(call, format)
  if ('flaw' in read) return refused([read.flaw])
  const flaw = proofFlaw(stage, call, read.params, proofStyle(stage.part.template))
  return flaw === undefined ? answer(read.params) : unproven(call, flaw)
}
