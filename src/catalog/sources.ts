import type { TemplateError } from '../model/errors.ts'
import type { SourceKind } from '../model/provider.ts'
import { indexedGlance } from './added.ts'
import { type Glance, glance } from './glance.ts'
import type { Entry } from './read.ts'
import { shippedGlance } from './shipped.ts'

/** A place where templates are kept. */
export interface Source {
  readonly kind: SourceKind
  /** The folder or file. */
  readonly path: string
  readonly find: (name: string) => Promise<Entry | undefined>
  readonly glance: () => readonly Glance[]
  /** Set where the source could not be read as a whole: thrown once nothing else has what was asked for. */
  readonly broken?: TemplateError | undefined
}

/** A line of the list of providers. */
export interface ListedProvider {
  readonly name: string
  readonly title: string
  /** Absent where only a whole parse would tell. */
  readonly mode?: string | undefined
  readonly categories?: readonly string[] | undefined
  readonly source: { readonly kind: SourceKind; readonly file: string }
}

/** A folder of one-provider files, or one file with many. */
export function sourceAt(kind: SourceKind, path: string): Source {
  return {
    kind,
    path,
    find: async (name) => (await import('./read.ts')).findTemplate(name, path),
    glance: () => glance(path),
  }
}

/** All sources in the order in which they win: the project's, the person's folder, added ones, the built-in folder. */
export function orderedSources(given: {
  readonly project?: { readonly sources: readonly Source[] } | undefined
  readonly person: string
  readonly added?: readonly { readonly path: string; readonly index?: string | undefined }[] | undefined
  readonly builtIn: string
  readonly builtInIndex?: string | undefined
}): readonly Source[] {
  const { builtIn, builtInIndex } = given
  return [
    ...(given.project?.sources ?? []),
    sourceAt('person', given.person),
    ...(given.added ?? []).map(({ path, index }) => ({
      ...sourceAt('added', path),
      ...(index === undefined ? {} : { glance: () => indexedGlance(path, index) }),
    })),
    {
      ...sourceAt('built-in', builtIn),
      ...(builtInIndex === undefined ? {} : { glance: () => shippedGlance(builtIn, builtInIndex) }),
    },
  ]
}

/** Every provider there is, each name once, in the order of their names; nothing is parsed or checked. */
export async function listProviders(sources: readonly Source[]): Promise<readonly ListedProvider[]> {
  const layers = sources.map((source) => ({
    source,
    glances: new Map(source.glance().map((one) => [one.name, one] as const)),
  }))
  const inherited = <M extends 'title' | 'mode' | 'categories'>(
    member: M,
    one: Glance,
    layer: number,
    steps: number,
  ): Glance[M] => {
    if (one[member] !== undefined || one.alias === undefined || steps > 16) return one[member]
    for (let below = one.alias === one.name ? layer + 1 : layer; below < layers.length; below += 1) {
      const target = layers[below]?.glances.get(one.alias)
      if (target) return inherited(member, target, below, steps + 1)
    }
    return undefined
  }
  const listed = new Map<string, ListedProvider>()
  layers.forEach(({ source, glances }, layer) => {
    for (const one of glances.values()) {
      if (listed.has(one.name)) continue
      const title = inherited('title', one, layer, 0)
      listed.set(one.name, {
        name: one.name,
        title: title === undefined || title === '' ? one.name : title,
        mode: inherited('mode', one, layer, 0),
        categories: inherited('categories', one, layer, 0),
        source: { kind: source.kind, file: one.file },
      })
    }
  })
  return [...listed.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
