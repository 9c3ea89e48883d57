import { tokenFlaws } from '../signed.ts'
import type { Admission, Stage, TwinMode } from '../stage.ts'

function checkToken(stage: Stage, token: string): Admission {
  const flaws = tokenFlaws(stage, token, 'the token')
  return flaws.length > 0 ? { flaw: flaws.join('; ') } : { family: `self ${stage.part.name}` }
}

/** A token that the client signs by itself (RFC 7519), as the template's `token` and `signature` say. */
export const jwt: TwinMode = { checkToken, carrier: 'bearer' }
