import { platform, userInfo } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { type Problem, TemplateError, UsageError } from '../model/errors.ts'
import type { Fields } from './fields.ts'
import { readBytes, realPath, statOf } from './files.ts'
import { checkAgainst } from './hold.ts'
import { type FieldPath, type FilePlace, invalid, shownPlace } from './problem.ts'
import { nearestProjectFile, type ProjectSearch } from './project-file.ts'
import { type Document, entryIn, findTemplate, parseYaml } from './read.ts'
import { type Source, sourceAt } from './sources.ts'
import { plainTitle } from './title.ts'

/** A value as it stands in the project file, `${NAME}` not yet replaced. */
export interface Written extends FilePlace {
  readonly text: string
  /** Path of the field, e.g. `integrations.zendesk-dev.client_secret`. */
  readonly field: string
}

/** A variable of the environment that the project file would read. */
export interface Reference {
  readonly field: string
  readonly name: string
}

/** One entry of `integrations`. */
export interface ProjectIntegration {
  readonly name: string
  /** The integration's own name where the file says nothing. */
  readonly provider: string
  readonly clientId?: Written | undefined
  readonly clientSecret?: Written | undefined
  readonly scopes?: readonly Written[] | undefined
  readonly params: Readonly<Record<string, Written>>
  readonly callbackUrl?: Written | undefined
  readonly port?: number | undefined
  readonly authorizationParams: Readonly<Record<string, Written>>
  readonly tokenParams: Readonly<Record<string, Written>>
  /** Every `${NAME}` in it, to be named before the file is trusted. */
  readonly references: readonly Reference[]
}

/** What stands at the top of the file. */
export interface ProjectSettings {
  readonly callbackUrl?: Written | undefined
  readonly port?: number | undefined
  /** Seconds. */
  readonly timeout?: number | undefined
  /** A command that would be run: only of a trusted file. */
  readonly browser?: Written | undefined
}

/** An `auth-cli.yaml`, read but not trusted. */
export interface Project {
  readonly file: string
  /** SHA-256 of the content, hex: what trust is given to. Undefined where the content could not be had. */
  readonly hash: () => Promise<string | undefined>
  /** Names of the integrations that it describes. */
  readonly integrations: readonly string[]
  /** Throws TemplateError `TEMPLATE_INVALID` where that entry, which somebody asked for, is broken. */
  readonly integration: (name: string) => ProjectIntegration | undefined
  readonly settings: ProjectSettings
  /** Its `templates`, then each of its `template_folders`. */
  readonly sources: readonly Source[]
  /** Every `${NAME}` outside the integrations. */
  readonly references: readonly Reference[]
  /** What is wrong with it, as warnings: nobody asked for the broken parts yet. */
  readonly warnings: readonly Problem[]
}

const integrationFields: Fields = {
  provider: { is: 'text' },
  client_id: { is: 'text' },
  client_secret: { is: 'text' },
  scopes: { is: 'texts', orText: true },
  params: { is: 'scalars' },
  callback_url: { is: 'text' },
  port: { is: 'number' },
  authorization_params: { is: 'scalars' },
  token_params: { is: 'scalars' },
}

/** Every field of the project file. */
export const projectFields: Fields = {
  integrations: { is: 'each', fields: integrationFields },
  templates: { is: 'map' },
  template_folders: { is: 'texts' },
  callback_url: { is: 'text' },
  port: { is: 'number' },
  timeout: { is: 'number' },
  browser: { is: 'text' },
}

/**
 * The nearest `auth-cli.yaml`, from the working folder upward to the repository's root or home, both included; undefined
 * where there is none. Throws UsageError `PROJECT_REFUSED` for a file of another user or one that all may write.
 */
export async function readProject(search: ProjectSearch): Promise<Project | undefined> {
  const file = nearestProjectFile(search)
  if (file === undefined) return undefined
  refuseForeign(file, search.uid ?? ownUid())
  let content: Buffer | undefined
  const hash = async () => (content === undefined ? undefined : (await import('./hash.ts')).hashOf(content))
  try {
    const bytes = readBytes(file)
    if (!bytes) return undefined
    content = bytes
    return projectFrom(await parseYaml(bytes.toString('utf8'), file), hash)
  } catch (error) {
    if (error instanceof TemplateError) return brokenProject(file, hash, error)
    throw error
  }
}

/**
 * The value with each `${NAME}` replaced by that variable of the environment. To be called only once the file is
 * trusted. Throws UsageError `MISSING_INPUT` naming variable and place.
 */
export function expand(written: Written, env: Readonly<Record<string, string | undefined>>): string {
  return written.text.replace(referencePattern, (_, name: string) => {
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value !== undefined && value !== '') return value
    throw new UsageError(
      'MISSING_INPUT',
      `${written.field} needs the environment variable ${name}, which is not set.`,
      {
        facts: [['Written in', shownPlace(written)]],
        hint: `Set ${name}, or give the value as a flag.`,
      },
    )
  })
}

