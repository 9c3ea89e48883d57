import { defineConfig } from 'vitest/config'
import type { Reporter } from 'vitest/node'

/** Closes the run with one plain line that any CI can read. */
const closingLine: Reporter = {
  onTestRunEnd(modules) {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state))
    const count = (state: string): number => states.filter((one) => one === state).length
    const broken = modules.filter((module) => module.errors().length > 0).length
    const line = `${count('passed')} passed, ${count('failed') + broken} failed, ${count('skipped')} skipped`
    process.once('exit', () => process.stdout.write(`${line}\n`))
  },
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What hangs is found in time; a busy machine is no failure.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'threads',
    maxWorkers: 4,
    // Some faults are made of waiting: what says that it may wait together does.
    maxConcurrency: 40,
    reporters: ['default', closingLine],
  },
})
