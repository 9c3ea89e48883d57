import { flawOfUrl } from '../fill/endpoint.ts'
import { type Piece, parse } from '../fill/parse.ts'
import type { Problem } from '../model/errors.ts'
import type { Fields, Kind } from './fields.ts'
import { nearest } from './nearest.ts'
import { isPattern } from './pattern.ts'
import { type Checked, type FieldPath, fieldName } from './problem.ts'

/** Holds a mapping to a table of fields. */
export function checkAgainst(table: Fields, { name, fields, placeOf }: Checked): readonly Problem[] {
  const problems: Problem[] = []
  const note: Note = (path, message, fix, severity = 'error', what = 'value') => {
    problems.push({
      ...placeOf(path, what),
      field: fieldName(name === '' ? path : [name, ...path]),
      message,
      fix,
      severity,
    })
  }
  const everything = fields['auth_mode'] !== 'OAUTH2'
  checkFields(fields, table, [], everything, note)
  return problems
}

type Mapping = Readonly<Record<string, unknown>>

type Note = (
  path: FieldPath,
  message: string,
  fix: string,
  severity?: Problem['severity'],
  what?: 'key' | 'value',
) => void

function checkFields(fields: Mapping, table: Fields, path: FieldPath, everything: boolean, note: Note): void {
  for (const [field, value] of Object.entries(fields)) {
    const kind = Object.hasOwn(table, field) ? table[field] : undefined
    if (kind) checkKind(value, kind, [...path, field], everything, note)
    else if (Object.keys(table).length > 0) noteUnknown(field, table, path, note)
  }
}

function noteUnknown(field: string, table: Fields, path: FieldPath, note: Note): void {
  const [meant] = nearest(field, Object.keys(table), 1)
  const fix = meant === undefined ? 'It is ignored; remove it.' : `Did you mean ${meant}?`
  note([...path, field], 'this field is not known', fix, 'warning', 'key')
}

/** `everything`: whether the second of two kinds is allowed, which only some modes understand. */
function checkKind(value: unknown, kind: Kind, path: FieldPath, everything: boolean, note: Note): void {
  switch (kind.is) {
    case 'any':
      return
    case 'text':
      checkText(value, kind, path, note)
      return
    case 'flag':
      if (typeof value !== 'boolean')
        note(path, `expected true or false, found ${shown(value)}`, 'Write true or false.')
      return
    case 'number':
      if (typeof value !== 'number') note(path, `expected a number, found ${shown(value)}`, 'Write it without quotes.')
      return
    case 'texts':
      if (kind.orText === true && typeof value === 'string') return
      checkTexts(value, path, note)
      return
    case 'scalars':
      checkScalars(value, path, note)
      return
    case 'either': {
      const [first, second] = kind.kinds
      const isSecond = everything && (second.is === 'map' ? isMapping(value) : false)
      checkKind(value, isSecond ? second : first, path, everything, note)
      return
    }
    case 'list':
      expectList(value, path, note).forEach((item, index) => {
        checkKind(item, { is: 'fields', fields: kind.fields }, [...path, index], everything, note)
      })
      return
    case 'map':
      expectMapping(value, path, note)
      return
    case 'fields':
      checkFields(expectMapping(value, path, note), kind.fields, path, everything, note)
      return
    case 'each':
      for (const [name, item] of Object.entries(expectMapping(value, path, note)))
        checkFields(expectMapping(item, [...path, name], note), kind.fields, [...path, name], everything, note)
  }
}

/** The value as a mapping; an empty one, and a note, where it is something else. */
function expectMapping(value: unknown, path: FieldPath, note: Note): Mapping {
  if (isMapping(value)) return value
  note(path, `expected fields, found ${shown(value)}`, 'Indent "name: value" lines below it.')
  return {}
}

function expectList(value: unknown, path: FieldPath, note: Note): readonly unknown[] {
  if (Array.isArray(value)) return value
  note(path, `expected a list, found ${shown(value)}`, 'Begin each item with "- ".')
  return []
}

function checkText(value: unknown, kind: Kind & { readonly is: 'text' }, path: FieldPath, note: Note): void {
  if (typeof value !== 'string') {
    note(path, `expected text, found ${shown(value)}`, fixForText(value))
    return
  }
  if (kind.oneOf && !kind.oneOf.includes(value)) {
    const [meant] = nearest(value, kind.oneOf, 1)
    const choice = kind.oneOf.length === 1 ? kind.oneOf[0] : `one of ${kind.oneOf.join(', ')}`
    note(path, `expected ${choice}, found ${shown(value)}`, meant ? `Did you mean ${meant}?` : `Use ${choice}.`)
    return
  }
  if (kind.pattern && !isPattern(value))
    note(path, 'it is not a regular expression, so nothing is held to it', 'Correct it (JavaScript syntax).', 'warning')
  checkFillable(value, path, note)
  if (kind.url) checkUrl(value, path, note)
}

function checkTexts(value: unknown, path: FieldPath, note: Note): void {
  expectList(value, path, note).forEach((item, index) => {
    if (typeof item !== 'string') note([...path, index], `expected text, found ${shown(item)}`, fixForText(item))
  })
}

function checkScalars(value: unknown, path: FieldPath, note: Note): void {
  for (const [name, item] of Object.entries(expectMapping(value, path, note))) {
    if (typeof item === 'string') checkFillable(item, [...path, name], note)
    else if (typeof item !== 'number' && typeof item !== 'boolean')
      note([...path, name], `expected text, a number, true or false, found ${shown(item)}`, fixForText(item))
  }
}

function checkFillable(value: string, path: FieldPath, note: Note): void {
  const parsed = parse(value)
  if ('malformed' in parsed) note(path, parsed.malformed, 'Close every "${" with "}".')
}

/** Judges each alternative with stand-ins for its placeholders. */
function checkUrl(value: string, path: FieldPath, note: Note): void {
  const parsed = parse(value.trim())
  if ('malformed' in parsed) return
  for (const pieces of parsed.alternatives) {
    const why = flawOfUrl(standIn(pieces))
    if (why !== undefined) {
      note(path, why, 'Give a whole URL, such as https://example.com/oauth/token.')
      return
    }
  }
}

function standIn(pieces: readonly Piece[]): string {
  return pieces
    .map((piece, index) => {
      if (typeof piece === 'string') return piece
      const before = pieces[index - 1]
      const after = pieces[index + 1]
      if (index === 0) return typeof after === 'string' && after.startsWith('://') ? 'https' : 'https://stand.in'
      return typeof before === 'string' && before.endsWith(':') ? '1' : 'x'
    })
    .join('')
}

/** Whether a value is fields. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fixForText(value: unknown): string {
  if (value === null) return 'Give it a value, or remove it.'
  return typeof value === 'object' ? 'Write one value on its line.' : `Put it in quotes: "${String(value)}".`
}

/** A value in an error: short, on one line. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'fields'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
