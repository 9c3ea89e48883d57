#!/usr/bin/env node
// The doorstep: argv to main, keep its exit status. CommonJS (see package.json beside it), which starts faster.
const { existsSync } = require('node:fs')
const { join } = require('node:path')

const built = join(__dirname, '../dist/bin/main.cjs')
if (existsSync(built)) {
  require(built).main(process.argv.slice(2))
} else {
  process.stderr.write('auth-cli is not built yet. In the clone, run:\n\n  npm ci\n\n')
  process.exitCode = 1
}
