import { isDeepStrictEqual } from 'node:util'
import { type Problem, TemplateError } from '../model/errors.ts'
import { isTemplateName } from './names.ts'
import { type Document, parseYaml } from './read.ts'
import { sliceOf } from './slice.ts'

/** A file of templates as it was found. */
export interface CatalogueFile {
  readonly file: string
  readonly text: string
}

/** One template in a file of its own: `name:` and what stands below it, in its author's words where that can be. */
export interface OwnFile {
  readonly name: string
  readonly text: string
}

export interface Split {
  readonly templates: readonly OwnFile[]
  /** Why something in the files is not among the templates. */
  readonly problems: readonly Problem[]
}

/**
 * Takes the files of a catalogue apart, one text per template. Each text, parsed alone, is what the whole file says of
 * that name. Of two templates of one name, on a disk that does not tell cases apart, the first stays.
 */
export async function splitCatalogue(files: readonly CatalogueFile[]): Promise<Split> {
  const templates: OwnFile[] = []
  const problems: Problem[] = []
  const taken = new Set<string>()
  for (const { file, text } of files) {
    const document = await parsed(file, text, problems)
    if (document === undefined) continue
    const bytes = Buffer.from(text)
    for (const [name, value] of Object.entries(entriesOf(document, problems))) {
      const refusal = whyLeftOut(name, value, taken)
      if (refusal === undefined) {
        taken.add(name.toLowerCase())
        templates.push({ name, text: await ownText(name, value, bytes) })
      } else problems.push({ ...document.placeOf([name]), field: name, ...refusal, severity: 'warning' })
    }
  }
  return { templates, problems }
}

/** A file that cannot be parsed takes nothing else with it. */
async function parsed(file: string, text: string, problems: Problem[]): Promise<Document | undefined> {
  try {
    return await parseYaml(text, file)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    problems.push(...error.problems)
    return undefined
  }
}

function entriesOf(document: Document, problems: Problem[]): Readonly<Record<string, unknown>> {
  const { value } = document
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  if (value !== undefined && value !== null)
    problems.push({
      ...document.placeOf([]),
      message: 'it is not a mapping',
      fix: 'Begin it with the name of a template and a colon.',
      severity: 'error',
    })
  return {}
}

function whyLeftOut(
  name: string,
  value: unknown,
  taken: ReadonlySet<string>,
): { readonly message: string; readonly fix: string } | undefined {
  if (!isTemplateName(name))
    return { message: 'this cannot be the name of a template', fix: 'Use letters, digits and hyphens.' }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { message: 'it is not a template', fix: 'Indent its fields below the name.' }
  if (taken.has(name.toLowerCase())) return { message: 'this name is there already', fix: 'Keep one of the two.' }
  return undefined
}

async function ownText(name: string, value: unknown, bytes: Buffer): Promise<string> {
  const slice = sliceOf(name, bytes)
  if (slice) {
    // What follows the last field is about the next template.
    const text = `${bytes.toString('utf8', slice.start, slice.end).replace(/(?:\r?\n(?:#[^\n]*|[ \t]*))+$/, '')}\n`
    const alone = await parseYaml(text, name).catch(() => undefined)
    if (isDeepStrictEqual(alone?.value, { [name]: value })) return text
  }
  // JSON is YAML too.
  return `${JSON.stringify({ [name]: value }, null, 2)}\n`
}
