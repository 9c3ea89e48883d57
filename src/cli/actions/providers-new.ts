import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { readProject } from '../../catalog/project.ts'
import { draft } from '../../draft.ts'
import { UsageError } from '../../model/errors.ts'
import { diskTrouble, makeFolder, replaceWhole } from '../../node/disk.ts'
import { schemaFile } from '../../node/world.ts'
import { catalogOf } from '../../sources.ts'
import { sourceWords } from '../output/provider.ts'
import { labelled } from '../output/table.ts'
import { type Given, openSession, type Session } from '../session.ts'

/** Writes a template to begin with: into the person's folder, the project's, or to stdout. */
export async function run(given: Given): Promise<void> {
  const session = await openSession(given)
  const { world, print } = session
  const { options } = given
  const [name = ''] = given.arguments
  const text = (key: string): string | undefined => options[key] as string | undefined
  if (options['project'] === true && options['stdout'] === true)
    throw new UsageError('BAD_FLAG', '--project and --stdout exclude each other.', { hint: 'Leave one of them out.' })
  const folder = options['project'] === true ? await projectFolder(world) : world.folders.person
  if (options['stdout'] !== true) assertFree(join(folder, `${name}.yaml`), options['replace'] === true)
  const made = await draft(world, name, {
    title: text('title'),
    issuer: text('issuer'),
    authorizationUrl: text('authorizationUrl'),
    tokenUrl: text('tokenUrl'),
    apiUrl: text('apiUrl'),
    docs: text('docs'),
    scopes: scopesOf(options['scope']),
    allowHttp: options['allowHttp'] === true,
  })
  if (options['stdout'] === true) {
    const whole = `${header(schemaFile, `${name}.yaml`)}${made.text}`
    return print.value({ name, file: null, text: whole }, () => whole)
  }
  const file = join(folder, `${name}.yaml`)
  const shown = shownPath(file, world.cwd)
  write(file, `${header(`./${schemaName}`, shown)}${made.text}`, session, options['project'] === true)
  const hides = await hiddenBy(session, name, file)
  await print.value({ name, file, hides }, (style) =>
    [
      `${style.good(style.symbols.done)} Wrote ${style.text(shown)}`,
      ...hides.map((kind) => `  It stands before the template of that name that is ${sourceWords[kind]}.`),
      ...labelled(
        [
          [
            'Next',
            [
              style.bold(`auth-cli providers validate ${style.text(shown)}`),
              style.bold(`auth-cli providers show ${name}`),
              style.bold(`auth-cli connect ${name}`),
            ],
          ],
        ],
        style,
      ),
    ].join('\n'),
  )
}

const schemaName = 'provider.schema.json'

function header(schema: string, file: string): string {
  return `# yaml-language-server: $schema=${schema}
# A template for auth-cli. Lines that begin with # are there to be used or deleted. Check it with
#   auth-cli providers validate ${/^[\w./-]+$/.test(file) ? file : '<this file>'}
`
}

function assertFree(file: string, isReplacing: boolean): void {
  if (isReplacing || !existsSync(file)) return
  throw new UsageError('NAME_TAKEN', `There is a template already: ${file}`, {
    hint: 'Edit that one, choose another name, or write over it with --replace.',
  })
}

function scopesOf(values: unknown): readonly string[] | undefined {
  return Array.isArray(values) ? values.flatMap((value: string) => value.split(/[\s,]+/)).filter(Boolean) : undefined
}

/** The template and, beside it, the schema that its first line names. */
function write(file: string, text: string, { world }: Session, isShared: boolean): void {
  const folder = dirname(file)
  try {
    if (isShared) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, text)
    } else {
      makeFolder(folder)
      replaceWhole(file, text)
    }
    if (existsSync(schemaFile)) copyFileSync(schemaFile, join(folder, schemaName))
  } catch (error) {
    throw diskTrouble(error, `${shownPath(file, world.cwd)} was not written`, folder)
  }
}

/** The project's first folder of templates; a project that has none gets `templates`. */
async function projectFolder({ cwd, folders }: Session['world']): Promise<string> {
  const search = { cwd, home: folders.home }
  const before = await readProject(search)
  const known = templateFolder(before)
  if (known !== undefined) return known
  const file = before?.file ?? join(cwd, 'auth-cli.yaml')
  const folder = join(dirname(file), 'templates')
  const old = before === undefined ? '' : readFileSync(file, 'utf8')
  const gap = old === '' || old.endsWith('\n') ? '' : '\n'
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, `${old}${gap}template_folders: [templates]\n`)
  } catch (error) {
    throw diskTrouble(error, 'the project was not changed', dirname(file))
  }
  const added = templateFolder(await readProject(search))
  if (added !== undefined) return added
  writeFileSync(file, old)
  throw new UsageError('BAD_FLAG', `${file} could not be told of the folder of templates.`, {
    hint: 'Write "template_folders: [templates]" into it yourself, or leave --project out.',
  })
}

function templateFolder(project: Awaited<ReturnType<typeof readProject>>): string | undefined {
  return project?.sources.find(({ path, broken }) => path !== project.file && broken === undefined)?.path
}

/** Sources whose template of that name is hidden now. */
async function hiddenBy({ world }: Session, name: string, file: string) {
  const { sources } = await catalogOf(world)
  return sources
    .filter(({ glance }) => glance().some((one) => one.name === name && one.file !== file))
    .map(({ kind }) => kind)
}

function shownPath(file: string, cwd: string): string {
  const near = relative(cwd, file)
  return near === '' || near.startsWith('..') ? file : near
}
