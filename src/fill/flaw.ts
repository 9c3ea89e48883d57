import { type AuthCliError, TemplateError, UsageError } from '../model/errors.ts'
import type { Prompt, Template } from '../model/provider.ts'
import { flagOf } from './flag.ts'

/** Why a text could not be filled. */
export type Flaw =
  | { readonly kind: 'missing'; readonly paths: readonly string[] }
  /** The value at `path` would break out of its place. */
  | { readonly kind: 'refused'; readonly path: string; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string }
  /** A form of `${…}` that is not understood. */
  | { readonly kind: 'unknown'; readonly form: string }

/** Whose text it is, and how the person could supply what it asks for. */
export interface FillContext {
  /** Name of the template. */
  readonly template: string
  /** What to type for a key of that section; undefined where the template declares no such key. */
  readonly flagFor: (key: string, section: Section) => string | undefined
}

/** The sections of questions, as a text refers to them. */
const sections = {
  connectionConfig: 'connection_config',
  credentials: 'credentials',
  assertionOption: 'assertion_option',
  integrationConfig: 'integration_config',
} as const

type Section = keyof typeof sections

/**
 * The context of a template's own texts. `asked`: what to type for each question that has a flag of its own; any other
 * declared key is reached by `--param`.
 */
export function contextOf(name: string, template: Template, asked?: ReadonlyMap<string, string>): FillContext {
  const declared = declaredKeys(template)
  return {
    template: name,
    flagFor: (key, section) => {
      if (section === 'credentials' && askedByFlag(template, 'integrationConfig', key)) return flagOf(key)
      if (section !== 'connectionConfig') return askedByFlag(template, section, key) ? flagOf(key) : undefined
      if (!declared.has(key)) return undefined
      if (asked) return asked.get(key) ?? `--param ${key}=<value>`
      return askedByFlag(template, section, key) ? flagOf(key) : `--param ${key}=<value>`
    },
  }
}

/** Every key of `connectionConfig` that a template declares: asked for, brought by an answer, or found by a look-up. */
export function declaredKeys(template: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const prompts = template['connection_config']
  const names = typeof prompts === 'object' && prompts !== null ? Object.keys(prompts) : []
  const lists = [
    'token_response_metadata',
    'redirect_uri_metadata',
    'connection_configuration',
    'webhook_response_metadata',
  ]
  return new Set([...names, ...lists.flatMap((field) => listed(template[field]))])
}

/** The error that says what stopped `field`, whose text is `text`, from being filled. Values never stand in it. */
export function flawError(flaw: Flaw, field: string, text: string, context: FillContext): AuthCliError {
  const where = `${field} of the template "${context.template}"`
  const template = (why: string, fix: string): AuthCliError =>
    new TemplateError('TEMPLATE_INVALID', `${where} cannot be filled: ${why}.`, {
      hint: fix,
      facts: [['Written as', text]],
    })
  switch (flaw.kind) {
    case 'malformed':
      return template(flaw.why, 'Correct it; every "${" needs its "}".')
    case 'unknown':
      return template(`"\${${flaw.form}}" is not understood here`, 'Check its spelling, or update auth-cli.')
    case 'refused': {
      const said = spoken(flaw.path, context)
      return new UsageError('BAD_FLAG', `${said ?? flaw.path} cannot stand in ${where}: ${flaw.why}.`, {
        facts: [['Goes into', text]],
        hint: `Give ${said ? `another value for ${said}` : 'another value'}.`,
      })
    }
    case 'missing': {
      const flags = flaw.paths.map((path) => spoken(path, context))
      const unknown = flaw.paths.filter((_, index) => flags[index] === undefined)
      if (flaw.paths.length === unknown.length)
        return template(
          `nothing supplies ${unknown.map((path) => `\${${path}}`).join(', ')}`,
          'Declare it under connection_config, or correct its name.',
        )
      const known = flags.filter((flag) => flag !== undefined)
      return new UsageError('MISSING_INPUT', `${where} needs ${known.join(' or ')}.`, {
        facts: [['Goes into', text]],
        hint: `Give ${known.join(' or ')}.`,
      })
    }
  }
}

/** What the person types for a path; undefined where nothing they type supplies it. */
function spoken(path: string, context: FillContext): string | undefined {
  if (path === 'clientId') return '--client-id'
  if (path === 'clientSecret') return '--client-secret'
  const [, section, key] = /^(\w+)\.(.+)$/s.exec(path) ?? []
  if (section === undefined || key === undefined)
    return context.flagFor(path, 'connectionConfig') ?? context.flagFor(path, 'credentials')
  return Object.hasOwn(sections, section) ? context.flagFor(key, section as Section) : undefined
}

function askedByFlag(template: Template, section: Section, key: string): boolean {
  const prompts = template[sections[section]] as Readonly<Record<string, Prompt>> | undefined
  const prompt = prompts && Object.hasOwn(prompts, key) ? prompts[key] : undefined
  return prompt !== undefined && prompt.automated !== true && prompt.hidden !== true
}

function listed(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
