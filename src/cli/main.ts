import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { AuthCliError, UsageError } from '../model/errors.ts'

/** Runs the program; the only place that makes an exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  // What escapes every await must not end in Node's own report: it would print whatever the error holds.
  process.once('uncaughtException', (error) => {
    report(error, argv).then(
      (status) => process.exit(status),
      () => process.exit(1),
    )
  })
  process.stdout.on('error', leave)
  try {
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
      process.stdout.write(`${version()}\n`)
      return
    }
    await run(argv)
  } catch (error) {
    process.exitCode = await report(error, argv)
  }
}

async function run(argv: readonly string[]): Promise<void> {
  const { declare, unknownCommand } = await import('./program.ts')
  const { program, connect } = declare(argv[0] === 'help' ? argv[1] : argv[0])
  program.hook('preSubcommand', async (_, subcommand) => {
    if (connect === undefined || subcommand !== connect) return
    const { declareQuestions } = await import('./questions.ts')
    await declareQuestions(connect, program.args.slice(1))
  })
  program.allowExcessArguments().action(async () => {
    const [word] = program.args
    if (program.opts()['version'] === true) process.stdout.write(`${version()}\n`)
    else if (word === undefined) program.outputHelp()
    else throw await unknownCommand(program, word)
  })
  await program.parseAsync(wordsOf(program, argv), { from: 'user' })
}

/** `help connect zendesk` is `connect zendesk --help`; help for what does not exist is as unknown as the thing itself. */
function wordsOf(program: Command, argv: readonly string[]): readonly string[] {
  if (argv[0] !== 'help') return argv
  const [word, ...more] = argv.slice(1)
  const isKnown = program.commands.some((command) => command.name() === word || command.aliases().includes(word ?? ''))
  return word === undefined || !isKnown ? argv.slice(1) : [word, ...more, '--help']
}

/** Help whose reader goes away (`| head`) is no failure; what cannot be written is this machine's. */
function leave(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE' || error.code === 'EOF') process.exit(0)
  process.exitCode = 6
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** The failure on stderr, its last line; returns the exit status. */
async function report(error: unknown, argv: readonly string[]): Promise<number> {
  const known = await asOurs(error)
  if (known === undefined) return 0
  try {
    const { renderFailure } = await import('./failure.ts')
    return await renderFailure(known, argv)
  } catch {
    // What draws the failure has failed: the words alone, since a stack might hold a secret.
    process.stderr.write(
      `x ${known instanceof AuthCliError ? `${known.code}: ${known.message}` : 'BUG: auth-cli broke'}\n`,
    )
    return known instanceof AuthCliError ? known.exitCode : 1
  }
}

/** Commander's refusals become usage errors (its own status is 1); its help is no failure. */
async function asOurs(error: unknown): Promise<unknown> {
  if (error instanceof AuthCliError) return error
  const { CommanderError } = await import('commander')
  if (!(error instanceof CommanderError)) return error
  if (error.exitCode === 0 || error.code === 'commander.help' || error.code === 'commander.helpDisplayed')
    return undefined
  // What stands behind a misspelt flag may be a secret: only its name is quoted.
  const message = error.message
    .replace(/\.$/, '')
    .replace(/^(error: unknown option '[^'=]*)=.*?'(?=\n|$)/s, "$1'")
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, '\u0000$1')
  const [what = '', near] = message.split('\u0000')
  if (error.code === 'commander.excessArguments') {
    const [, command = 'It', takes = '', given = ''] = /'([\w-]+)'.*?(\d+) argument.*?(\d+)/s.exec(error.message) ?? []
    return new UsageError('BAD_FLAG', `"${command}" takes ${takes} word${takes === '1' ? '' : 's'}, not ${given}.`, {
      hint: 'See what it takes with --help.',
    })
  }
  const hint =
    near === undefined
      ? "See the flags with --help; a template's own flags stand after its name."
      : `Did you mean ${near}?`
  return new UsageError(
    error.code === 'commander.unknownCommand' ? 'UNKNOWN_COMMAND' : 'BAD_FLAG',
    `${what.charAt(0).toUpperCase()}${what.slice(1)}.`,
    { hint },
  )
}
