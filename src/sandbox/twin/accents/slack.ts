import { type Answer, json } from '../../answer.ts'
import { issueTokens, person } from '../../provider.ts'
import type { Fields } from '../fields.ts'
import { scalarText } from '../fields.ts'
import { clientOf, newGrant, tokenOf, withMetadata } from '../grants.ts'
import { playedIn } from '../manner.ts'
import { anywhere } from '../proofs.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

const lifetime = 43_200

/** Scopes of the person's own, which a token of their own is for. */
const userMark = 'user:'

/** The bot's token at the top and the person's below it, each where its scopes were asked for. */
function word(stage: Stage, tokens: Fields, asked: Readonly<Record<string, string>>): Answer {
  const scopes = (scalarText(asked['user_scope']) ?? '').split(',').filter(Boolean)
  const isForUserOnly = scopes.length > 0 && !asked['scope']
  const user = scopes.length === 0 ? {} : userTokens(stage, scopes)
  const top = isForUserOnly ? {} : ofBot(tokens)
  const about = { ok: true, app_id: 'A0TWIN', enterprise: null, is_enterprise_install: false }
  return json(200, withMetadata(stage, { ...about, ...top, authed_user: { id: person.id, ...user } }))
}

function ofBot(tokens: Fields): Fields {
  const { scope, token_type: type, ...rest } = tokens
  const named = type === 'Bearer' ? { token_type: 'bot' } : type === undefined ? {} : { token_type: type }
  return { ...rest, ...named, ...(typeof scope === 'string' && { scope: scope.replaceAll(' ', ',') }) }
}

function userTokens(stage: Stage, scopes: readonly string[]): Fields {
  const grant = {
    ...newGrant(
      stage,
      scopes.map((one) => userMark + one),
    ),
    client: clientOf(stage),
  }
  const { access_token, refresh_token, expires_in } = issueTokens(stage.provider, grant, { lifetime, renewable: true })
  return { access_token, refresh_token, expires_in, scope: scopes.join(','), token_type: 'user' }
}

/** A renewed token of either kind stands at the top. */
function renewed(stage: Stage, tokens: Fields): Answer {
  const claims = tokenOf(stage, 'access', scalarText(tokens['access_token']) ?? '')
  const isUser = claims?.scopes.some((one) => one.startsWith(userMark)) ?? false
  const scope = claims?.scopes.map((one) => one.replace(userMark, '')).join(' ')
  const kind = isUser ? { token_type: 'user', authed_user: { id: person.id } } : {}
  return json(200, { ok: true, ...ofBot({ ...tokens, ...(claims && { scope }) }), ...kind })
}

const codes: Readonly<Record<string, string>> = {
  invalid_client: 'bad_client_secret',
  invalid_grant: 'invalid_code',
  invalid_request: 'invalid_arguments',
}

/** Errors are answered with 200. */
export const slack: Accent = {
  mode: playedIn({
    exchange: {
      format: 'form',
      proof: anywhere,
      lifetime,
      word,
      flaws: (_, __, params) =>
        [undefined, 'authorization_code'].includes(params['grant_type'] as string | undefined)
          ? []
          : ['this grant_type is not known'],
    },
    renewal: { format: 'form', proof: anywhere, fixed: { grant_type: ['refresh_token'] }, lifetime, word: renewed },
    refuse: (error, message) => json(200, { ok: false, error: codes[error] ?? error, detail: message }),
  }),
}
