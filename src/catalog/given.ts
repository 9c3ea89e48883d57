import { entryIn, parseYaml } from './read.ts'
import type { Source } from './sources.ts'

/** A template that is no file but a value, as a source that has this one provider. `place` stands for the file in messages. */
export async function givenSource(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  place: string,
): Promise<Source> {
  // JSON is YAML, so each problem is told with its field.
  const document = await parseYaml(JSON.stringify({ [name]: fields }, null, 2), place)
  const entry = entryIn(document, name, [name], (document.value as Record<string, unknown>)[name])
  return {
    kind: 'person',
    path: place,
    find: async (wanted) => (wanted === name ? entry : undefined),
    glance: () => [],
  }
}
