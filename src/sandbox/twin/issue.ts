import { type Fields, fieldsOf, scalarText, textOf, textsOf, textsWithin } from './fields.ts'
import { alternatives, fillFirst, usedNames } from './fill.ts'
import { keyMaterialOf, keyText, writtenPem } from './keys.ts'
import { broughtValue, hash, hostFor, numberFor, uuidFor, wordFor } from './made-up.ts'
import { textsMatching } from './pattern.ts'
import { brokenRule, type Prompt, promptOf, promptsOf } from './prompts.ts'
import { fitsRole, type Role, rolesIn } from './roles.ts'

/** What a provider knows about one customer: by section key, and what only its own answers bring. */
export interface Issued {
  /** What the person is to answer. */
  readonly params: Readonly<Record<string, string>>
  /** What nobody is asked: the callback, a token answer or a look-up brings it. By key, possibly dotted. */
  readonly brought: Readonly<Record<string, string>>
  /** Those of `brought` that only a look-up at the API brings, which a client need not know how to do. */
  readonly lookups: ReadonlySet<string>
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
}

export interface Wish {
  readonly name: string
  readonly template: Fields
  readonly answers: Readonly<Record<string, string>>
  readonly clientId?: string | undefined
  /** Empty: a public client. */
  readonly clientSecret?: string | undefined
  readonly home?: string | undefined
  /** As of an accent. */
  readonly secret?: 'none' | 'key' | undefined
  readonly brings?: Readonly<Record<string, string>> | undefined
}

/** The questions that a mode asks by itself; a template's own words for one of them win. */
const asked: Readonly<Record<string, readonly string[]>> = {
  API_KEY: ['apiKey'],
  BASIC: ['username', 'password'],
  SIGNATURE: ['username', 'password'],
  BILL: ['username', 'password', 'organization_id', 'dev_key'],
  TBA: ['token_id', 'token_secret'],
  AWS_SIGV4: ['role_arn'],
  CUSTOM: ['appId', 'privateKey'],
  INSTALL_PLUGIN: ['username', 'password', 'appLink'],
}

const clientModes = new Set(['OAUTH2', 'OAUTH2_CC', 'TBA', 'OAUTH1', 'MCP_OAUTH2', 'APP', 'CUSTOM'])

/** Issues everything that the template asks for; what the person chose stays as chosen. */
export function issue(wish: Wish): Issued {
  const { template } = wish
  const mode = textOf(template['auth_mode']) ?? ''
  const roles = rolesIn(template)
  const declared = promptsOf(template)
  const implied = (asked[mode] ?? [])
    .filter((key) => !declared.some((prompt) => prompt.key === key))
    .map((key) => promptOf('credentials', key, {}))
  const params: Record<string, string> = {}
  for (const prompt of [...declared, ...implied]) {
    const given = wish.answers[prompt.key]
    const twice = declared.some((other) => other !== prompt && other.key === prompt.key)
    if (twice && prompt.section === 'credentials') {
      Object.assign(params, ofOwn(prompt, wish, params[prompt.key], roleOf(prompt, roles)))
      if (prompt.key in params) continue
    }
    const condition = prompt.visibleWhen
    if (condition && (params[condition.field] ?? '') !== condition.equals) continue
    if (given !== undefined) params[prompt.key] = given
    else if (prompt.isAutomated) continue
    else if (prompt.isHidden) {
      // Nothing is an answer for a password, and none for a piece of an address.
      const isAnswer = prompt.defaultValue !== '' || prompt.section !== 'connection_config'
      if (prompt.defaultValue !== undefined && isAnswer) params[prompt.key] = prompt.defaultValue
    } else params[prompt.key] ??= answerTo(prompt, wish, roleOf(prompt, roles))
  }
  const told = Object.fromEntries(toldKeys(template).map((key) => [key, key]))
  for (const key of needed(template, { ...told, ...params })) {
    const role = roles.get(`connectionConfig.${key}`) ?? 'elsewhere'
    params[key] = wish.answers[key] ?? broughtValue(key, wish.name, role)
  }
  const client = clientOf(wish, mode, params)
  // What a connection calls the client's id is no other id.
  const own = client.clientId === undefined ? {} : { clientId: client.clientId }
  const brought = bringing({ ...wish, brings: { ...own, ...wish.brings } }, roles, params)
  return { params, brought: brought.values, lookups: brought.lookups, ...client }
}

/**
 * A credential that is asked under the key of another question has an answer of its own, as `credentials.key`, where
 * theirs breaks its rules.
 */
function ofOwn(prompt: Prompt, wish: Wish, other: string | undefined, role: Role): Readonly<Record<string, string>> {
  const name = `credentials.${prompt.key}`
  const given = wish.answers[name]
  if (given !== undefined) return { [name]: given }
  const isShared = other === undefined || brokenRule(prompt, other) === undefined
  return isShared ? {} : { [name]: answerTo(prompt, { ...wish, name: `${wish.name} secret` }, role) }
}

