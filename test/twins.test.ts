import { readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { findProvider, sourceAt } from '../src/catalog/find.ts'
import { catalogueFile, readCatalogue } from './support/catalogue.ts'
import { freshFolder } from './support/disk.ts'
import { type Trial, tryTwin } from './support/twins.ts'

vi.setConfig({ testTimeout: 600_000 })

const ours = fileURLToPath(new URL('../templates', import.meta.url))

async function tried(names: readonly string[], source: Parameters<typeof findProvider>[1]): Promise<Trial[]> {
  const home = freshFolder()
  const trials: Trial[] = []
  const queue = [...names]
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift())
      trials.push(await tryTwin(await findProvider(name, source), home))
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  return trials
}

describe('every provider against its twin', () => {
  it.each([
    ['the thousand that others describe', [...readCatalogue().keys()], sourceAt('added', catalogueFile)],
    [
      'those that come along',
      readdirSync(ours)
        .map((file) => file.replace(/\.yaml$/, ''))
        .filter((name) => name !== 'sandbox'),
      sourceAt('built-in', ours),
    ],
  ])('%s', async (_, names, source) => {
    const trials = await tried(names, [source])
    writeFileSync('/tmp/me/trials.json', JSON.stringify(trials, null, 1))
    expect(
      trials.flatMap(({ name, mode, failure }) => (failure === undefined ? [] : [`${name} (${mode}) ${failure}`])),
    ).toEqual([])
  })
})
