import { basename, dirname, join, resolve } from 'node:path'
import { addedCatalogues } from './catalog/added.ts'
import { type FindAlias, type Resolved, resolveAlias } from './catalog/alias.ts'
import { check } from './catalog/check.ts'
import { namesIn, readBytes, realPath, statOf } from './catalog/files.ts'
import { isTemplateName, isYaml, stem } from './catalog/names.ts'
import { projectProblems } from './catalog/project.ts'
import { isProjectFile } from './catalog/project-file.ts'
import { type Document, type Entry, entryIn, findTemplate, parseYaml } from './catalog/read.ts'
import { orderedSources, type Source } from './catalog/sources.ts'
import { type Problem, TemplateError, UsageError } from './model/errors.ts'
import type { Template } from './model/provider.ts'
import type { World } from './model/world.ts'
import { gapsOf } from './needs.ts'
import { catalogOf } from './sources.ts'

/** What was looked at and what is wrong with it. */
export interface Verdict {
  /** File by file, in the order of their lines. */
  readonly problems: readonly Problem[]
  readonly files: number
  readonly templates: number
}

/**
 * Everything that is wrong with files of templates, project files among them, and folders of such files. An alias is
 * looked for in its own file, then beside it, then in the catalogue. Throws UsageError `NO_SUCH_FILE`, `NO_TEMPLATES`.
 */
export async function validate(world: Pick<World, 'cwd' | 'folders'>, paths: readonly string[]): Promise<Verdict> {
  const files = paths.flatMap((path) => filesAt(resolve(world.cwd, path), path))
  const sources = await sourcesOf(world)
  const problems: Problem[] = []
  const seen = new Map<string, string>()
  let templates = 0
  for (const file of files) {
    const found = await validateFile(file, sources)
    templates += found.names.length
    const doubled = found.names.flatMap((entry) => doubledIn(seen, entry))
    problems.push(...[...found.problems, ...doubled].sort(byPlace))
  }
  return { problems, files: files.length, templates }
}

/** A project file that may not be read, or is broken, takes only its own templates away. */
async function sourcesOf({ cwd, folders }: Pick<World, 'cwd' | 'folders'>): Promise<readonly Source[]> {
  const { person, builtIn } = folders
  const rest = (): readonly Source[] => orderedSources({ person, added: addedCatalogues(folders.added), builtIn })
  return catalogOf({ cwd, folders }).then(({ sources }) => sources, rest)
}

/** `shown`: the path as it was given. */
function filesAt(path: string, shown: string): readonly string[] {
  const stats = statOf(path)
  if (stats === undefined)
    throw new UsageError('NO_SUCH_FILE', `There is no file or folder ${shown}.`, {
      hint: 'Give the path of a template, of a folder of them, or of an auth-cli.yaml.',
    })
  if (!stats.isFolder) return [path]
  const files = namesIn(path).filter((name) => isYaml(name) && statOf(join(path, name))?.isFolder === false)
  if (files.length === 0)
    throw new UsageError('NO_TEMPLATES', `The folder ${shown} holds no YAML file.`, {
      hint: 'Start one with: auth-cli providers new <name>',
    })
  return files.map((name) => join(path, name))
}

interface Found {
  readonly problems: readonly Problem[]
  readonly names: readonly Entry[]
}

async function validateFile(file: string, sources: readonly Source[]): Promise<Found> {
  try {
    const document = await parseYaml(readBytes(file)?.toString('utf8') ?? '', file)
    const { value } = document
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { names: [], problems: [notTemplates(document)] }
    if (isProjectFile(file)) return await validateProject(document, value as Fields, sources)
    if (isNameless(value as Fields)) return { names: [], problems: [nameless(document)] }
    return await validateEntries(document, [], value as Fields, sources)
  } catch (error) {
    if (error instanceof TemplateError) return { names: [], problems: error.problems }
    throw error
  }
}

type Fields = Readonly<Record<string, unknown>>

async function validateProject(document: Document, value: Fields, sources: readonly Source[]): Promise<Found> {
  const templates = value['templates']
  const isMapping = typeof templates === 'object' && templates !== null && !Array.isArray(templates)
  const found = await validateEntries(document, ['templates'], isMapping ? (templates as Fields) : {}, sources)
  return { names: found.names, problems: [...projectProblems(document), ...found.problems] }
}

