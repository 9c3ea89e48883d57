import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'
import { describe, expect, it, test } from 'vitest'
import { type Fields, readCatalogue } from './support/catalogue.ts'

type Ledger = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const folder = fileURLToPath(new URL('../templates', import.meta.url))
const ledgers = fileURLToPath(new URL('./support/sources', import.meta.url))
const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''))
const theirs = readCatalogue()

/** Where each fact was read that the other catalogue does not tell as well: public pages, by template and field. */
const sources: Ledger = Object.assign(
  {},
  ...readdirSync(ledgers).map((file) => load(readFileSync(`${ledgers}/${file}`, 'utf8'))),
)

/** What is ours to choose: the words of a template, and the form of its questions. */
const own =
  /^(alias|display_name|categories|authorization_url_skip_empty|(connection_config|credentials|integration_config|assertion_option)\.[^.]+\.(type|title|description|example|placeholder|order|optional|hidden|secret|automated|format|pattern|prefix|suffix|label))$/

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every member that is no group of others, by its dotted place. */
const leaves = (fields: Fields, place = ''): [place: string, value: unknown][] =>
  Object.entries(fields).flatMap(([key, value]): [string, unknown][] =>
    isFields(value) ? leaves(value, `${place}${key}.`) : [[`${place}${key}`, value]],
  )

/** The fact that a member is part of: all words of pagination are one, as are those of a question. */
const factOf = (place: string): string =>
  place
    .split('.')
    .slice(0, /^(proxy|connection_config|credentials)\./.test(place) ? 2 : 1)
    .join('.')

/** The facts of a template that its own file tells and the other catalogue's entry does not. */
function untold(name: string): string[] {
  const file = load(readFileSync(`${folder}/${name}.yaml`, 'utf8')) as Record<string, Fields>
  const known = new Map(leaves(theirs.get(name) ?? {}))
  const spelled = (value: unknown): string => JSON.stringify(typeof value === 'string' ? value.trim() : value)
  const facts = leaves(file[name] ?? {})
    .filter(([place, value]) => !own.test(place) && !(known.has(place) && spelled(known.get(place)) === spelled(value)))
    .map(([place]) => factOf(place))
  return [...new Set(facts)]
}

describe('what the templates tell', () => {
  test.each(names.filter((name) => name !== 'sandbox'))('%s tells nothing that no source confirms', (name) => {
    const told = sources[name] ?? {}
    expect(untold(name).filter((fact) => !(fact in told))).toEqual([])
    expect(Object.keys(told).filter((fact) => !untold(name).includes(fact))).toEqual([])
  })

  it('is confirmed by public pages, each template once', () => {
    const pages = Object.entries(sources).flatMap(([name, facts]) =>
      Object.entries(facts).flatMap(([fact, value]) => [value].flat().map((url) => [`${name}.${fact}`, url] as const)),
    )
    for (const [fact, url] of pages) expect(url, fact).toMatch(/^https:\/\/[^\s]+$/)
    const all = readdirSync(ledgers).flatMap((file) =>
      Object.keys(load(readFileSync(`${ledgers}/${file}`, 'utf8')) as Fields),
    )
    expect(all.filter((name, at) => all.indexOf(name) !== at || !names.includes(name))).toEqual([])
  })
})