const referencePattern = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** The variables that a value refers to. */
export function referencesIn(written: Written): readonly Reference[] {
  return [...written.text.matchAll(referencePattern)].map(([, name = '']) => ({ field: written.field, name }))
}

function refuseForeign(file: string, uid: number | undefined): void {
  const stats = statOf(file)
  const real = realPath(file)
  // Its warnings quote it: a link in a cloned repository must not make them quote a file of the person's.
  if (real !== undefined && dirname(real) !== realPath(dirname(file)))
    throw new UsageError('PROJECT_REFUSED', `The project file ${file} is a link to a file elsewhere.`, {
      hint: 'Put the file itself there.',
    })
  // Windows reports neither owner nor permissions that mean anything.
  if (!stats || platform() === 'win32') return
  if (uid !== undefined && stats.uid !== uid)
    throw new UsageError('PROJECT_REFUSED', `The project file ${file} belongs to another user.`, {
      hint: `If you trust it, make it yours: chown "$(id -u)" '${file}'`,
    })
  if ((stats.mode & 0o002) !== 0)
    throw new UsageError('PROJECT_REFUSED', `The project file ${file} can be written by every user of this machine.`, {
      hint: `Take that away: chmod o-w '${file}'`,
    })
}

function ownUid(): number | undefined {
  try {
    const { uid } = userInfo()
    return uid < 0 ? undefined : uid
  } catch {
    // A user without an entry in the password file, as in some containers.
    return undefined
  }
}

function brokenProject(file: string, hash: Project['hash'], broken: TemplateError): Project {
  return {
    file,
    hash,
    integrations: [],
    integration: () => undefined,
    settings: {},
    sources: [brokenSource(file, broken)],
    references: [],
    warnings: broken.problems.map((one) => ({ ...one, severity: 'warning' })),
  }
}

function brokenSource(file: string, broken: TemplateError): Source {
  return { kind: 'project', path: file, find: async () => undefined, glance: () => [], broken }
}

function projectFrom(document: Document, hash: Project['hash']): Project {
  const root = mapping(document.value)
  if (!root && document.value !== undefined && document.value !== null)
    throw invalid(`The file ${document.file}`, [
      {
        ...document.placeOf([]),
        message: 'it is not a mapping',
        fix: 'Begin it with integrations: or templates:.',
        severity: 'error',
      },
    ])
  const fields = root ?? {}
  const problems = checkProject(fields, document)
  const entries = mapping(fields['integrations']) ?? {}
  const isOfEntry = (one: Problem): boolean => /^integrations\../s.test(one.field ?? '')
  const whole = problems.filter((one) => one.severity === 'error' && !isOfEntry(one))
  const folders = foldersOf(fields['template_folders'], document)
  const settings = settingsOf(fields, document)
  return {
    file: document.file,
    hash,
    integrations: Object.keys(entries),
    integration: (name) => {
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
      if (entry === undefined) return undefined
      const own = problems.filter(
        ({ field = '', severity }) => severity === 'error' && `${field}.`.startsWith(`integrations.${name}.`),
      )
      if (own.length > 0) throw invalid(`The integration "${name}"`, own)
      return integrationFrom(name, mapping(entry) ?? {}, document)
    },
    settings,
    sources: [
      inlineSource(fields['templates'], document),
      ...folders.sources,
      ...(whole.length > 0 ? [brokenSource(document.file, invalid(`The file ${document.file}`, whole))] : []),
    ],
    references: [settings.callbackUrl, settings.browser].flatMap((one) => (one ? referencesIn(one) : [])),
    warnings: [...problems, ...folders.problems].map((one) => ({ ...one, severity: 'warning' })),
  }
}

function checkProject(fields: Readonly<Record<string, unknown>>, document: Document): readonly Problem[] {
  const problems = [...checkAgainst(projectFields, { name: '', fields, placeOf: document.placeOf })]
  const ports: FieldPath[] = [
    ['port'],
    ...Object.keys(mapping(fields['integrations']) ?? {}).map((name) => ['integrations', name, 'port']),
  ]
  for (const path of ports) {
    const port = valueAt(fields, path)
    if (typeof port === 'number' && !isPort(port)) problems.push(badNumber(document, path, 'a port, 0 to 65535'))
  }
  const { timeout } = fields
  if (typeof timeout === 'number' && !(timeout > 0))
    problems.push(badNumber(document, ['timeout'], 'seconds, more than 0'))
  return problems
}

/** Everything wrong with a project file but its templates, each as grave as it is to whoever asks for that part. */
export function projectProblems(document: Document): readonly Problem[] {
  const fields = mapping(document.value) ?? {}
  return [...checkProject(fields, document), ...foldersOf(fields['template_folders'], document).problems]
}

