import { describe, expect, it } from 'vitest'
import { dialectOf } from '../../src/dialects/index.ts'
import { speak } from '../../src/dialects/speak.ts'
import type { Dialect, Setting, TokenAnswer } from '../../src/model/dialect.ts'

const setting: Setting = {
  template: { auth_mode: 'OAUTH2', scope_separator: ',', alternate_access_token_response_path: 'authed_user' },
  endpoints: { authorization: 'https://slack.test/a', token: 'https://slack.test/t' },
  params: {},
  scopes: [],
  grant: 'authorization_code',
  tokenParams: {},
}

async function hear(body: unknown, accent: Dialect): Promise<TokenAnswer & { remarks: string[] }> {
  const remarks: string[] = []
  const answer = { status: 200, headers: [['content-type', 'application/json'] as const], text: JSON.stringify(body) }
  const line = speak(
    accent,
    async () => answer,
    setting,
    (remark) => void remarks.push(remark),
  )
  const understood = await line('https://slack.test/t', { method: 'POST', headers: {}, body: null })
  expect(understood.raw).toBe(answer)
  return { ...understood.answer, remarks }
}

const bot = { ok: true, access_token: 'xoxb-1', token_type: 'bot', scope: 'chat:write,users:read', team: { id: 'T' } }
const user = { id: 'U1', access_token: 'xoxp-1', token_type: 'user', scope: 'search:read' }

describe("Slack's accent", () => {
  it.each([
    ['a bot token', bot, { access_token: 'xoxb-1', token_type: 'bearer', scope: 'chat:write users:read' }],
    [
      'a bot token beside a user token',
      { ...bot, authed_user: user },
      { access_token: 'xoxb-1', token_type: 'bearer', authed_user: user },
    ],
    [
      'a user token alone',
      { ok: true, authed_user: user },
      { access_token: 'xoxp-1', token_type: 'bearer', scope: 'search:read' },
    ],
    [
      'a user token that turns',
      { ok: true, authed_user: { ...user, refresh_token: 'xoxe-1', expires_in: 43200 } },
      { access_token: 'xoxp-1', refresh_token: 'xoxe-1', expires_in: 43200 },
    ],
  ])('is understood: %s', async (_, body, members) => {
    const heard = await hear(body, dialectOf('slack'))
    expect(heard).toMatchObject({ status: 200, json: members })
    expect(heard.remarks).not.toEqual([])
  })

  it.each([
    [{ ok: false, error: 'invalid_code' }, { error: 'invalid_code' }],
    [
      { ok: false, error: 'missing_scope', needed: 'chat:write' },
      { error: 'missing_scope', error_description: 'needs chat:write' },
    ],
    [{ ok: false }, { error: 'slack_error' }],
  ])('says no with status 200: %j', async (body, json) => {
    const heard = await hear(body, dialectOf('slack'))
    expect(heard).toMatchObject({ status: 400, json })
    expect(heard.remarks).toContain('Slack answers 200 to a refusal, with "ok": false')
  })

  it('shares its token types with the words: they mean Bearer under any name', async () => {
    expect(await hear({ ok: true, authed_user: user }, {})).toMatchObject({ json: { token_type: 'bearer' } })
  })

  it.each(['github', 'constructor', '__proto__', ''])('is not spoken by %j', (name) => {
    expect(dialectOf(name)).toEqual({})
  })
})
