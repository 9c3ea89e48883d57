import type { Header } from '../model/event.ts'
import { type About, api, beside } from './look-up.ts'

export type TokenName = 'refresh token' | 'access token'

/** The call by which a provider is told that a connection is no more, where it has one of its own. */
export interface Revocation {
  readonly method: 'POST' | 'DELETE'
  /** Undefined where this connection holds nothing that could be revoked. */
  readonly url: (about: About) => string | undefined
  /** Instead of what a call carries by its mode. */
  readonly headers?: (about: About) => readonly Header[]
  readonly body?: (about: About) => string
  /** What it takes back. */
  readonly revokes: readonly TokenName[]
}

const form: Header = ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8']

const revocations: Readonly<Record<string, Revocation>> = {
  hubspot: {
    method: 'DELETE',
    url: (about) => {
      const { refreshToken } = about.credential
      return refreshToken === undefined
        ? undefined
        : api(`/oauth/v1/refresh-tokens/${encodeURIComponent(refreshToken)}`)(about)
    },
    revokes: ['refresh token'],
  },
  intercom: { method: 'POST', url: api('/auth/uninstall'), revokes: ['access token', 'refresh token'] },
  linear: {
    method: 'POST',
    url: beside('revoke'),
    headers: () => [form],
    body: ({ credential }) => new URLSearchParams({ token: credential.accessToken ?? '' }).toString(),
    revokes: ['access token'],
  },
  onelogin: {
    method: 'POST',
    url: beside('../revoke'),
    headers: ({ snapshot: { client } }) => [
      ['authorization', `Basic ${Buffer.from(`${client.id}:${client.secret ?? ''}`).toString('base64')}`],
      ['content-type', 'application/json'],
    ],
    body: ({ credential }) => JSON.stringify({ access_token: credential.accessToken ?? '' }),
    revokes: ['access token'],
  },
}

/** The revocation of a provider of these names; undefined where it has none of its own. */
export function revocationOf(names: readonly string[]): Revocation | undefined {
  const known = names.find((name) => Object.hasOwn(revocations, name))
  return known === undefined ? undefined : revocations[known]
}
