import type { Header } from '../model/event.ts'
import { type About, api, beside, sister, textAt, valueAt } from './look-up.ts'

export type TokenName = 'refresh token' | 'access token'

/** The call by which a provider is told that a connection is no more, where it has one of its own. */
export interface Revocation {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Undefined where this connection holds nothing that could be revoked. */
  readonly url: (about: About) => string | undefined
  /** Instead of what a call carries by its mode; one without a value takes that away. */
  readonly headers?: (about: About) => readonly Header[]
  readonly body?: (about: About) => string
  /** The provider's word for a refusal in an answer with a good status; undefined where it is none. */
  readonly refusal?: (answer: unknown) => string | undefined
  /** The status that says that the token was gone before, where one does. */
  readonly gone?: number
  /** What it takes back. */
  readonly revokes: readonly TokenName[]
}

const form: Header = ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8']
const json: Header = ['content-type', 'application/json']

const revocations: Readonly<Record<string, Revocation>> = {
  /** The token in the path is all that is asked for: a bearer that has expired must not stand in its way. */
  hubspot: {
    method: 'DELETE',
    url: (about) => {
      const { refreshToken } = about.credential
      return refreshToken === undefined
        ? undefined
        : api(`/oauth/v1/refresh-tokens/${encodeURIComponent(refreshToken)}`)(about)
    },
    headers: () => [['authorization', '']],
    gone: 404,
    revokes: ['refresh token'],
  },
  /** https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/installing-uninstalling-apps */
  intercom: {
    method: 'POST',
    url: api('/auth/uninstall'),
    headers: () => [json],
    body: () => '{}',
    revokes: ['access token', 'refresh token'],
  },
  /** https://linear.app/developers/oauth-2-0-authentication */
  linear: {
    method: 'POST',
    url: beside('revoke'),
    headers: () => [form],
    body: ({ credential }) => new URLSearchParams({ token: credential.accessToken ?? '' }).toString(),
    revokes: ['access token'],
  },
  /** By a scheme of its own; the pair goes together: https://developers.onelogin.com/api-docs/1/oauth20-tokens/revoke-tokens */
  onelogin: {
    method: 'POST',
    url: beside('../revoke'),
    headers: ({ snapshot: { client } }) => [
      ['authorization', `client_id:${client.id}, client_secret:${client.secret ?? ''}`],
      json,
    ],
    body: ({ credential }) => JSON.stringify({ access_token: credential.accessToken ?? '' }),
    revokes: ['access token', 'refresh token'],
  },
  /** As JSON; of either token, and both are gone: https://github.com/intuit/oauth-jsclient */
  quickbooks: {
    method: 'POST',
    url: sister(
      'oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
      'developer.api.intuit.com/v2/oauth2/tokens/revoke',
    ),
    headers: ({ snapshot: { client } }) => [
      ['authorization', `Basic ${Buffer.from(`${client.id}:${client.secret ?? ''}`).toString('base64')}`],
      json,
    ],
    body: ({ credential }) => JSON.stringify({ token: credential.refreshToken ?? credential.accessToken ?? '' }),
    revokes: ['access token', 'refresh token'],
  },
  /** Answers 200 to what it refuses: https://api.slack.com/methods/auth.revoke */
  slack: {
    method: 'GET',
    url: api('/auth.revoke'),
    refusal: (answer) => (valueAt(answer, 'ok') === true ? undefined : (textAt(answer, 'error') ?? 'no word of why')),
    revokes: ['access token'],
  },
}

/** The revocation of a provider of these names; undefined where it has none of its own. */
export function revocationOf(names: readonly string[]): Revocation | undefined {
  const known = names.find((name) => Object.hasOwn(revocations, name))
  return known === undefined ? undefined : revocations[known]
}
