import { flawOfUrl } from '../fill/endpoint.ts'
import { fill } from '../fill/fill.ts'
import { contextOf, type FillContext, type Flaw, flawError } from '../fill/flaw.ts'
import { placeholders } from '../fill/placeholders.ts'
import { type Scope, valueAt } from '../fill/scope.ts'
import { fillUrl } from '../fill/url.ts'
import { type Connection, givenOf } from '../model/connection.ts'
import { AuthCliError, ProviderError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { Prompt, Template } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { randomUuid } from '../wire/authorization.ts'
import { wordsIn } from '../wire/words.ts'
import { titleOf } from './talk.ts'

/** Whoever logs in without a browser, and where: the same from an integration and from what a connection holds. */
export interface Login {
  readonly template: Template
  readonly title: string
  readonly context: FillContext
  readonly params: Readonly<Record<string, string>>
  readonly credentials: Readonly<Record<string, string>>
  readonly assertionOption: Readonly<Record<string, string>>
  readonly tokenParams: Readonly<Record<string, string | null>>
  readonly allowHttp: boolean
}

export function loginOf(integration: Integration): Login {
  const { provider, params, credentials, assertionOption, tokenParams, allowHttp } = integration
  const { template, title, name } = provider
  const context = contextOf(name, template)
  return { template, title, context, params, credentials, assertionOption, tokenParams, allowHttp }
}

/** The same log-in again, from the connection's own snapshot; what was used once is not there any more. */
export function loginAgain({ snapshot, provider, params, credential }: Connection): Login {
  const { template, tokenParams, allowHttp } = snapshot
  return {
    template,
    title: titleOf(template, provider),
    context: contextOf(provider, template),
    params,
    credentials: givenOf(credential),
    assertionOption: {},
    tokenParams,
    allowHttp,
  }
}

/** What the texts of one request may refer to: its instant and its random value are the same wherever they stand. */
export function scopeOf(
  { params, credentials, assertionOption }: Login,
  world: Pick<World, 'clock' | 'random'>,
  more: Scope = {},
): Scope {
  const extra = more['credentials']
  return {
    // In the texts of a log-in an answer goes by its bare name too.
    ...params,
    ...credentials,
    ...more,
    connectionConfig: params,
    credentials: { ...credentials, ...(typeof extra === 'object' ? extra : {}) },
    assertionOption,
    now: world.clock.now(),
    random: randomUuid(world.random),
  }
}

/** What becomes of a text whose optional answers are not there. */
export type Without = 'left out' | 'empty'

/**
 * A value of a body with its texts filled, however deep. One that only lacks answers which may stay empty is left out, or
 * empty. Throws what `missing` throws for any other.
 */
export function filledValue(field: string, value: unknown, login: Login, scope: Scope, without: Without): unknown {
  if (typeof value === 'string') return filledText(field, value, login, scope, without)
  if (Array.isArray(value))
    return value
      .map((item, index) => filledValue(`${field}.${index}`, item, login, scope, without))
      .filter((item) => item !== undefined)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const filled = filledValue(`${field}.${name}`, inner, login, scope, without)
      return filled === undefined ? [] : [[name, filled]]
    }),
  )
}

function filledText(field: string, text: string, login: Login, scope: Scope, without: Without): string | undefined {
  const filled = fill(text, scope, 'member', { bars: 'literal' })
  const isAsked = placeholders(text).length > 0
  if ('text' in filled) return filled.text === '' && isAsked && without === 'left out' ? undefined : filled.text
  if (filled.flaw.kind === 'missing' && filled.flaw.paths.every((path) => mayBeEmpty(login.template, path)))
    return without === 'empty' ? '' : undefined
  throw missing(filled.flaw, field, text, login, scope)
}

/** Headers filled; one that is made of an answer which is not there is left out. */
export function filledHeaders(
  field: string,
  texts: Readonly<Record<string, unknown>> = {},
  login: Login,
  scope: Scope,
): Header[] {
  return Object.entries(texts).flatMap(([name, value]): Header[] => {
    const text = String(value).trim()
    const filled = fill(text, scope, 'text', { bars: 'literal' })
    if ('text' in filled) return filled.text === '' ? [] : [[name, filled.text]]
    if (filled.flaw.kind === 'missing' && filled.flaw.paths.every((path) => mayBeEmpty(login.template, path))) return []
    throw missing(filled.flaw, `${field}.${name}`, text, login, scope)
  })
}

/** A URL that answers, and the steps before it, may have a part in. */
export function filledUrl(field: string, text: string, login: Login, scope: Scope): string {
  const whole = /^\s*\$\{\s*(step\d+\.[^${}]+?)\s*\}\s*$/.exec(text)?.[1]
  const value = whole === undefined ? undefined : valueAt(scope, whole)
  // An endpoint may have a query of its own (RFC 6749 §3.2).
  if (value !== undefined && flawOfUrl(value) === undefined) return value
  const asWritten = login.template.token_url_skip_encode?.includes('base_url') === true
  try {
    return fillUrl(field, text, scope, login.context, asWritten)
  } catch (error) {
    const step = placeholders(text).find((path) => stepIn(path) !== undefined)
    if (step === undefined || !(error instanceof AuthCliError)) throw error
    throw lacking(step, field, login, scope)
  }
}

/** Why a text cannot be filled, as an error: the provider's where an answer of its own lacks what the next step needs. */
export function missing(flaw: Flaw, field: string, text: string, login: Login, scope: Scope): AuthCliError {
  const paths = flaw.kind === 'missing' ? flaw.paths : flaw.kind === 'refused' ? [flaw.path] : []
  const step = paths.find((path) => stepIn(path) !== undefined)
  return step === undefined ? flawError(flaw, field, text, login.context) : lacking(step, field, login, scope)
}

function lacking(path: string, field: string, login: Login, scope: Scope): ProviderError {
  const step = stepIn(path) ?? ''
  const answers = scope['answers'] as Readonly<Record<string, { readonly status: number; readonly text: string }>>
  const answer = answers?.[step]
  const name = path.replace(/^step\d+\./, '')
  return new ProviderError(
    'ANSWER_UNUSABLE',
    `${login.title} answered step ${step} of the log-in without a usable "${name}", which the next step needs.`,
    {
      status: answer?.status,
      words: answer === undefined ? undefined : wordsIn(answer.text),
      facts: [['Goes into', field]],
      hint: 'Its answer is in the log. Are the credentials right, and the path in the template?',
    },
  )
}

function stepIn(path: string): string | undefined {
  return /^step(\d+)(?:\.|\[)/.exec(path)?.[1]
}

/** Whether nobody has to answer what a path asks for. */
export function mayBeEmpty(template: Template, path: string): boolean {
  const [, section, key] = /^(connectionConfig|credentials|assertionOption|integrationConfig)\.(.+)$/s.exec(path) ?? []
  const name = key ?? path
  const sections = {
    connectionConfig: [template.connection_config],
    credentials: [template.credentials, template.integration_config],
    integrationConfig: [template.integration_config],
    assertionOption: [template.assertion_option],
  }
  const all = section === undefined ? Object.values(sections).flat() : sections[section as keyof typeof sections]
  const prompts = all.flatMap((one): Prompt[] => {
    const prompt = one !== undefined && Object.hasOwn(one, name) ? one[name] : undefined
    return prompt === undefined ? [] : [prompt]
  })
  return prompts.some(({ optional, default_value }) => optional === true || default_value !== undefined)
}
