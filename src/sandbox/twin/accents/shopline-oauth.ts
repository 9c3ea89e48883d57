import { createHmac } from 'node:crypto'
import { type Answer, json } from '../../answer.ts'
import { isSame } from '../../seal.ts'
import { type Fields, parsedFields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { rerun } from '../rerun.ts'
import { type Call, headerOf, type Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

const skew = 600_000

/** The app's key, the time in milliseconds, and an HMAC-SHA256 of body and time under its secret. */
function proof({ part, provider }: Stage, call: Call): string | undefined {
  const { clientId = '', clientSecret = '' } = part.issued
  const time = headerOf(call, 'timestamp') ?? ''
  if (!isSame(headerOf(call, 'appkey') ?? '', clientId)) return 'the header appkey is not the key of this app'
  if (!/^\d{13}$/.test(time) || Math.abs(Number(time) - provider.now()) > skew) {
    return 'the header timestamp is not the present time in milliseconds'
  }
  const sign = createHmac('sha256', clientSecret)
    .update(call.body + time)
    .digest('hex')
  return isSame(headerOf(call, 'sign') ?? '', sign) ? undefined : 'the header sign does not fit the body and the time'
}

function word({ provider }: Stage, tokens: Fields): Answer {
  const { access_token: accessToken, expires_in: seconds, scope, ...rest } = tokens
  const expireTime = typeof seconds === 'number' ? new Date(provider.now() + seconds * 1000).toISOString() : undefined
  const { token_type: _, ...odd } = rest
  return json(200, { code: 200, i18nCode: 'SUCCESS', message: null, data: { accessToken, expireTime, scope, ...odd } })
}

const lifetime = 10 * 3600

/** Every request is signed; a younger token is had without a refresh token. */
export const shoplineOAuth: Accent = {
  mode: playedIn({
    exchange: {
      format: (call) => {
        const params = parsedFields(call.body)
        return params === undefined ? { flaw: 'the body is no JSON object' } : { params }
      },
      proof,
      redirectUri: 'free',
      isRenewable: false,
      lifetime,
      word,
    },
    renewal: {
      at: 'refresh_url',
      format: () => ({ params: {} }),
      proof,
      answer: (stage) => rerun(stage, [], (tokens) => word(stage, tokens), { lifetime }),
    },
    refuse: (error, message, status) => json(status, { code: status, i18nCode: error.toUpperCase(), message }),
  }),
}
