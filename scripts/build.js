// Builds dist/ from src/ with the TypeScript compiler. Run by `prepare` (npm ci, npm pack) and before the tests.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = `${root}node_modules/typescript/bin/tsc`
if (!existsSync(tsc)) {
  console.error('auth-cli: dist/ was not built: the development packages are missing. Run: npm ci')
  process.exit(existsSync(`${root}dist/cli/main.js`) ? 0 : 1)
}
rmSync(`${root}dist`, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' })
process.exit(status ?? 1)
