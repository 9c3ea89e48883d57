import { scrubWithRun } from './run.ts'

/** The failure on stderr, as its last line under `--json`; returns the exit status. */
export async function renderFailure(error: unknown, argv: readonly string[]): Promise<number> {
  const { exitCodeOf, failureJson, failureScreen } = await import('./output/failure.ts')
  const scrub = scrubWithRun()
  if (isJsonAsked(argv)) {
    process.stderr.write(`${failureJson(error, { scrub })}\n`)
  } else {
    const { looks, makeStyle } = await import('./output/style.ts')
    const style = await makeStyle(
      looks(process.stderr, process.env, { color: argv.includes('--no-color') ? false : undefined }),
    )
    process.stderr.write(failureScreen(error, style, { scrub }))
  }
  return exitCodeOf(error)
}

/** Decided from the words themselves, since a command line that cannot be parsed must fail as JSON too. */
function isJsonAsked(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const words = end < 0 ? argv : argv.slice(0, end)
  return words.includes('--json') || words.includes('--events')
}
