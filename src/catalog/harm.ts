import { parse } from '../fill/parse.ts'
import type { Problem } from '../model/errors.ts'
import { isPattern } from './pattern.ts'
import type { Checked } from './problem.ts'
import { type FieldPath, fieldName } from './problem.ts'
import { plainTitle } from './title.ts'

/** What is of the right type and yet does harm, or not what its author meant: in titles, headers, patterns, endpoints. */
export function checkHarm({ name, fields, placeOf }: Checked): readonly Problem[] {
  const problems: Problem[] = []
  const note = (severity: Problem['severity'], path: FieldPath, message: string, fix: string): void => {
    problems.push({ ...placeOf(path, 'value'), field: fieldName([name, ...path]), message, fix, severity })
  }
  lintShown(fields['display_name'], ['display_name'], note)
  for (const group of ['connection_config', 'credentials', 'integration_config', 'assertion_option'])
    for (const [key, prompt] of pairsOf(fields[group])) lintPrompt(prompt, [group, key], note)
  const proxy = Object.fromEntries(pairsOf(fields['proxy']))
  lintHeaders(fields['token_headers'], ['token_headers'], note)
  lintHeaders(fields['refresh_token_headers'], ['refresh_token_headers'], note)
  lintHeaders(proxy['headers'], ['proxy', 'headers'], note)
  const verification = Object.fromEntries(pairsOf(proxy['verification']))
  lintHeaders(verification['headers'], ['proxy', 'verification', 'headers'], note)
  for (const field of ['authorization_url', 'token_url', 'refresh_url'])
    if (/#/.test(textOf(fields[field])))
      note(
        'warning',
        [field],
        'it has a fragment, which an endpoint may not have (RFC 6749 §3.1, §3.2)',
        'Remove it from the "#" on.',
      )
  return problems
}

type Note = (severity: Problem['severity'], path: FieldPath, message: string, fix: string) => void

function lintPrompt(prompt: unknown, path: FieldPath, note: Note): void {
  const fields = Object.fromEntries(pairsOf(prompt))
  for (const field of ['title', 'description', 'example', 'prefix', 'suffix'])
    lintShown(fields[field], [...path, field], note)
  const pattern = textOf(fields['pattern'])
  if (isPattern(pattern) && runsAway(pattern))
    note(
      'warning',
      [...path, 'pattern'],
      'a repetition within a repetition may take very long',
      'Repeat only one of the two.',
    )
}

/** Escape sequences and invisible characters never reach the terminal, but whoever wrote them meant something. */
function lintShown(value: unknown, path: FieldPath, note: Note): void {
  const text = textOf(value)
  if (plainTitle(text) !== text.replace(/\s+/g, ' ').trim())
    note('warning', path, 'it holds control or invisible characters, which are never shown', 'Remove them.')
}

function lintHeaders(value: unknown, path: FieldPath, note: Note): void {
  for (const [header, content] of pairsOf(value)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header))
      note('error', [...path, header], 'this cannot be the name of a header', 'Use letters, digits and hyphens.')
    if (breaksLine(textOf(content)))
      note('error', [...path, header], 'a header may not hold line breaks', 'Write it on one line.')
  }
}

/** `(a+)+`: the classic way to keep a matcher busy for ever. What has a separator inside the group is none. */
function runsAway(pattern: string): boolean {
  const simple = pattern.replace(/\[(?:[^\]\\]|\\.)*\]|\\./g, 'x')
  return /\((?:\?:)?[^()[\]|+*?]?[+*]\)(?:[+*]|\{\d*,\d*\})/.test(simple)
}

/** Line breaks in the template's own words; those inside a `${…(…)}` are part of what is computed. */
function breaksLine(text: string): boolean {
  const parsed = parse(text.trim())
  const pieces = 'malformed' in parsed ? [text] : parsed.alternatives.flat()
  return pieces.some((piece) => typeof piece === 'string' && /[\r\n\0]/.test(piece))
}

function pairsOf(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
