import { type Answer, oauthError } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { scalarText } from '../fields.ts'
import { bearerAnswer, refused } from '../grants.ts'
import { type Manner, playedIn } from '../manner.ts'
import { readParams } from '../params.ts'
import { inBody } from '../proofs.ts'
import { rerun } from '../rerun.ts'
import type { Call, Endpoint, Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

const words = (params: Fields): readonly string[] | undefined => scalarText(params['scope'])?.split(' ').filter(Boolean)

const refuse = (error: string, message: string, status: number): Answer =>
  oauthError(status, error, `AADSTS90002: ${message}`)

/** What the Microsoft identity platform has in common: a refresh token is for any resource and outlives its use. */
const platform: Manner = {
  exchange: { format: 'form', proof: inBody, fixed: { grant_type: ['authorization_code'] } },
  renewal: {
    format: 'form',
    proof: inBody,
    fixed: { grant_type: ['refresh_token'] },
    rotation: 'doubled',
    scopes: words,
  },
  refuse,
}

export const microsoftFiles: Accent = { mode: playedIn(platform) }

const botScope = 'https://api.botframework.com/.default'

/** The token that the Bot Framework takes is one of the application's own. */
function grantBot(stage: Stage, call: Call): Answer {
  const read = readParams(call, 'form')
  if ('flaw' in read) return refused([read.flaw])
  const flaw = inBody(stage, call, read.params)
  if (flaw !== undefined) return refuse('invalid_client', `${flaw}.`, 401)
  if (read.params['grant_type'] !== 'client_credentials') return refused(['grant_type is not client_credentials'])
  if (read.params['scope'] !== botScope) return refused([`scope is not ${botScope}`], 'invalid_scope')
  return rerun(stage, [botScope], (tokens) => bearerAnswer(stage, tokens))
}

function botEndpoints(stage: Stage): readonly Endpoint[] {
  const url = new URL('https://login.microsoftonline.com/botframework.com/oauth2/v2.0/token')
  return [{ what: 'where bots get their token', url, methods: ['POST'], answer: (call) => grantBot(stage, call) }]
}

/** The person's token is for Microsoft Graph; a second one, for the bot, is asked for beside it. */
export const microsoftTeamsBot: Accent = {
  mode: playedIn({ ...platform, also: botEndpoints }),
}
