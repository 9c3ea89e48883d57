import { capture, type Demand, flawsOf } from './demand.ts'
import { type Fields, fieldsOf, isFields, listOf, scalarText, textOf, withPath } from './fields.ts'
import { fillUrl, pieces, usedNames } from './fill.ts'
import { broughtValue } from './made-up.ts'
import { type BodyFormat, paramDemands, readParams } from './params.ts'
import { assertionFlaws, tokenFlaws } from './signed.ts'
import { type Call, headerOf, mediaType, type Stage } from './stage.ts'

/** One request of a login that takes several. */
export interface Step {
  readonly url: URL
  readonly method: string
  readonly headers: Fields
  readonly params: Fields
  readonly format: BodyFormat
}

/** What the answers of the earlier steps are, as the template's `${stepN.path}` reads them: `step1`, `step2`, … */
export function stepAnswers(stage: Stage): Readonly<Record<string, Fields>> {
  const { template, issued, name } = stage.part
  const steps = listOf(template['additional_steps'])
  const answers: Record<string, Fields> = {}
  for (const used of usedNames(steps)) {
    const [, step, path] = /^(step\d+)\.(.+)$/.exec(used) ?? []
    if (step === undefined || path === undefined) continue
    const isUrl = steps.some((one) => isWholeUrl(textOf(fieldsOf(one)['token_url']) ?? '', used))
    const value = issued.brought[path] ?? broughtValue(`${step}.${path}`, name, isUrl ? 'url' : 'elsewhere')
    answers[step] = withPath(answers[step] ?? {}, path, value)
  }
  return answers
}

function isWholeUrl(url: string, name: string): boolean {
  const [first] = pieces(url)
  return first !== undefined && 'expression' in first && first.expression.trim() === name
}

const formats: Readonly<Record<string, BodyFormat>> = { form: 'form', xml: 'xml' }

/** The requests of a login, the first one first. */
export function stepsOf(stage: Stage): readonly Step[] {
  const { template, variants } = stage.part
  const roots = { ...variants[0], ...stepAnswers(stage) }
  const format = formats[textOf(template['body_format']) ?? ''] ?? 'json'
  return [template, ...listOf(template['additional_steps']).map(fieldsOf)].flatMap((fields): readonly Step[] => {
    const url = fillUrl(textOf(fields['token_url']) ?? '', { roots, time: 0 })
    if (url === undefined) return []
    const method = textOf(fields['token_request_method']) ?? 'POST'
    return [
      { url, method, headers: fieldsOf(fields['token_headers']), params: fieldsOf(fields['token_params']), format },
    ]
  })
}

/** The content type that the template names for a request. */
export function typeOf({ headers }: Step): string | undefined {
  return textOf(Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1])
}

/** What is wrong with the headers that the template names. */
function headerDemands(headers: Fields, call: Call): readonly Demand[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const text = scalarText(value)
    const isType = name.toLowerCase() === 'content-type'
    if (text === undefined || (isType && call.body === '')) return []
    const actual = isType ? mediaType(call) : headerOf(call, name)
    return [{ what: `the header ${name.toLowerCase()}`, text, actual, hasAlternatives: false }]
  })
}

/** What the placeholder `name` was in the parameters that were sent. */
export function sentFor(name: string, demands: readonly Demand[], roots: Fields, time: number): string | undefined {
  for (const { text, actual } of demands) {
    if (actual === undefined || !usedNames(text).includes(name)) continue
    const found = capture(text, actual, { roots, time }, (one) => one === name)?.get(name)
    if (found !== undefined) return found
  }
  return undefined
}

/** Everything that is wrong with a request of the login; `extra` are further names that placeholders may use. */
export function stepFlaws(stage: Stage, step: Step, call: Call, extra: Fields = {}): readonly string[] {
  const { template, variants } = stage.part
  const now = stage.provider.now()
  const type = typeOf(step)
  if (step.method === 'GET' && call.body !== '') return ['a GET has no body']
  const read = readParams(call, step.format, type)
  if ('flaw' in read) return [read.flaw]
  const typed = step.format === 'json'
  const { demands, flaws } = paramDemands(step.params, read.params, { typed, hasAlternatives: false })
  const all = [...headerDemands(step.headers, call), ...demands]
  const known = { ...stepAnswers(stage), ...extra }
  const proofs: string[] = []
  const found: Record<string, unknown> = {}
  const base = { ...variants[0], ...known }
  if (usedIn(all, 'token') && isFields(template['token'])) {
    const token = sentFor('token', all, base, now)
    proofs.push(...tokenFlaws(stage, token, 'the signed token'))
    found['token'] = token
  }
  if (usedIn(all, 'credentials.assertion') && isFields(template['assertion'])) {
    const assertion = sentFor('credentials.assertion', all, base, now)
    proofs.push(...assertionFlaws(stage, assertion))
    found['credentials'] = { ...fieldsOf(base['credentials']), assertion }
  }
  const filled = variants.map((roots) => ({ ...roots, ...known, ...found }))
  return [...flaws, ...proofs, ...flawsOf(all, filled, now)]
}

const usedIn = (demands: readonly Demand[], name: string): boolean =>
  demands.some(({ text }) => usedNames(text).includes(name))
