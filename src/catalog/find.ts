import { UsageError } from '../model/errors.ts'
import type { Provider, SourceKind, Template, TemplateSource } from '../model/provider.ts'
import { type Resolved, resolveAlias } from './alias.ts'
import { check } from './check.ts'
import { hashOf } from './hash.ts'
import { isTemplateName } from './names.ts'
import { nearest } from './nearest.ts'
import { invalid } from './problem.ts'
import { withSecretsMarked } from './questions.ts'
import type { Entry } from './read.ts'
import type { Source } from './sources.ts'
import { plainTitle } from './title.ts'

/**
 * The provider of that name from the first source that has it, aliases resolved (an alias looks in its own source and
 * those after it), checked. `known`: further names to suggest. Throws UsageError `UNKNOWN_PROVIDER` with the nearest
 * names, TemplateError `TEMPLATE_INVALID` with every problem.
 */
export async function findProvider(
  name: string,
  sources: readonly Source[],
  known: readonly string[] = [],
): Promise<Provider> {
  const catalogue = catalogueOf(sources)
  const entry = await catalogue.find(name, 0)
  if (!entry) throw unknownProvider(name, sources, known)
  const resolved = await catalogue.resolve(entry)
  const problems = [...entry.warnings, ...check({ name, ...resolved })]
  if (problems.some(({ severity }) => severity === 'error')) throw invalid(`The template "${name}"`, problems)
  const template = withSecretsMarked(resolved.fields as Template)
  const title = plainTitle(template.display_name ?? '')
  return {
    name,
    names: resolved.names,
    title: title === '' ? name : title,
    template,
    source: sourceOf(catalogue.sourceOf(entry), entry, resolved),
    hides: await hiddenBy(entry, catalogue),
    warnings: problems,
  }
}

interface Catalogue {
  /** From the source of that index on. */
  readonly find: (name: string, from: number) => Promise<Entry | undefined>
  readonly resolve: (entry: Entry) => Promise<Resolved>
  readonly indexOf: (entry: Entry) => number
  readonly sourceOf: (entry: Entry) => SourceKind
  readonly size: number
}

function catalogueOf(sources: readonly Source[]): Catalogue {
  const owners = new Map<Entry, number>()
  const indexOf = (entry: Entry): number => owners.get(entry) ?? 0
  const find = async (name: string, from: number): Promise<Entry | undefined> => {
    for (let index = from; index < sources.length; index += 1) {
      const entry = await sources[index]?.find(name)
      if (!entry) continue
      owners.set(entry, index)
      return entry
    }
    return undefined
  }
  return {
    find,
    indexOf,
    size: sources.length,
    sourceOf: (entry) => sources[indexOf(entry)]?.kind ?? 'built-in',
    resolve: (entry) =>
      resolveAlias(entry, async (target, from) => {
        // An alias of its own name builds on the template that it hides.
        const hidden = target === from.name ? await find(target, indexOf(from) + 1) : undefined
        return hidden ?? find(target, indexOf(from))
      }),
  }
}

function sourceOf(kind: SourceKind, entry: Entry, resolved: Resolved): TemplateSource {
  return { kind, file: entry.file, hash: hashOf(JSON.stringify(resolved.fields)) }
}

/** The templates of the same name in later sources; one that is itself broken counts too, under the hash of nothing. */
async function hiddenBy(entry: Entry, catalogue: Catalogue): Promise<readonly TemplateSource[]> {
  const hidden: TemplateSource[] = []
  for (let from = catalogue.indexOf(entry) + 1; from < catalogue.size; ) {
    const other = await catalogue.find(entry.name, from).catch(() => undefined)
    if (!other) break
    const kind = catalogue.sourceOf(other)
    const resolved = await catalogue.resolve(other).catch(() => undefined)
    hidden.push(resolved ? sourceOf(kind, other, resolved) : { kind, file: other.file, hash: hashOf('') })
    from = catalogue.indexOf(other) + 1
  }
  return hidden
}

function unknownProvider(name: string, sources: readonly Source[], known: readonly string[]): Error {
  const broken = sources.find((source) => source.broken)?.broken
  if (broken) return broken
  const shown = plainTitle(name).slice(0, 80)
  const names = sources.flatMap((source) => source.glance().map((one) => one.name))
  const meant = nearest(name, [...known, ...names])
  const question = meant.length > 0 ? ` Did you mean ${meant.join(' or ')}?` : ''
  const own = `describe yours: auth-cli providers new ${isTemplateName(name) ? name : '<name>'}`
  return new UsageError('UNKNOWN_PROVIDER', `There is no provider called "${shown}".${question}`, {
    hint: `List them with auth-cli providers, or ${own}`,
  })
}
