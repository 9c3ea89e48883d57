import { type Connection, isSecretAnswer } from '../../model/connection.ts'
import type { Client } from '../../model/integration.ts'
import { isSecretName, mayHold, replacer } from '../../model/secret.ts'
import { isJwtShaped } from './jwt.ts'

export interface MaskOptions {
  /** Leaves the credential readable; everything else stays masked. */
  readonly reveal?: boolean | undefined
  /** Masks secrets of this run that the connection does not know as its own: a spent code in what the provider said. */
  readonly scrub?: ((text: string) => string) | undefined
  /** The connection as it is on disk: for `export` and `--print`. */
  readonly whole?: boolean | undefined
}

type Mask = (value: string) => string

/**
 * A copy fit to be shown: every secret in it wears its mask, found by where it stands (`accessToken`), by the name of its
 * field, by its shape (a JWT), and by its value wherever else it turns up, in any spelling.
 */
export function maskedConnection(connection: Connection, mask: Mask, options: MaskOptions = {}): Connection {
  if (options.whole) return connection
  const known = knownSecrets(connection)
  const { credential, snapshot } = connection
  const named = {
    ...connection,
    params: maskParams(connection, mask),
    metadata: maskFields(connection.metadata, mask) as Connection['metadata'],
    snapshot: {
      ...snapshot,
      client: maskClient(snapshot.client, mask),
      tokenParams: maskFields(snapshot.tokenParams, mask) as typeof snapshot.tokenParams,
      template: maskTemplate(snapshot.template, mask) as typeof snapshot.template,
    },
  }
  if (options.reveal) return { ...sweep(named, known, mask, options.scrub), credential }
  return sweep(
    { ...named, credential: { ...maskCredential(connection, mask), masked: true } },
    known,
    mask,
    options.scrub,
  )
}

function maskClient(client: Client, mask: Mask): Client {
  const { secret, registration } = client
  return {
    ...client,
    ...(secret === undefined ? {} : { secret: mask(secret) }),
    ...(registration === undefined ? {} : { registration: maskFields(registration, mask) as typeof registration }),
  }
}

/** Said about a secret without being one. */
const benign = /(?:^|_)(?:type|scopes?|expires?|expiry|expiration|(?:at|in|on)|created|updated|format|alg|kid)$/

/**
 * A value with its secrets masked: every string that stands under a secret's name, however deep, a number whose own name is
 * one, and every JWT.
 */
export function maskFields(value: unknown, mask: Mask, secret = false, name = ''): unknown {
  if (typeof value === 'string') {
    if (value === '') return value
    return secret || isJwtShaped(value) ? mask(value) : maskUrl(value, mask)
  }
  if (typeof value === 'number') return isSecretName(name) ? mask(String(value)) : value
  if (Array.isArray(value)) return value.map((item) => maskFields(item, mask, secret, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const innocent = benign.test(key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase())
      return [key, maskFields(inner, mask, isSecretName(key) || (secret && !innocent), key)]
    }),
  )
}

/** Secrets in a form, in the query or the fragment of a URL, and the password in front of its host. */
function maskUrl(text: string, mask: Mask): string {
  if (!/[=@]/.test(text)) return text
  return text
    .replace(/(^|[?&#;])([^=&#;?\s]+)=([^&#;\s]+)/g, (whole, before: string, name: string, value: string) =>
      isSecretName(name) ? `${before}${name}=${mask(value)}` : whole,
    )
    .replace(
      /(:\/\/[^/?#@:\s]*:)([^/?#@\s]+)@/g,
      (_, before: string, password: string) => `${before}${mask(password)}@`,
    )
}

function maskParams(connection: Connection, mask: Mask): Connection['params'] {
  const masked = Object.entries(connection.params).map(([key, value]) => [
    key,
    isSecretParam(connection, key) ? mask(value) : maskUrl(value, mask),
  ])
  return Object.fromEntries(masked)
}

function isSecretParam(connection: Connection, key: string): boolean {
  return connection.snapshot.template.connection_config?.[key]?.secret === true || isSecretName(key)
}

/** A credential member by member: what was given by what the template calls secret, what came along as a whole. */
function maskCredential(connection: Connection, mask: Mask): Connection['credential'] {
  const { given, captured, username, ...rest } = connection.credential
  const masked = maskFields(rest, mask) as typeof rest
  const fields = (values: Readonly<Record<string, string>>, isSecret: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        value !== '' && (isSecret(name) || isJwtShaped(value)) ? mask(value) : value,
      ]),
    )
  const name = username !== undefined && username !== '' && isSecretAnswer(connection, 'username')
  return {
    ...masked,
    ...(username === undefined ? {} : { username: name ? mask(username) : username }),
    ...(given === undefined ? {} : { given: fields(given, (key) => isSecretAnswer(connection, key)) }),
    ...(captured === undefined ? {} : { captured: fields(captured, () => true) }),
  }
}

/** Parts of a template that tell where a secret will stand without holding any. */
const untouched = new Set([
  'connection_config',
  'credentials',
  'integration_config',
  'assertion_option',
  'token_response',
])

/** A template holds no secrets but where somebody wrote one into its parameters; a placeholder is none. */
function maskTemplate(value: unknown, mask: Mask): unknown {
  if (Array.isArray(value)) return value.map((item) => maskTemplate(item, mask))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (untouched.has(key)) return [key, inner]
      const literal = typeof inner === 'string' && !inner.includes('${') && inner !== ''
      return [key, literal && isSecretName(key) ? mask(inner) : maskTemplate(inner, mask)]
    }),
  )
}

/** What must not be seen anywhere in the copy, longest first. */
function knownSecrets(connection: Connection): string[] {
  const found = new Set<string>()
  const collect: Mask = (value) => {
    found.add(value)
    return value
  }
  maskCredential(connection, collect)
  maskFields(connection.metadata, collect)
  maskFields(connection.snapshot.tokenParams, collect)
  for (const [key, value] of Object.entries(connection.params)) if (isSecretParam(connection, key)) found.add(value)
  const { secret, registration } = connection.snapshot.client
  for (const value of [secret, registration?.accessToken]) if (value) found.add(value)
  return [...found].filter((value) => value.length >= shortestSwept)
}

/** A shorter value turns up by chance; it is masked by its place only. */
const shortestSwept = 6

/** The copy without any known secret in any text of it, whatever it is called there. */
function sweep<T>(value: T, known: readonly string[], mask: Mask, scrub?: (text: string) => string): T {
  const text = JSON.stringify(value)
  const present = known.filter((secret) => mayHold(text, secret))
  if (present.length === 0 && scrub === undefined) return value
  const own = replacer(new Map(present.map((secret) => [secret, mask(secret)])))
  const clean = (dirty: string): string => (scrub === undefined ? own(dirty) : scrub(own(dirty)))
  // Names that the provider chose may hold a secret too; ours are left alone, whatever the secret is.
  const walk = (inner: unknown, isTheirs = false): unknown => {
    if (typeof inner === 'string') return clean(inner)
    if (Array.isArray(inner)) return inner.map((item) => walk(item, isTheirs))
    if (typeof inner !== 'object' || inner === null) return inner
    return Object.fromEntries(
      Object.entries(inner).map(([key, item]) => [
        isTheirs ? clean(key) : key,
        walk(item, isTheirs || key === 'raw' || key === 'metadata'),
      ]),
    )
  }
  return walk(value) as T
}
