import { parse } from '../fill/parse.ts'
import type { Problem } from '../model/errors.ts'
import type { Prompt } from '../model/provider.ts'
import { nearest } from './nearest.ts'
import type { Checked } from './problem.ts'
import { type FieldPath, fieldName } from './problem.ts'
import { accept, meantPattern } from './rules.ts'

type Say = (path: FieldPath, message: string, fix: string, severity: Problem['severity']) => void

/** Parameters of requests: texts that cannot be filled, however deep, and what a form has no place for. */
export function checkParams(checked: Checked): readonly Problem[] {
  return collect(checked, (say) => {
    const { auth_mode: mode, body_format: format } = checked.fields
    for (const field of ['token_params', 'refresh_params']) {
      const params = mapping(checked.fields[field])
      for (const [name, value] of Object.entries(params)) {
        if (mode === 'OAUTH2' && (value === null || value === undefined))
          say([field, name], 'expected a value, found nothing', 'Give it a value, or remove it.', 'error')
        checkTexts(value, [field, name], say)
        if (mode === 'OAUTH2' && format !== 'json' && Object.keys(mapping(value)).length > 0)
          say([field, name], 'a form has no fields within fields; it is sent as JSON text', json, 'warning')
      }
    }
  })
}

const json = 'Add body_format: json, if the provider wants JSON.'

function checkTexts(value: unknown, path: FieldPath, say: Say): void {
  if (typeof value === 'string') {
    const parsed = parse(value)
    if ('malformed' in parsed) say(path, parsed.malformed, 'Close every "${" with "}".', 'error')
  } else if (Array.isArray(value)) value.forEach((item, index) => void checkTexts(item, [...path, index], say))
  else for (const [name, item] of Object.entries(mapping(value))) checkTexts(item, [...path, name], say)
}

/** Questions that contradict themselves or each other. */
export function checkQuestions(checked: Checked): readonly Problem[] {
  return collect(checked, (say) => {
    for (const section of ['connection_config', 'credentials', 'integration_config', 'assertion_option']) {
      const prompts = mapping(checked.fields[section])
      for (const [key, value] of Object.entries(prompts)) {
        const prompt = mapping(value) as Prompt
        checkCondition(prompts, key, [section, key, 'visible_when'], say)
        checkDefault(prompt, [section, key, 'default_value'], say)
        checkExample(prompt, [section, key, 'example'], say)
      }
    }
  })
}

function checkCondition(prompts: Mapping, key: string, path: FieldPath, say: Say): void {
  const fieldOf = (name: string): unknown => mapping(mapping(prompts[name])['visible_when'])['field']
  const field = fieldOf(key)
  if (typeof field !== 'string') return
  if (!Object.hasOwn(prompts, field)) {
    const [meant] = nearest(field, Object.keys(prompts), 1)
    const fix = meant === undefined ? 'Name a question of the same section.' : `Did you mean ${meant}?`
    say([...path, 'field'], `there is no question called "${field}", so this one is always asked`, fix, 'warning')
    return
  }
  const passed = [key]
  for (let next: unknown = field; typeof next === 'string' && Object.hasOwn(prompts, next); next = fieldOf(next)) {
    if (next === key) {
      say(path, `it goes in a circle: ${[...passed, key].join(' → ')}`, 'Remove one of the conditions.', 'warning')
      return
    }
    if (passed.includes(next)) return
    passed.push(next)
  }
}

function checkDefault(prompt: Prompt, path: FieldPath, say: Say): void {
  const { default_value: value, enum: choices } = prompt
  if (typeof value !== 'string' || !Array.isArray(choices) || value === '' || choices.includes(value)) return
  say(path, `the default is none of ${choices.join(', ')}`, 'Use one of them, or add it to enum.', 'warning')
}

/** A masked example breaks its rule by design; one that breaks it plainly hints at a wrong pattern. */
function checkExample(prompt: Prompt, path: FieldPath, say: Say): void {
  const { example, pattern } = prompt
  if (typeof example !== 'string' || typeof pattern !== 'string' || /[*…<]|x{3}/i.test(example)) return
  const rules: Prompt = { pattern, example }
  const meant = meantPattern(rules)
  if (meant === undefined || 'problem' in accept(example, rules, 'it')) {
    say(path, 'the example does not match the pattern', 'Correct one of the two.', 'note')
  } else if (meant !== pattern) {
    say(path, 'the pattern is escaped once too often; the plainer spelling is used', `Write ${meant}`, 'note')
  }
}

/** Fields that other tools accept and nobody reads. */
export function checkEffect(checked: Checked): readonly Problem[] {
  return collect(checked, (say) => {
    const { fields } = checked
    const idle = (path: FieldPath): void => say(path, 'this field has no effect', 'It may be removed.', 'note')
    for (const field of ['decode_url', 'refresh_token_response_metadata'])
      if (fields[field] !== undefined) idle([field])
    if (mapping(fields['auth'])['response_type'] !== undefined) idle(['auth', 'response_type'])
    if (mapping(fields['proxy'])['connection_config'] !== undefined) idle(['proxy', 'connection_config'])
    const mode = fields['auth_mode']
    if (fields['token_headers'] !== undefined && (mode === 'OAUTH2' || mode === 'OAUTH2_CC')) idle(['token_headers'])
    const steps = fields['additional_steps']
    if (!Array.isArray(steps)) return
    steps.forEach((step, index) => {
      if (mapping(step)['body_format'] !== undefined) idle(['additional_steps', index, 'body_format'])
    })
  })
}

type Mapping = Readonly<Record<string, unknown>>

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {}
}

function collect({ name, placeOf }: Checked, look: (say: Say) => void): readonly Problem[] {
  const problems: Problem[] = []
  look((path, message, fix, severity) => {
    problems.push({ ...placeOf(path), field: fieldName([name, ...path]), message, fix, severity })
  })
  return problems
}
