#!/usr/bin/env node
// The doorstep: argv to main, keep its exit status.
import { existsSync } from 'node:fs'
import module from 'node:module'

const built = new URL('../dist/bin/main.js', import.meta.url)
if (existsSync(built)) {
  module.enableCompileCache?.()
  const { main } = await import(built.href)
  await main(process.argv.slice(2))
} else {
  process.stderr.write('auth-cli is not built yet. In the clone, run:\n\n  npm ci\n\n')
  process.exitCode = 1
}