function clientOf(wish: Wish, mode: string, params: Readonly<Record<string, string>>) {
  const registersItself = mode === 'MCP_OAUTH2' && wish.template['client_registration'] !== 'static'
  if (!clientModes.has(mode) || registersItself) {
    // Who brings a client of their own is known by it.
    const isOwn = registersItself || mode === 'MCP_OAUTH2_GENERIC'
    return {
      clientId: isOwn ? wish.clientId : undefined,
      clientSecret: isOwn ? wish.clientSecret || undefined : undefined,
    }
  }
  if (wish.secret === 'none') return { clientId: wish.clientId ?? `${wish.name}-client`, clientSecret: undefined }
  const isKey = wish.secret === 'key' || mode === 'APP' || wish.template['signature_method'] === 'RSA-SHA1'
  // With the characters that encodings disagree on.
  const made = isKey
    ? keyText('rsa', `${wish.name}\nclient`, wish.home)
    : `tw+/${hash(`${wish.name}\nclient_secret`).toString('base64')}`
  // Keyed clients have no secret.
  const isKeyed = wish.template['token_request_auth_method'] === 'private_key_jwt'
  return {
    clientId:
      wish.clientId ??
      params['client_id'] ??
      (mode === 'APP' ? numberFor(wish.name, 'client_id') : `${wish.name}-client`),
    clientSecret: (isKeyed ? wish.clientSecret : (wish.clientSecret ?? params['client_secret'] ?? made)) || undefined,
  }
}

const rootOf = (prompt: Prompt): string => (prompt.section === 'connection_config' ? 'connectionConfig' : 'credentials')

function roleOf(prompt: Prompt, roles: ReadonlyMap<string, Role>): Role {
  const names = [`${rootOf(prompt)}.${prompt.key}`, `connectionConfig.${prompt.key}`, prompt.key]
  return names.map((name) => roles.get(name)).find((role) => role !== undefined) ?? 'elsewhere'
}

const isMasked = (text: string): boolean => /[*…<>{}•]|\.\.\.|x{3,}|^your|\s(?:or|oder)\s/i.test(text)

/** The first of what a person would try that keeps every rule. */
function answerTo(prompt: Prompt, wish: Wish, role: Role): string {
  const material = keyMaterialOf(wish.template, prompt)
  // A certificate is for the key beside it.
  const owner = `${wish.name}\n${material === 'certificate' || prompt.key === 'client_private_key' ? 'client' : prompt.key}`
  const written = material === undefined ? [] : writtenPem(keyText(material, owner, wish.home))
  const fitting = written.find((one) => brokenRule(prompt, one) === undefined)
  if (fitting !== undefined) return fitting
  for (const candidate of candidates(prompt, wish, role)) {
    if (brokenRule(prompt, candidate) === undefined && (candidate === '' || fitsRole(role, candidate))) return candidate
  }
  return written[0] ?? wordFor(wish.name, prompt.key)
}

function* candidates(prompt: Prompt, wish: Wish, role: Role): Generator<string> {
  const { example, defaultValue, choices } = prompt
  if (example !== undefined && !isMasked(example)) yield example
  if (defaultValue !== undefined) yield defaultValue
  yield* choices
  if (/^aws_?access_?key_?id$/i.test(prompt.key))
    yield `AKIA${hash(wish.name).toString('hex').toUpperCase().slice(0, 16)}`
  if (prompt.key === 'appId') yield numberFor(wish.name, prompt.key)
  if (prompt.key === 'appLink') yield `https://${hostFor(wish.name, prompt.key)}/install`
  if (prompt.key === 'role_arn') yield 'arn:aws:iam::123456789012:role/TwinRole'
  const word = wordFor(wish.name, prompt.key)
  const host = hostFor(wish.name, prompt.key)
  if (role === 'url' || prompt.format === 'uri') yield `https://${host}`
  if (role === 'host' || prompt.format === 'hostname') yield host
  if (prompt.format === 'uuid') yield uuidFor(`${wish.name}\n${prompt.key}`)
  if (prompt.format === 'email') yield `${word}@${wish.name}.example`
  if (prompt.pattern !== undefined) yield* patterned(prompt.pattern, wish.name, prompt.key)
  if (prompt.isSecret) yield `${word}-${hash(`${wish.name}\n${prompt.key}\nsecret`).toString('hex').slice(0, 24)}`
  yield word
}

/** Texts of a pattern, bare and with the ends that a pattern without `^` or `$` leaves open. */
function* patterned(pattern: string, name: string, key: string): Generator<string> {
  for (const text of textsMatching(pattern, `${name}\n${key}`)) {
    yield text
    yield text + hostFor(name, key)
    yield text + wordFor(name, key)
  }
}

/**
 * The keys that callback, token answer or look-up bring: those that are declared as metadata, automated questions, and
 * what an API's address takes from the connection without asking.
 */