function badNumber(document: Document, path: FieldPath, expected: string): Problem {
  const message = `expected ${expected}`
  return {
    ...document.placeOf(path, 'value'),
    field: path.join('.'),
    message,
    fix: 'Correct the number.',
    severity: 'error',
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}

function settingsOf(fields: Readonly<Record<string, unknown>>, document: Document): ProjectSettings {
  const { port, timeout } = fields
  return {
    callbackUrl: writtenAt(fields, ['callback_url'], document),
    port: typeof port === 'number' && isPort(port) ? port : undefined,
    timeout: typeof timeout === 'number' && timeout > 0 ? timeout : undefined,
    browser: writtenAt(fields, ['browser'], document),
  }
}

function integrationFrom(
  name: string,
  entry: Readonly<Record<string, unknown>>,
  document: Document,
): ProjectIntegration {
  const root = { integrations: { [name]: entry } }
  const path = ['integrations', name]
  const one = (field: string): Written | undefined => writtenAt(root, [...path, field], document)
  const each = (field: string): Readonly<Record<string, Written>> =>
    Object.fromEntries(
      Object.keys(mapping(entry[field]) ?? {}).flatMap((key) => {
        const written = writtenAt(root, [...path, field, key], document)
        return written ? [[key, written]] : []
      }),
    )
  const { provider, port, scopes } = entry
  const found = {
    clientId: one('client_id'),
    clientSecret: one('client_secret'),
    scopes: scopes === undefined ? undefined : scopesOf(root, [...path, 'scopes'], document),
    callbackUrl: one('callback_url'),
    params: each('params'),
    authorizationParams: each('authorization_params'),
    tokenParams: each('token_params'),
  }
  const all = [found.clientId, found.clientSecret, ...(found.scopes ?? []), found.callbackUrl]
  const maps = [found.params, found.authorizationParams, found.tokenParams].flatMap((map) => Object.values(map))
  return {
    name,
    provider: typeof provider === 'string' && provider !== '' ? provider : name,
    ...found,
    port: typeof port === 'number' ? port : undefined,
    references: [...all, ...maps].flatMap((written) => (written ? referencesIn(written) : [])),
  }
}

/** A list, or one text with the scopes separated by blanks or commas. */
function scopesOf(root: object, path: FieldPath, document: Document): readonly Written[] {
  const value = valueAt(root, path)
  if (Array.isArray(value))
    return value.flatMap((_, index) => {
      const written = writtenAt(root, [...path, index], document)
      return written ? [written] : []
    })
  const whole = writtenAt(root, path, document)
  return (whole?.text.split(/[\s,]+/) ?? [])
    .filter((text) => text !== '')
    .map((text) => ({ ...(whole as Written), text }))
}

function writtenAt(root: object, path: FieldPath, document: Document): Written | undefined {
  const value = valueAt(root, path)
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  return { ...document.placeOf(path, 'value'), text: String(value), field: path.join('.') }
}

function inlineSource(templates: unknown, document: Document): Source {
  const entries = mapping(templates) ?? {}
  return {
    kind: 'project',
    path: document.file,
    find: async (name) =>
      Object.hasOwn(entries, name) ? entryIn(document, name, ['templates', name], entries[name]) : undefined,
    glance: () =>
      Object.entries(entries).map(([name, entry]) => {
        const text = (field: string): string | undefined => {
          const value = mapping(entry)?.[field]
          return typeof value === 'string' ? plainTitle(value) : undefined
        }
        return { name, file: document.file, title: text('display_name'), mode: text('auth_mode'), alias: text('alias') }
      }),
  }
}

/** Folders are relative to the file and stay inside its folder, symbolic links followed, as do the files in them. */
function foldersOf(
  written: unknown,
  document: Document,
): { readonly sources: readonly Source[]; readonly problems: readonly Problem[] } {
  const root = realPath(dirname(document.file)) ?? dirname(document.file)
  const isInside = (path: string): boolean => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
  const sources: Source[] = []
  const problems: Problem[] = []
  const names: readonly unknown[] = Array.isArray(written) ? written : []
  names.forEach((name, index) => {
    if (typeof name !== 'string') return
    const real = realPath(resolve(root, name))
    if (real !== undefined && isInside(real)) {
      const source = sourceAt('project', real)
      sources.push({ ...source, find: async (wanted) => findInside(wanted, real, isInside) })
      return
    }
    const field = `template_folders[${index}]`
    const message = real === undefined ? 'there is no such folder' : 'it lies outside the folder of the project file'
    const fix = real === undefined ? 'Create it, or remove the line.' : 'Use a folder below it.'
    problems.push({
      ...document.placeOf(['template_folders', index], 'value'),
      field,
      message,
      fix,
      severity: 'warning',
    })
  })
  return { sources, problems }
}

async function findInside(
  name: string,
  folder: string,
  isInside: (path: string) => boolean,
): ReturnType<typeof findTemplate> {
  for (const extension of ['yaml', 'yml']) {
    const real = realPath(join(folder, `${name}.${extension}`))
    if (real !== undefined && !isInside(real)) return undefined
  }
  return findTemplate(name, folder)
}

function valueAt(root: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    root,
  )
}

function mapping(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