async function validateEntries(
  document: Document,
  path: readonly string[],
  entries: Fields,
  sources: readonly Source[],
): Promise<Found> {
  const all = Object.entries(entries).map(([name, value]) => entryIn(document, name, [...path, name], value))
  const problems: Problem[] = []
  const [only] = all
  if (only && all.length === 1 && path.length === 0) problems.push(...misnamed(only))
  const find = finder(all, sources)
  for (const entry of all) problems.push(...(await problemsOf(entry, find)))
  return { names: all, problems }
}

async function problemsOf(entry: Entry, find: FindAlias): Promise<readonly Problem[]> {
  if (!isTemplateName(entry.name)) {
    const fix = 'Use up to 100 letters, digits, hyphens, dots and underscores.'
    return [{ ...entry.placeOf([]), field: entry.name, message: 'this cannot be a name', fix, severity: 'error' }]
  }
  try {
    const resolved: Resolved = await resolveAlias(entry, find)
    return [...entry.warnings, ...check({ name: entry.name, ...resolved }), ...lacks(entry, resolved)]
  } catch (error) {
    if (error instanceof TemplateError) return error.problems
    throw error
  }
}

/** What the template needs that cannot be done yet: no fault of its author's. */
function lacks({ name, placeOf }: Entry, { fields, names }: Resolved): readonly Problem[] {
  const template = fields as Template
  if (typeof template.auth_mode !== 'string') return []
  return gapsOf(template, names.slice(1)).map(({ says, weight }) => ({
    ...placeOf([]),
    field: name,
    message: `${says.charAt(0).toLowerCase()}${says.slice(1)}`,
    fix: weight === 'stops' ? 'Nothing to mend here: connect refuses it before anything opens.' : undefined,
    severity: 'note',
  }))
}

function finder(own: readonly Entry[], sources: readonly Source[]): FindAlias {
  return async (target, from) => {
    const isItself = target === from.name
    const here = isItself ? undefined : own.find(({ name, file }) => name === target && file === from.file)
    if (here) return here
    const beside = isItself ? undefined : await findTemplate(target, dirname(from.file)).catch(() => undefined)
    if (beside) return beside
    for (const source of sources) {
      const entry = await source.find(target).catch(() => undefined)
      // An alias of its own name builds on the template that it hides.
      if (entry && !(isItself && realPath(entry.file) === realPath(from.file))) return entry
    }
    return undefined
  }
}

function misnamed({ name, file, placeOf }: Entry): readonly Problem[] {
  if (stem(basename(file)) === name || !isTemplateName(name)) return []
  const message = `in a folder of templates it is not found in a file called ${basename(file)}`
  return [{ ...placeOf([]), field: name, message, fix: `Call the file ${name}.yaml.`, severity: 'warning' }]
}

function doubledIn(seen: Map<string, string>, { name, file, placeOf }: Entry): readonly Problem[] {
  const first = seen.get(name)
  seen.set(name, first ?? file)
  if (first === undefined || first === file) return []
  const message = `${first} has a template of this name too`
  return [{ ...placeOf([]), field: name, message, fix: 'Rename one of the two.', severity: 'warning' }]
}

/** A template whose author forgot to begin it with its name. */
function isNameless(value: Fields): boolean {
  return ['auth_mode', 'authorization_url', 'token_url'].some((field) => typeof value[field] === 'string')
}

function nameless(document: Document): Problem {
  const name = stem(basename(document.file))
  return {
    ...document.placeOf([]),
    message: 'the name of the template is missing above its fields',
    fix: `Begin the file with "${isTemplateName(name) ? name : 'my-provider'}:" and indent the rest below it.`,
    severity: 'error',
  }
}

function notTemplates(document: Document): Problem {
  return {
    ...document.placeOf([]),
    message: document.value === undefined || document.value === null ? 'it is empty' : 'it is not a mapping',
    fix: 'Begin it with the name of a template and a colon.',
    severity: 'error',
  }
}

function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
}
