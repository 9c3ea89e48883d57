import { listProviders } from '../catalog/sources.ts'
import { type Asked, type Description, describe } from '../describe.ts'
import { locate } from '../locate.ts'
import type { World } from '../model/world.ts'
import { catalogOf } from '../sources.ts'
import { takenFlags } from './questions.ts'

/** `docs/providers.md`: every provider that comes along, what it asks and where it is odd. `npm run docs` writes it. */
export async function providersPage(world: World): Promise<string> {
  const { sources } = await catalogOf(world)
  const names = (await listProviders(sources)).filter(({ source }) => source.kind === 'built-in')
  const pages: Description[] = []
  for (const { name } of names) pages.push(await describe(world, await locate(world, name), { taken: takenFlags() }))
  const modes = new Map<string, number>()
  for (const { mode } of pages) modes.set(mode, (modes.get(mode) ?? 0) + 1)
  const count = [...modes].sort(([, a], [, b]) => b - a).map(([mode, number]) => `${mode} ${number}`)
  return [
    '# Providers that come along',
    '',
    'Written by `npm run docs` from `templates/`; `auth-cli providers show <name>` tells more of each. A thousand more come',
    'with `auth-cli providers add @nangohq/providers`.',
    '',
    `${pages.length} entries: ${count.join(', ')}.`,
    '',
    '| name | provider | mode | asks | quirks |',
    '| --- | --- | --- | --- | --- |',
    ...pages.map(rowOf),
    '',
  ].join('\n')
}

function rowOf(page: Description): string {
  const client = page.client === undefined ? [] : [page.client.id, page.client.secret]
  const title = page.docs === undefined ? cell(page.title) : `[${cell(page.title)}](${page.docs})`
  const quirks = [...page.quirks, ...page.lacks.map(({ says }) => `not yet: ${says}`), ...redirectWords(page)]
  const asks = [...page.asks, ...client].map(askWords)
  return `| ${[page.name, title, page.mode, asks.join(', '), cell(quirks.join('; '))].join(' | ')} |`
}

function askWords({ flag, isOptional }: Asked): string {
  return `\`${flag}\`${isOptional ? '?' : ''}`
}

function redirectWords({ register }: Description): string[] {
  if (register.unsuitable !== undefined) return ['wants https in the redirect URL']
  return register.anyPort ? ['takes any port on this machine'] : []
}

/** Text in a table: a bar would end its cell, a tag or a placeholder would be taken for markup. */
function cell(text: string): string {
  return text.replace(/[\\|<>`*_]/g, (sign) => `\\${sign}`).replace(/\s+/g, ' ')
}
