import { type Problem, TemplateError } from '../model/errors.ts'

/** Where something stands in a file, 1-based. */
export interface FilePlace {
  readonly file: string
  readonly line?: number | undefined
  readonly column?: number | undefined
}

/** Path of a value inside a file or an entry. */
export type FieldPath = readonly (string | number)[]

/** Finds the place of a field; of its value where `what` says so. A field that is missing has its parent's place. */
export type PlaceOf = (path: FieldPath, what?: 'key' | 'value') => FilePlace

/** A mapping about to be checked: what it is called, its fields, and where each of them stands. */
export interface Checked {
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly placeOf: PlaceOf
}

/** `zendesk.connection_config.subdomain`, `default_scopes[0]`. */
export function fieldName(path: FieldPath): string {
  return path.reduce<string>(
    (name, part) => (typeof part === 'number' ? `${name}[${part}]` : name === '' ? part : `${name}.${part}`),
    '',
  )
}

/** `templates/x.yaml:3:5`. */
export function shownPlace({ file, line, column }: FilePlace): string {
  return line === undefined ? file : column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`
}

/** The error for what is wrong with `subject` (`The template "zendesk"`): all problems in it, the first in words. */
export function invalid(subject: string, problems: readonly Problem[]): TemplateError {
  const errors = problems.filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (!first) return new TemplateError('TEMPLATE_INVALID', `${subject} is not valid.`, { problems: errors })
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const field = first.field === undefined ? '' : `${first.field}: `
  return new TemplateError(
    'TEMPLATE_INVALID',
    `${subject} is not valid: ${shownPlace(first)}: ${field}${first.message}${more}`,
    {
      hint: first.fix,
      problems: errors,
    },
  )
}
