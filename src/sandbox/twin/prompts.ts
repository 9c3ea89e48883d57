import { type Fields, fieldsOf, scalarText, textOf, textsOf } from './fields.ts'

/** A question of a template, under which section it stands. */
export interface Prompt {
  readonly section: Section
  readonly key: string
  readonly pattern: string | undefined
  readonly format: string | undefined
  readonly example: string | undefined
  /** May be empty. */
  readonly defaultValue: string | undefined
  readonly choices: readonly string[]
  readonly isHidden: boolean
  readonly isAutomated: boolean
  readonly isSecret: boolean
  readonly visibleWhen: { readonly field: string; readonly equals: string } | undefined
}

export const sections = ['integration_config', 'connection_config', 'credentials', 'assertion_option'] as const

export type Section = (typeof sections)[number]

/** Every question that the template asks, in the order of its sections. */
export function promptsOf(template: Fields): readonly Prompt[] {
  return sections.flatMap((section) =>
    Object.entries(fieldsOf(template[section])).map(([key, value]) => promptOf(section, key, fieldsOf(value))),
  )
}

export function promptOf(section: Section, key: string, fields: Fields): Prompt {
  const condition = fieldsOf(fields['visible_when'])
  const field = textOf(condition['field'])
  return {
    section,
    key,
    pattern: textOf(fields['pattern']),
    format: textOf(fields['format']),
    example: scalarText(fields['example']),
    defaultValue: scalarText(fields['default_value']),
    choices: textsOf(fields['enum']),
    isHidden: fields['hidden'] === true,
    isAutomated: fields['automated'] === true,
    isSecret: fields['secret'] === true,
    visibleWhen: field === undefined ? undefined : { field, equals: scalarText(condition['equals']) ?? '' },
  }
}

const formats: Readonly<Record<string, RegExp>> = {
  hostname: /^[a-zA-Z0-9.-]+$/,
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  email: /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/,
}

/** Why a value breaks a rule of the question, or undefined when it keeps them all. */
export function brokenRule(prompt: Prompt, value: string): string | undefined {
  const { choices, format, pattern } = prompt
  if (choices.length > 0 && !choices.includes(value)) return 'it is not one of the choices'
  if (format === 'uri' && !URL.canParse(value)) return 'it is no URI'
  const shape = format === undefined ? undefined : formats[format]
  if (shape !== undefined && !shape.test(value)) return `it is no ${format}`
  return pattern === undefined || isMatch(pattern, value) ? undefined : 'it does not match the pattern'
}

function isMatch(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern).test(value)
  } catch {
    // What is no pattern holds nobody to anything.
    return true
  }
}
