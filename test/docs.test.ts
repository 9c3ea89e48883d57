import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { providersPage } from '../src/cli/providers-page.ts'
import { openWorkshop } from './support/world.ts'

const page = (name: string): string => readFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), 'utf8')

describe('the pages that a command writes', () => {
  it('tell of the providers as they are now (npm run docs)', async () => {
    const { world } = openWorkshop()
    expect(await providersPage(world)).toBe(page('providers.md'))
  })
})
