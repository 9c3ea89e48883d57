import { join } from 'node:path'
import type { ScalarEvent } from 'js-yaml'
import type { Problem } from '../model/errors.ts'
import { largestFile, readBytes, statOf } from './files.ts'
import { forbiddenKeys, isTemplateName } from './names.ts'
import { indexFields, type KeyAt, kinds, offsetIn, placesIn, type YamlEvent } from './places.ts'
import { type FieldPath, type FilePlace, invalid, type PlaceOf } from './problem.ts'
import { lineOf, mayHold, sliceOf } from './slice.ts'

/** Brackets, commas and line ends together: no sane catalogue comes near it, and it bounds what the parser allocates. */
const mostMarks = 600_000
const deepestNesting = 32

/** A YAML file read: its value, and where each field of it stands. */
export interface Document {
  readonly file: string
  readonly value: unknown
  readonly placeOf: PlaceOf
}

/** One template as it stands in its file, alias unresolved, fields unchecked. */
export interface Entry {
  readonly name: string
  readonly file: string
  readonly value: unknown
  readonly placeOf: PlaceOf
  readonly warnings: readonly Problem[]
}

/**
 * Parses YAML 1.2 (core schema) that came from strangers: no anchors, aliases, merge keys, tags of its own, keys named
 * like an object's innards, duplicate keys; depth and size bounded. `firstLine`: line of the file where the text begins.
 * Throws TemplateError `TEMPLATE_INVALID` with the place and the fix.
 */
export async function parseYaml(content: string, file: string, firstLine = 1): Promise<Document> {
  const text = content.startsWith('\uFEFF') ? content.slice(1) : content
  const at = placesIn(text, file, firstLine)
  refuseExcess(text, file)
  const { parseEvents, constructFromEvents, getScalarValue, YAMLException } = await import('js-yaml')
  const nothing: Document = { file, value: undefined, placeOf: () => ({ file, line: firstLine, column: 1 }) }
  try {
    const events = parseEvents(text, { maxDepth: deepestNesting })
    refuseReferences(events, at)
    const index = indexFields(events, (event) => getScalarValue(text, event as ScalarEvent))
    refuseKeys(index.keys, at)
    const documents = constructFromEvents(events, { source: text, maxAliases: 0 })
    if (documents.length > 1)
      throw invalid(`The file ${file}`, [flaw({ file }, 'it holds several documents', 'Remove the "---" lines.')])
    if (documents.length === 0) return nothing
    return { file, value: documents[0], placeOf: (path, what = 'key') => at(offsetIn(index, path, what)) }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const place = error.mark ? at(error.mark.position) : { file }
    throw invalid(`The file ${file}`, [flaw(place, wordsFor(error.reason), fixFor(error.reason))])
  }
}

/**
 * The template of that name in a folder of one-provider files (`<name>.yaml`, its key the name) or in one file with
 * many; undefined when it is not there. Only the entry's own text is parsed, so the rest of a file may be broken.
 */
export async function findTemplate(name: string, path: string): Promise<Entry | undefined> {
  if (!isTemplateName(name)) return undefined
  if (statOf(path)?.isFolder === false) return findInFile(name, path)
  for (const extension of ['yaml', 'yml']) {
    const file = join(path, `${name}.${extension}`)
    const bytes = readBytes(file)
    if (bytes) return onlyEntry(name, await parseYaml(bytes.toString('utf8'), file))
  }
  return undefined
}

/** An entry of a document that was parsed whole. */
export function entryIn(document: Document, name: string, path: FieldPath, value: unknown): Entry {
  return {
    name,
    file: document.file,
    value,
    placeOf: (field, what) => document.placeOf([...path, ...field], what),
    warnings: [],
  }
}

async function findInFile(name: string, file: string): Promise<Entry | undefined> {
  const bytes = readBytes(file)
  if (!bytes) return undefined
  const slice = sliceOf(name, bytes)
  if (slice) {
    const text = bytes.toString('utf8', slice.start, slice.end)
    return entryOf(name, await parseYaml(text, file, lineOf(bytes, slice.start)))
  }
  if (!mayHold(name, bytes)) return undefined
  return entryOf(name, await parseYaml(bytes.toString('utf8'), file))
}

function onlyEntry(name: string, document: Document): Entry {
  const entry = entryOf(name, document)
  const others = Object.keys(record(document.value) ?? {}).filter((key) => key !== name)
  if (!entry) {
    const [found] = others
    throw invalid(`The file ${document.file}`, [
      flaw(
        found === undefined ? { file: document.file, line: 1, column: 1 } : document.placeOf([found]),
        found === undefined ? 'it holds no template' : `its template is called "${found}", not "${name}"`,
        `Begin the file with "${name}:", or give it the name of its template.`,
      ),
    ])
  }
  const warnings = others.map(
    (key): Problem => ({
      ...flaw(document.placeOf([key]), 'it is ignored here', `Move it to a file of its own, ${key}.yaml.`),
      field: key,
      severity: 'warning',
    }),
  )
  return { ...entry, warnings }
}

function entryOf(name: string, document: Document): Entry | undefined {
  const root = record(document.value)
  if (document.value !== undefined && document.value !== null && !root)
    throw invalid(`The file ${document.file}`, [
      flaw(document.placeOf([]), 'it is not a mapping', 'Begin it with the name of a template and a colon.'),
    ])
  return root && Object.hasOwn(root, name) ? entryIn(document, name, [name], root[name]) : undefined
}

function refuseExcess(text: string, file: string): void {
  let marks = 0
  for (const _ of text.matchAll(/[\n[{,]/g)) marks += 1
  if (marks > mostMarks || text.length > largestFile)
    throw invalid(`The file ${file}`, [flaw({ file }, 'it holds too many values', 'Split it.')])
}

function refuseReferences(events: readonly YamlEvent[], at: (offset: number) => FilePlace): void {
  for (const event of events) {
    if (event.anchorStart === undefined || event.anchorStart < 0) continue
    const place = at(event.anchorStart - 1)
    const isAlias = event.type === kinds.alias
    throw invalid(`The file ${place.file}`, [
      flaw(
        place,
        isAlias ? 'references (*name) are not allowed' : 'anchors (&name) are not allowed',
        'Write the value out, or quote it if the sign is part of it.',
      ),
    ])
  }
}

function refuseKeys(keys: Iterable<KeyAt>, at: (offset: number) => FilePlace): void {
  for (const { name, offset } of keys) {
    if (!forbiddenKeys.has(name)) continue
    const place = at(offset)
    const fix = name === '<<' ? 'Write the merged fields out.' : 'Rename it.'
    throw invalid(`The file ${place.file}`, [flaw(place, `the key "${name}" is not allowed`, fix)])
  }
}

function wordsFor(reason: string): string {
  return /maxDepth/.test(reason) ? `it is nested more than ${deepestNesting} deep` : reason
}

function fixFor(reason: string): string {
  if (/duplicated mapping key/.test(reason)) return 'Keep one of the two.'
  if (/unknown .* tag/.test(reason)) return 'Remove the tag (the word that begins with "!").'
  if (/maxDepth/.test(reason)) return 'Nest it less deeply.'
  if (/complex keys/.test(reason)) return 'Use plain text as key.'
  return 'Check indentation (spaces only, alike within a block), quotes and brackets; quote text that holds ": " or " #".'
}

function flaw(place: FilePlace, message: string, fix: string): Problem {
  return { ...place, message, fix, severity: 'error' }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
