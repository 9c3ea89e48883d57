import type { Connection } from '../model/connection.ts'
import type { Header } from '../model/event.ts'

/** What a step may know: the connection as it is so far. */
export type About = Pick<Connection, 'params' | 'credential' | 'scopes' | 'snapshot'>

/** The answers that a step found, by the names of `connection_config`; undefined where it found none. */
export type Findings = Readonly<Record<string, string | undefined>>

/** One call to the provider's API with the new credential, and what is read from its answer. */
export interface Step {
  readonly method?: 'GET' | 'POST' | 'PUT' | undefined
  /** Undefined where this connection does without the step. */
  readonly url: (about: About) => string | undefined
  /** Instead of what a call carries by its mode. */
  readonly headers?: (about: About) => readonly Header[]
  /** Sent as JSON. */
  readonly body?: unknown
  readonly take: (answer: unknown, about: About) => Findings
  /** What is found where the call is refused, if that tells something; undefined where it does not. */
  readonly refused?: (status: number) => Findings | undefined
}

/** What is looked up once a connection is made, and kept with its answers. */
export interface LookUp {
  /** The answers that somebody may miss. */
  readonly keys: readonly string[]
  /** What the credential itself tells, without a call. */
  readonly read?: (about: About) => Findings
  readonly steps?: readonly Step[]
}

/** A place below the API's base URL; undefined while that is not known. */
export function api(path: string): (about: About) => string | undefined {
  return ({ snapshot }) => {
    const base = snapshot.endpoints.api
    return base === undefined ? undefined : `${base.replace(/\/+$/, '')}${path}`
  }
}

/** A place relative to the token endpoint: its neighbour (`userinfo`) or further off (`../x`). */
export function beside(path: string): (about: About) => string | undefined {
  return ({ snapshot }) => {
    const { token } = snapshot.endpoints
    return token === undefined ? undefined : new URL(path, token).href
  }
}

/**
 * A sister address of the token endpoint: `from` in it replaced by `to`; where `from` does not stand there, for the
 * provider is elsewhere, the path of `to` at the same origin. No credential goes where the template does not lead.
 */
export function sister(from: string, to: string): (about: About) => string | undefined {
  return ({ snapshot }) => {
    const { token } = snapshot.endpoints
    if (token === undefined) return undefined
    if (token.includes(from)) return token.split(/[?#]/)[0]?.replace(from, to)
    return new URL(to.slice(to.indexOf('/')), token).href
  }
}

/** The member at a dotted path (`a.0.b`), as text; undefined where it is neither text nor number. */
export function textAt(value: unknown, path: string): string | undefined {
  const found = valueAt(value, path)
  return (typeof found === 'string' && found !== '') || typeof found === 'number' ? String(found) : undefined
}

export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (found, key) =>
        typeof found === 'object' && found !== null && Object.hasOwn(found, key)
          ? (found as Record<string, unknown>)[key]
          : undefined,
      value,
    )
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The only one of a list; undefined where there are several, of which nobody chose one, or none. */
export function onlyOne(list: readonly unknown[]): unknown {
  return list.length === 1 ? list[0] : undefined
}

/** Reads each key at its path. */
export function take(paths: Readonly<Record<string, string>>): Step['take'] {
  return (answer) => Object.fromEntries(Object.entries(paths).map(([key, path]) => [key, textAt(answer, path)]))
}

/** The claims of the access token where that is a JWT; read, not believed. */
export function claimsOf({ credential }: About): unknown {
  const [, payload] = (credential.accessToken ?? '').split('.')
  try {
    return JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
