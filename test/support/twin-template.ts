import { type Fields, readCatalogue } from './catalogue.ts'

let catalogue: ReturnType<typeof readCatalogue> | undefined

/** An entry of the installed catalogue with every endpoint of it at this origin, its path and questions as they are. */
export function twinTemplate(name: string, origin: string): Fields {
  catalogue ??= readCatalogue()
  const fields = catalogue.get(name)
  if (fields === undefined) throw new Error(`no entry ${name}`)
  const { alias: _, ...own } = fields
  return JSON.parse(
    JSON.stringify(own, (key, value: unknown) =>
      typeof value === 'string' && /_url$/.test(key) ? atOrigin(value, origin) : value,
    ),
  ) as Fields
}

/** Each alternative's scheme and host replaced; a URL that is one placeholder is left to what fills it. */
function atOrigin(url: string, origin: string): string {
  const all = url.split(' || ').map((one) => one.replace(/^https:\/\/(?:\$\{[^}]*\}|[^/$])+/, origin))
  return [...new Set(all)].join(' || ')
}
