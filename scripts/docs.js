// Writes docs/providers.md from the templates that come along. Run by `npm run docs` after they change; a test fails
// where the two differ.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const { providersPage } = await import('../dist/cli/providers-page.js')
const { realWorld } = await import('../dist/node/world.js')

const home = mkdtempSync(join(tmpdir(), 'auth-cli-docs-'))
const world = realWorld({
  env: { AUTH_CLI_HOME: home },
  cwd: home,
  settings: {},
  settingsFrom: {},
  emit: () => {},
  signal: new AbortController().signal,
})
const page = await providersPage(world)
writeFileSync(fileURLToPath(new URL('../docs/providers.md', import.meta.url)), page)
rmSync(home, { recursive: true, force: true })
