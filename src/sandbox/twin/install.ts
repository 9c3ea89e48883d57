import type { Answer } from '../answer.ts'
import { redirectUriFlaw } from '../authorize.ts'
import { noticePage } from '../page.ts'
import { chosenFault, showConsent } from './consent.ts'
import type { Call, Stage } from './stage.ts'

/**
 * The page where something is installed. The request has a state and nothing else that is needed; the browser goes back
 * to what was registered, or to a `redirect_uri` of the request.
 */
export function askToInstall(stage: Stage, call: Call, stateName: string): Answer {
  const query = call.url.searchParams
  const state = query.get(stateName)
  const redirectUri = query.get('redirect_uri') ?? stage.callbackUrl
  const unfit = redirectUriFlaw(redirectUri)
  if (!state) return noticePage(400, 'This request cannot be answered', `It has no ${stateName}.`)
  if (unfit !== undefined) return noticePage(400, 'This request cannot be answered', `${redirectUri}: ${unfit}`)
  const chosen = chosenFault(stage, call.query)
  if (typeof chosen === 'object') return chosen
  const params = Object.fromEntries(query)
  return showConsent(stage, { redirectUri, state, scopes: [], challenge: undefined, params }, chosen)
}