function bringing(
  wish: Wish,
  roles: ReadonlyMap<string, Role>,
  params: Readonly<Record<string, string>>,
): { readonly values: Record<string, string>; readonly lookups: ReadonlySet<string> } {
  const { template, name } = wish
  const told = toldKeys(template)
  // Where there is neither token nor look-up, nothing comes by itself.
  const isSilent =
    ['API_KEY', 'BASIC', 'NONE'].includes(textOf(template['auth_mode']) ?? '') &&
    template['post_connection_script'] === undefined
  const automated = promptsOf(template).filter(
    ({ isAutomated, key }) => isAutomated && key !== 'assertion' && !isSilent,
  )
  const proxy = fieldsOf(template['proxy'])
  const inAddress = alternatives(textOf(proxy['base_url']) ?? '').slice(-1)
  const used = usedNames(inAddress).flatMap((one) => /^connectionConfig\.(.+)$/.exec(one)?.[1] ?? [])
  const found = [...automated.map(({ key }) => key), ...textsOf(template['connection_configuration']), ...used]
  const values: Record<string, string> = {}
  for (const key of new Set([...told, ...found])) {
    if (params[key] !== undefined || isUnanswered(template, key)) continue
    values[key] =
      wish.answers[key] ??
      wish.brings?.[key] ??
      broughtValue(key, name, roles.get(`connectionConfig.${key}`) ?? 'elsewhere')
  }
  return { values, lookups: new Set(found.filter((key) => !told.includes(key) && key in values)) }
}

/** What the callback or a token answer tells. */
const toldKeys = (template: Fields): readonly string[] => [
  ...textsOf(template['redirect_uri_metadata']),
  ...textsOf(template['token_response_metadata']),
  ...textsOf(template['webhook_response_metadata']),
  // GitHub tells it where it sends the browser, whether a template says so or not.
  ...(['APP', 'CUSTOM'].includes(textOf(template['auth_mode']) ?? '') ? ['installation_id'] : []),
]

/** What the requests of a flow take from the connection though no question asks for it: a person has to know. */
function needed(template: Fields, known: Readonly<Record<string, string>>): readonly string[] {
  const fields = ['authorization_url', 'authorization_params', 'token_url', 'token_params', 'refresh_params']
  const scope = { roots: { connectionConfig: known }, time: 0, random: '' }
  return fields
    .flatMap((field) => textsWithin(template[field]))
    .flatMap((text) => fillFirst(text, scope).missing)
    .flatMap((name) => /^connectionConfig\.(.+)$/.exec(name)?.[1] ?? [])
    .filter((key) => !isUnanswered(template, key) || isHidden(template, key))
}

/** Nobody is asked, and yet nothing comes of it without an answer. */
function isHidden(template: Fields, key: string): boolean {
  return promptsOf(template).some((prompt) => prompt.key === key && prompt.isHidden)
}

/** A hidden question without a value, or one that is not asked under the present answers. */
function isUnanswered(template: Fields, key: string): boolean {
  return promptsOf(template).some((prompt) => prompt.key === key && !prompt.isAutomated)
}

/** The mappings that the template's placeholders look into. */
export function rootsOf(template: Fields, issued: Issued): Fields {
  const of = (section: string): Record<string, string> =>
    Object.fromEntries(
      Object.keys(fieldsOf(template[section])).flatMap((key) => {
        const value = issued.params[`${section}.${key}`] ?? issued.params[key]
        return value === undefined ? [] : [[key, value]]
      }),
    )
  const integration = of('integration_config')
  const secrets = Object.fromEntries(Object.entries(issued.params).filter(([key]) => !(key in of('connection_config'))))
  const { clientId, clientSecret } = issued
  const client = { ...(clientId && { client_id: clientId }), ...(clientSecret && { client_secret: clientSecret }) }
  const raw = rawNames(template, issued)
  const credentials: Record<string, unknown> = { ...client, ...secrets, ...of('credentials'), ...integration }
  for (const [key, value] of Object.entries(credentials)) {
    const halves = usedNames(template).some((name) => name.startsWith(`credentials.${key}.`))
    const text = scalarText(value) ?? ''
    // `id:secret` in one answer, asked for by halves.
    if (halves) credentials[key] = { id: text.split(':')[0], secret: text.split(':').slice(1).join(':') }
  }
  return {
    ...secrets,
    ...of('credentials'),
    ...integration,
    ...(clientId && { clientId }),
    ...(clientSecret && { clientSecret }),
    connectionConfig: { ...issued.brought, ...integration, ...of('connection_config') },
    credentials: { ...credentials, ...(Object.keys(raw).length > 0 && { raw }) },
    assertionOption: of('assertion_option'),
  }
}

/** What `${credentials.raw.x}` takes from the token answer, so that the answer has it. */
export function rawNames(template: Fields, issued: Issued): Record<string, string> {
  const keys = usedNames(template).flatMap((name) => /^credentials\.raw\.(.+)$/.exec(name)?.[1] ?? [])
  const name = textOf(template['display_name']) ?? ''
  return Object.fromEntries(
    keys.map((key) => [key, issued.brought[key] ?? broughtValue(key, name, 'elsewhere')] as const),
  )
}
