import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { findProvider } from '../src/catalog/find.ts'
import { type Source, sourceAt } from '../src/catalog/sources.ts'
import { dialectOf } from '../src/dialects/index.ts'
import { mended } from '../src/mend.ts'
import { hashLength, type Trials } from '../src/trials.ts'
import { catalogueFile, readCatalogue } from './support/catalogue.ts'
import { freshFolder } from './support/disk.ts'
import { isThorough, sampleOf } from './support/sample.ts'
import { type Trial, tryTwin } from './support/twins.ts'

vi.setConfig({ testTimeout: 900_000 })

const page = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url))
/** `npm run support` writes the pages instead of holding them to what comes out. */
const isWriting = process.env['SUPPORT'] === 'write'
const told: Trials = isWriting ? { 'built-in': {}, added: {} } : JSON.parse(readFileSync(page('support.json'), 'utf8'))
const kept: { -readonly [kind in keyof Trials]: Record<string, Trials[kind][string]> } = { 'built-in': {}, added: {} }
const tried: Record<keyof Trials, Trial[]> = { 'built-in': [], added: [] }

const folder = fileURLToPath(new URL('../templates', import.meta.url))
const ours = readdirSync(folder)
  .map((file) => file.replace(/\.yaml$/, ''))
  .filter((name) => name !== 'sandbox')

/** Which template each name has now: the beginning of its hash. */
const hashes: Record<keyof Trials, Map<string, string>> = { 'built-in': new Map(), added: new Map() }

/** Those that have a dialect of their own, those whose template is another than the page tells, and a sample. */
function chosen(kind: keyof Trials, names: readonly string[]): readonly string[] {
  const isOther = (name: string): boolean => told[kind][name]?.hash !== hashes[kind].get(name)
  return isWriting ? names : sampleOf(names, 20, (name) => Object.keys(dialectOf(name)).length > 0 || isOther(name))
}

async function tryAll(kind: keyof Trials, names: readonly string[], sources: readonly Source[]): Promise<void> {
  const home = freshFolder()
  for (const name of names) {
    const { source } = await findProvider(name, sources)
    hashes[kind].set(name, source.hash.slice(0, hashLength))
  }
  const queue = [...chosen(kind, names)]
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const provider = mended(await findProvider(name, sources))
      const trial = await tryTwin(provider, home)
      const { support, says } = trial
      tried[kind].push(trial)
      kept[kind][name] = {
        level: support,
        hash: hashes[kind].get(name) ?? '',
        ...(says.length === 0 ? {} : { says }),
      }
    }
  }
  await Promise.all([worker(), worker(), worker()])
  kept[kind] = Object.fromEntries(Object.entries(kept[kind]).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** One entry to a line, so that a change of one is a line of a diff. */
function asJson(trials: Trials): string {
  const section = (kind: keyof Trials): string =>
    Object.entries(trials[kind])
      .map(([name, trial]) => `    ${JSON.stringify(name)}: ${JSON.stringify(trial)}`)
      .join(',\n')
  return `{\n  "built-in": {\n${section('built-in')}\n  },\n  "added": {\n${section('added')}\n  }\n}\n`
}

function tableOf(trials: readonly Trial[]): string[] {
  const modes = [...new Set(trials.map(({ mode }) => mode))]
  const row = (label: string, some: readonly Trial[]): string => {
    const count = (level: string): number => some.filter(({ support }) => support === level).length
    return `| ${label} | ${some.length} | ${count('whole')} | ${count('in part')} | ${count('not yet')} |`
  }
  const rows = modes
    .map((mode) => ({ mode, some: trials.filter((one) => one.mode === mode) }))
    .sort((a, b) => b.some.length - a.some.length || (a.mode < b.mode ? -1 : 1))
    .map(({ mode, some }) => row(mode.replaceAll('_', '\\_'), some))
  return [
    '| mode | total | whole | in part | not yet |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    row('**all**', trials),
  ]
}

function rest(trials: readonly Trial[]): string[] {
  const other = trials.filter(({ support }) => support !== 'whole').sort((a, b) => (a.name < b.name ? -1 : 1))
  return other.map(({ name, mode, support, says }) => `- \`${name}\` (${mode}): ${support}. ${says.join('. ')}.`)
}

function asPage(): string {
  return [
    '# What is supported',
    '',
    'Written by `npm run support`, which runs every provider against its twin: a double that the sandbox makes from the',
    "template's text, by code that shares nothing with the client. *Whole* means: connected, everything looked up that its",
    'template leaves open, an API call accepted, verified where the template says how, and renewed and called again where',
    'the mode can be. A test holds this page to what comes out. `auth-cli providers show <name>` tells the same of one.',
    '',
    '## The catalogue of `@nangohq/providers`',
    '',
    ...tableOf(tried.added),
    '',
    ...rest(tried.added),
    '',
    '## The templates that come along',
    '',
    ...tableOf(tried['built-in']),
    '',
    ...rest(tried['built-in']),
    '',
  ].join('\n')
}

describe('every provider against its twin', () => {
  it.each<[keyof Trials, readonly string[], Source]>([
    ['added', [...readCatalogue().keys()], sourceAt('added', catalogueFile)],
    ['built-in', ours, sourceAt('built-in', folder)],
  ])('does what its template says: %s', async (kind, names, source) => {
    await tryAll(kind, names, [source])
    const failures = tried[kind].flatMap(({ name, mode, failure }) =>
      failure === undefined ? [] : [`${name} (${mode}) ${failure}`],
    )
    expect(failures.sort()).toEqual([])
  })

  afterAll(() => {
    if (!isWriting) return
    writeFileSync(page('support.json'), asJson(kept))
    writeFileSync(page('support.md'), asPage())
  })

  it.skipIf(isWriting)('is told as it came out (npm run support)', () => {
    for (const kind of ['built-in', 'added'] as const) {
      const now = Object.fromEntries([...hashes[kind]].sort(([a], [b]) => (a < b ? -1 : 1)))
      expect(Object.fromEntries(Object.entries(told[kind]).map(([name, { hash }]) => [name, hash]))).toEqual(now)
      expect(told[kind]).toMatchObject(kept[kind])
    }
  })

  it.skipIf(isWriting || !isThorough)('is told whole: only a sample is tried where CI is not set', () => {
    expect(readFileSync(page('support.json'), 'utf8')).toBe(asJson(kept))
    expect(readFileSync(page('support.md'), 'utf8')).toBe(asPage())
  })
})
