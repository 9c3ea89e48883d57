import type { Fields } from './fields.ts'
import { fill, fillFirst, helperCall, pieces, type Scope, usedNames } from './fill.ts'

/** A text of the template and what a client made of it. */
export interface Demand {
  /** As a refusal names it: `the header x-api-key`. */
  readonly what: string
  readonly text: string
  /** Undefined where nothing was sent. */
  readonly actual: string | undefined
  /** Whether `||` divides alternatives here, or is two bars. */
  readonly hasAlternatives: boolean
}

/** Milliseconds that a client's clock may be off. */
const skew = 300_000

const isVolatile = (name: string): boolean => name === 'random' || /^now\b/.test(name)

const written = (demand: Demand, scope: Scope) => (demand.hasAlternatives ? fillFirst : fill)(demand.text, scope)

/**
 * What is wrong with what was sent, one sentence each. `variants` are the mappings that a client may have filled from;
 * a text that none of them fills is demanded of nobody. All texts are held to one moment and to one `${random}`, as a
 * provider that checks a signature would.
 */
export function flawsOf(demands: readonly Demand[], variants: readonly Fields[], now: number): readonly string[] {
  const steady = demands.filter(({ text }) => !usedNames(text).some(isVolatile))
  const moving = demands.filter((demand) => !steady.includes(demand))
  const flaws = steady.flatMap((demand) => steadyFlaw(demand, variants, now) ?? [])
  const absent = moving.filter(({ actual }) => actual === undefined).map(({ what }) => `${what} is missing`)
  return flaws.length + absent.length > 0 ? [...flaws, ...absent] : movingFlaws(moving, variants, now)
}

function steadyFlaw(demand: Demand, variants: readonly Fields[], time: number): string | undefined {
  const filled = variants.map((roots) => written(demand, { roots, time }))
  const whole = filled.filter(({ missing }) => missing.length === 0)
  if (whole.length === 0) return undefined
  if (whole.some(({ text }) => text === demand.actual)) return undefined
  const mayLack = whole.length < filled.length || whole.some(({ text }) => text === '')
  if (demand.actual === undefined) return mayLack ? undefined : `${demand.what} is missing`
  const isSecret = usedNames(demand.text).some((name) => !name.startsWith('connectionConfig.'))
  const wanted = isSecret ? 'what the template makes of it' : whole.map(({ text }) => `"${text}"`).join(' or ')
  return `${demand.what} is not ${wanted}`
}

function movingFlaws(demands: readonly Demand[], variants: readonly Fields[], now: number): readonly string[] {
  if (demands.length === 0) return []
  let best: readonly string[] = demands.map(({ what }) => what)
  for (const roots of variants) {
    const randoms = randomsIn(demands, roots, now)
    if (randoms === undefined) return ['a ${random} of this request is no UUID']
    // The cheap ones first, so that a wrong moment is recognised before anything is signed.
    const ordered = [...demands].sort((a, b) => Number(isHelped(a)) - Number(isHelped(b)))
    for (const time of moments(demands, roots, now)) {
      for (const random of randoms) {
        const failing = firstMisfit(ordered, { roots, time, random })
        if (failing === undefined) return []
        if (ordered.indexOf(failing) > ordered.length - best.length) best = [failing.what]
      }
    }
  }
  return [`${best[0]} is not what the template makes of it, at any moment within five minutes of now`]
}

const isHelped = ({ text }: Demand): boolean =>
  pieces(text).some((piece) => 'expression' in piece && helperCall(piece.expression) !== undefined)

const firstMisfit = (demands: readonly Demand[], scope: Scope): Demand | undefined =>
  demands.find((demand) => written(demand, scope).text !== demand.actual)

/** What `${random}` was, where it stands openly; one undefined where it stands nowhere; undefined for what is no UUID. */
function randomsIn(
  demands: readonly Demand[],
  roots: Fields,
  time: number,
): readonly (string | undefined)[] | undefined {
  const found = demands.flatMap(({ text, actual }) => {
    const bound = capture(text, actual ?? '', { roots, time }, (name) => name === 'random')?.get('random')
    return bound === undefined ? [] : [bound]
  })
  if (found.some((one) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(one))) return undefined
  return found.length === 0 ? [undefined] : [...new Set(found)]
}

/** The moments that a client may have meant: those it spelled out to the millisecond, then every second from now outward. */
function* moments(demands: readonly Demand[], roots: Fields, now: number): Generator<number> {
  for (const { text, actual } of demands) {
    const bound = capture(text, actual ?? '', { roots, time: now }, (name) => name === 'now')?.get('now')
    const time = Date.parse(bound ?? '')
    if (Math.abs(time - now) <= skew) yield time
  }
  const second = Math.floor(now / 1000) * 1000
  for (let away = 0; away <= skew; away += 1000) {
    yield second - away
    if (away > 0) yield second + away
  }
}

interface Group {
  readonly name: string
  /** What base64 hides. */
  readonly inner?: string
}

/**
 * What the unknown names of a text stand for in what was sent, also inside `${base64(…)}`; undefined where the known
 * parts do not fit. What is hashed or depends on the clock fits anything: it is checked once everything is known.
 */
export function capture(
  text: string,
  actual: string,
  scope: Scope,
  isUnknown: (name: string) => boolean,
): ReadonlyMap<string, string> | undefined {
  const groups: Group[] = []
  const source = pieces(text).map((piece) => {
    if ('literal' in piece) return escaped(piece.literal)
    const name = piece.expression.trim()
    const call = helperCall(name)
    const inside = call === undefined ? [name] : usedNames(call.inner)
    if (!inside.some((one) => isUnknown(one) || isVolatile(one))) {
      const { text: value, missing } = fill('${' + name + '}', scope)
      return missing.length === 0 ? escaped(value) : '[\\s\\S]+?'
    }
    if (call === undefined && !isUnknown(name)) return '[\\s\\S]+?'
    if (call !== undefined && call.name !== 'base64') return '[\\s\\S]+?'
    groups.push(call === undefined ? { name } : { name, inner: call.inner })
    return '([\\s\\S]+?)'
  })
  const match = new RegExp(`^${source.join('')}$`).exec(actual)
  if (!match) return undefined
  const found = new Map<string, string>()
  for (const [index, { name, inner }] of groups.entries()) {
    const value = match[index + 1] ?? ''
    if (inner === undefined) found.set(name, value)
    else {
      const within = capture(inner, Buffer.from(value, 'base64').toString(), scope, isUnknown)
      if (within === undefined) return undefined
      for (const [one, its] of within) found.set(one, its)
    }
  }
  return found
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
