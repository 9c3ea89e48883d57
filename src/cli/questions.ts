import { Command, Option } from 'commander'
import { asksOf, usesOf } from '../asks.ts'
import type { Question } from '../catalog/questions.ts'
import { type Located, locate } from '../locate.ts'
import { workingFolder } from '../node/paths.ts'
import { openStore } from '../node/store.ts'
import { foldersOf, realPaths } from '../node/world.ts'
import { connectOptions } from './connect-options.ts'
import { plain } from './output/style.ts'

/** What `connect` found out about its provider before its flags were parsed; read once. */
interface Prepared {
  readonly located: Located
  /** Every question, those that nobody is asked too. */
  readonly asked: readonly Question[]
  /** The key of each option's value: the template's key by commander's name for the flag. */
  readonly keys: ReadonlyMap<string, string>
}

let prepared: Prepared | undefined

export function preparedQuestions(): Prepared | undefined {
  return prepared
}

/** Flags of ours that no template may take, in both spellings. */
export function takenFlags(): string[] {
  return connectOptions(new Command())
    .options.flatMap(({ long }) => (long == null ? [] : [long, long.replace(/^--no-/, '--')]))
    .concat(['--json', '--quiet', '--verbose', '--reveal', '--no-input', '--input', '--no-color', '--color', '--help'])
}

/**
 * Declares a template's own questions as flags of `connect`, once its name is known. The name is found by parsing the
 * static options, so that a value is never taken for it.
 */
export async function declareQuestions(connect: Command, words: readonly string[]): Promise<void> {
  const name = providerNameIn(words)
  if (name === undefined) return
  const cwd = workingFolder()
  const paths = realPaths(process.env, cwd)
  const located = await locate(
    {
      cwd,
      folders: foldersOf(paths),
      // What the name is of can be told without opening any secret's seal, so nothing else decides about it here.
      store: openStore(paths, { keyring: process.env['AUTH_CLI_KEYRING'] === 'off' ? 'off' : undefined }),
    },
    name,
  )
  const keys = new Map<string, string>()
  const ours = connect.options.length
  connect.optionsGroup(`${located.provider.title} asks:`)
  const asked = asksOf(located.provider.template, takenFlags())
  for (const question of asked.filter(({ isAsked }) => isAsked)) {
    const { prefix = '', suffix = '', example } = question.prompt
    const around = prefix === '' && suffix === '' ? '' : ` ${prefix}[…]${suffix}`
    const says = plain(
      `${question.description || question.label}${around}${example === undefined ? '' : ` (e.g. ${example})`}`,
    )
    if (question.isParam) connect.addHelpText('after', `\n${question.flag}  ${says}`)
    question.flags.forEach((flag, index) => {
      const option = new Option(`${flag} <value>`, says)
      keys.set(option.attributeName(), question.key)
      // Where the mode has no client, `--client-id` is the template's to word.
      const known = connect.options.find(({ long }) => long === flag)
      if (known !== undefined) known.description = says
      else connect.addOption(index === 0 ? option : option.hideHelp())
    })
  }
  // Help shows options in this order, and what the provider asks is what one came for.
  const options = connect.options as Option[]
  options.unshift(...options.splice(ours))
  const uses = usesOf(located.provider.template)
  for (const option of options) if (isIdle(option, uses)) option.hideHelp()
  prepared = { located, asked, keys }
}

const ofBrowser = ['--auth-param', '--pkce', '--no-pkce', '--callback-url', '--port', '--browser', '--no-browser']
const ofClient = ['--client-auth', '--scope', '--token-param']

/** Whether an option of ours means nothing in this mode: then its help does not speak of it. */
function isIdle({ long }: Option, { browser, client }: ReturnType<typeof usesOf>): boolean {
  const idle = [...(browser ? [] : ofBrowser), ...(client ? [] : ofClient)]
  return idle.includes(long ?? '')
}

function providerNameIn(words: readonly string[]): string | undefined {
  const static_ = globalsToo(connectOptions(new Command()))
  return static_.parseOptions([...words]).operands[0]
}

function globalsToo(command: Command): Command {
  return command
    .option('--json')
    .option('-q, --quiet')
    .option('-v, --verbose')
    .option('--reveal')
    .option('--no-input')
    .option('--no-color')
    .option('-h, --help')
}
