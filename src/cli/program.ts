import { Command, Option } from 'commander'
import { UsageError } from '../model/errors.ts'
import { collect, connectOptions, envFile } from './connect-options.ts'
import type { Given } from './session.ts'

/** What a command's action is called with: its arguments, its own and the global options, as they were typed. */
export type Action = (given: Given) => Promise<void>

type Load = () => Promise<{ readonly run: Action }>

/** Told which command is about to run, so that a template's flags can be declared before they are parsed. */
export interface Declared {
  readonly program: Command
  readonly connect?: Command | undefined
}

const commands: readonly { readonly names: readonly string[]; readonly make: () => Command }[] = [
  { names: ['connect'], make: connectCommand },
  { names: ['connections', 'connection'], make: connections },
  {
    names: ['inspect'],
    make: () => inspectCommand(new Command('inspect'), 'what is known of a connection (the same as connections show)'),
  },
  { names: ['token'], make: tokenCommand },
  { names: ['request', 'api'], make: requestCommand },
  { names: ['refresh'], make: () => refreshCommand(new Command('refresh')) },
  { names: ['verify'], make: () => verifyCommand(new Command('verify')) },
  { names: ['revoke'], make: () => revokeCommand(new Command('revoke')) },
  { names: ['export'], make: () => exportCommand(new Command('export')) },
  { names: ['import'], make: () => importCommand(new Command('import')) },
  { names: ['logs', 'log'], make: logs },
  { names: ['providers', 'provider'], make: providers },
  { names: ['integrations', 'integration'], make: integrations },
  { names: ['callback'], make: callback },
  { names: ['config'], make: config },
  { names: ['secrets', 'secret'], make: secrets },
  { names: ['sandbox'], make: sandboxCommand },
  { names: ['completion'], make: completionCommand },
  // Named by nobody: the shells' question is about the whole command line, so the whole is declared with it.
  { names: [], make: completeCommand },
]

/**
 * The whole command line as `--help` prints it; where the first word names a command, that command alone. Nothing of
 * weight is loaded before an action runs.
 */
export function declare(first?: string): Declared {
  const program = globals(new Command('auth-cli'))
    .description(
      'Test API authorization flows from a terminal: connect, inspect, refresh, call, and see every exchange.',
    )
    .usage('<command> [options]')
    .enablePositionalOptions()
    .helpCommand(false)
    .addOption(new Option('-V, --version', 'print the version'))
    .addHelpText('after', begin)
  const named = commands.filter(({ names }) => names.includes(first ?? ''))
  const made = (named.length > 0 ? named : commands).map(({ make }) => make())
  for (const command of made) program.addCommand(command, { hidden: command.name() === 'complete' })
  return { program, connect: made.find((command) => command.name() === 'connect') }
}

const begin = `
To begin:
  auth-cli connect sandbox   the whole flow, on a provider that comes along
  auth-cli providers         who it knows
  auth-cli connect <provider> --help

Exit status: 0 done, 1 a bug, 2 usage, 3 template, 4 the provider, 5 the road,
6 this machine, 130 cancelled.`

/** The options that every command takes. */
function globals(command: Command): Command {
  return command
    .optionsGroup('Global options:')
    .addOption(new Option('--json', 'print the result as JSON'))
    .addOption(new Option('-q, --quiet', 'no progress'))
    .addOption(new Option('-v, --verbose', 'show each exchange as it happens, secrets masked'))
    .addOption(new Option('--reveal', "show a connection's secrets"))
    .addOption(new Option('--no-input', 'never ask'))
    .addOption(new Option('--no-color', 'no colour'))
    .optionsGroup('Options:')
    .helpOption('-h, --help', 'help for this command')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ minWidthToWrap: 24, subcommandTerm })
}

/** `request|api <name> <path-or-url>`: that a command has options goes without saying. */
function subcommandTerm(command: Command): string {
  const names = [command.name(), ...command.aliases().slice(0, 1)].join('|')
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [names, ...words].join(' ')
}

function acting(command: Command, load: Load): Command {
  globals(command).action(async () => {
    const { run } = await load()
    await run({ arguments: command.args, options: optionsOf(command), command })
  })
  return command
}

/** What was typed for the command, its group and the program, the nearest winning; defaults stand behind all of it. */
function optionsOf(command: Command): Record<string, unknown> {
  const chain: Command[] = []
  for (let one: Command | null = command; one !== null; one = one.parent) chain.unshift(one)
  const typed = chain.map((one) =>
    Object.fromEntries(Object.entries(one.opts()).filter(([key]) => one.getOptionValueSource(key) !== 'default')),
  )
  return Object.assign({}, ...chain.map((one) => one.opts()), ...typed)
}

/** The command that a group runs where none is named: a word that names none is a misspelt command, not its argument. */
function standIn(group: Command, command: Command): void {
  command.allowExcessArguments().hook('preAction', async () => {
    const [word] = command.args
    if (word !== undefined) throw await unknownCommand(group, word)
  })
  group.addCommand(command, { isDefault: true })
}

/** A word where a command should stand, with those that come near. */
export async function unknownCommand(group: Command, word: string): Promise<UsageError> {
  const { nearest } = await import('../catalog/nearest.ts')
  const path = group.parent === null ? '' : `${group.name()} `
  const names = group.commands.flatMap((command) => [command.name(), ...command.aliases()])
  const near = nearest(word, names).map((name) => `${path}${name}`)
  const suggestion = near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`
  return new UsageError('UNKNOWN_COMMAND', `There is no command "${path}${word}".${suggestion}`, {
    hint: `List them: auth-cli ${path}--help`,
  })
}

function connectCommand(): Command {
  return acting(connectOptions(new Command('connect')), () => import('./actions/connect.ts'))
}

function connections(): Command {
  const group = globals(new Command('connections')).alias('connection').description('what you brought home')
  const list = acting(new Command('list').description('list them'), () => import('./actions/connections-list.ts'))
    .option('--provider <name>', 'only of this provider')
    .option('--tag <key=value>', 'only with this tag', collect)
  standIn(group, list)
  group.addCommand(inspectCommand(new Command('show'), 'everything that is known of one'))
  group.addCommand(refreshCommand(new Command('refresh')))
  group.addCommand(verifyCommand(new Command('verify')))
  group.addCommand(revokeCommand(new Command('revoke')))
  group.addCommand(exportCommand(new Command('export')))
  group.addCommand(importCommand(new Command('import')))
  group.addCommand(
    acting(
      new Command('rename').description('give one another name').argument('<name>').argument('<new-name>'),
      () => import('./actions/rename.ts'),
    ),
  )
  group.addCommand(
    acting(
      new Command('delete')
        .aliases(['rm', 'remove'])
        .description('forget connections')
        .argument('<names...>')
        .option('--revoke', 'have the provider revoke their tokens first')
        .option('-y, --yes', 'do not ask'),
      () => import('./actions/connections-delete.ts'),
    ),
  )
  return group
}

function inspectCommand(command: Command, says: string): Command {
  return acting(command.description(says).argument('<name>'), () => import('./actions/connections-show.ts'))
}

function refreshCommand(command: Command): Command {
  return acting(
    command
      .description('renew its token')
      .argument('[name]')
      .option('--force', 'although it is still fresh')
      .option('--all', 'every connection that can be renewed, many at once'),
    () => import('./actions/refresh.ts'),
  )
}

function verifyCommand(command: Command): Command {
  return acting(
    command.description('try it by the call that its template names for this').argument('<name>'),
    () => import('./actions/verify.ts'),
  )
}

function revokeCommand(command: Command): Command {
  return acting(
    command.description('give its tokens back to the provider; its answers are kept').argument('<name>'),
    () => import('./actions/revoke.ts'),
  )
}

function exportCommand(command: Command): Command {
  return acting(
    command
      .description('print one with its secrets, for another program or machine')
      .argument('<name>')
      .option('--format <format>', 'json (for import), env, header, curl, or nango (for its import); default json'),
    () => import('./actions/export.ts'),
  )
}

function importCommand(command: Command): Command {
  return acting(
    command
      .description('save what export wrote, or a credential that you have already')
      .argument('[file]', "of export's json or nango format; default stdin")
      .option('--as <name>', 'name of the connection')
      .option('--tag <key=value>', 'tag the connection', collect)
      .option('--replace', 'replace a connection of that name')
      .option('--allow-http', 'allow plain http to hosts that are not this machine')
      .optionsGroup('A credential of your own (secrets: - reads stdin, env:NAME, file:PATH):')
      .option('--provider <name>', "a template's name or an integration's")
      .option('--access-token <secret>', 'the token that calls carry')
      .option('--refresh-token <secret>', 'what renews it')
      .option('--id-token <secret>', 'who it is about')
      .option('--expires-at <time>', '2026-03-01T12:00:00Z, or seconds since 1970')
      .option('--api-key <secret>', 'of a provider that gives keys')
      .option('--username <name>', 'of one that takes a password; its template says what stands for it')
      .option('--password <secret>', 'goes with it')
      .option('--client-id <id>', 'client that it was issued to; needed to renew it')
      .option('--client-secret <secret>', 'its secret; without one, a public client')
      .option('--client-auth <how>', 'post, basic, basic-raw, basic+post or none')
      .option('--scope <scopes>', 'scopes that it has; repeatable', collect)
      .option('--param <key=value>', "answer any of the template's questions", collect)
      .option('--trust-project', "let the project file's templates and hosts have secrets of yours")
      .addOption(envFile()),
    () => import('./actions/import.ts'),
  )
}

function tokenCommand(): Command {
  return acting(
    new Command('token')
      .description('print a usable access token, renewed first when it must be')
      .argument('<name>', 'of a connection')
      .option('--header', 'print the whole header that carries it, Authorization: …')
      .option('--min-validity <seconds>', 'renew it when it lives shorter than this'),
    () => import('./actions/token.ts'),
  )
}

function requestCommand(): Command {
  return acting(
    new Command('request')
      .alias('api')
      .description("call the connection's API")
      .argument('<name>', 'of a connection')
      .argument('<path-or-url>', "a path under the API's base URL, or a URL of the same origin")
      .option('-X, --request <method>', 'method (default GET, or POST with -d)')
      .option('-H, --header <line>', 'add a header; "Name:" removes one', collect)
      .option('-d, --data <data>', 'body; @file reads a file, @- stdin; repeated ones are joined with &', collect)
      .option('-i, --include', "print the answer's status and headers too")
      .option('-o, --output <file>', 'write the body to a file')
      .option('--paginate', 'read a list to its end, as its template says or by its Link headers: one JSON array')
      .option('--items <path>', 'where in each page the items stand, a.b.c')
      .option('--ndjson', 'with --paginate: an item a line instead of an array')
      .option('--retry <count>', 'send again up to this often what is refused for now (default 3)')
      .option('--timeout <seconds>', 'give up after this long (default 300)')
      .option('--allow-http', 'allow plain http to a host that is not this machine')
      .option('--log-bodies', 'keep the bodies in the log too'),
    () => import('./actions/request.ts'),
  )
}

function logs(): Command {
  const group = globals(new Command('logs')).alias('log').description('what happened, flow by flow, secrets masked')
  const list = acting(new Command('list').description('the latest flows'), () => import('./actions/logs.ts'))
    .option('-n, --limit <count>', 'how many (default 20)')
    .option('--provider <name>', 'only of this provider')
    .option('--connection <name>', 'only of this connection')
    .option('--state <state>', 'running, success, failed, cancelled or timeout')
    .option('--since <time>', 'since 10m, 2h, 3d or a date')
    .option('-f, --follow', 'every event as it happens')
  standIn(group, list)
  group.addCommand(
    acting(
      new Command('show').description('one flow from start to end').argument('<id>', 'or last'),
      () => import('./actions/logs-show.ts'),
    ),
  )
  group.addCommand(
    acting(new Command('tail').description('every event as it happens'), () => import('./actions/logs-tail.ts')),
  )
  group.addCommand(
    acting(
      new Command('clear').description('forget them').option('-y, --yes', 'do not ask'),
      () => import('./actions/logs-clear.ts'),
    ),
  )
  return group
}

function providers(): Command {
  const group = globals(new Command('providers')).alias('provider').description('who can be connected')
  const list = acting(new Command('list').description('list them'), () => import('./actions/providers-list.ts'))
    .option('--search <text>', 'only those whose name, title or category holds this; slips are forgiven')
    .option('--mode <mode>', 'only those that authorize like this: OAUTH2, API_KEY, …')
    .option('--category <name>', 'only those of this category')
  standIn(group, list)
  group.addCommand(
    acting(
      new Command('show')
        .description('what one asks for, where it sends you, what to register there, and how to connect')
        .argument('<name>', "a template's name or an integration's")
        .option('--param <key=value>', 'as if this were answered', collect),
      () => import('./actions/providers-show.ts'),
    ),
  )
  group.addCommand(
    acting(
      new Command('validate')
        .description('everything that is wrong with templates or a project file, with its place and the fix')
        .argument('<paths...>', 'files or folders'),
      () => import('./actions/providers-validate.ts'),
    ),
  )
  group.addCommand(newProvider())
  group.addCommand(
    acting(
      new Command('add')
        .description('add a whole catalogue, to be known from now on')
        .argument('<what>', 'a file, a folder, or a package of your npm registry, such as @nangohq/providers')
        .option('--as <name>', 'call it this')
        .option('--replace', 'replace another catalogue of that name'),
      () => import('./actions/providers-add.ts'),
    ),
  )
  group.addCommand(
    acting(
      new Command('delete')
        .aliases(['rm', 'remove'])
        .description('forget an added catalogue, or a template of your own')
        .argument('<name>')
        .option('-y, --yes', 'do not ask'),
      () => import('./actions/providers-delete.ts'),
    ),
  )
  group.addCommand(
    acting(
      new Command('sources').description('where templates come from, in the order in which they win'),
      () => import('./actions/providers-sources.ts'),
    ),
  )
  return group.addHelpText('after', fromWhere)
}

const fromWhere = `
A template is looked for in the project (templates: and template_folders: in
auth-cli.yaml), in your own folder, in added catalogues, and in what comes with
auth-cli; the first that has the name wins.

  auth-cli providers add @nangohq/providers     a thousand more
  auth-cli providers new my-idp --issuer https://login.example.com
  auth-cli providers validate my-idp.yaml`

function newProvider(): Command {
  return acting(
    new Command('new')
      .description('write a commented template to begin with')
      .argument('<name>', 'letters, digits and hyphens')
      .option('--issuer <url>', 'take what its discovery document says')
      .option('--title <text>', 'the name people know it by')
      .option('--authorization-url <url>', 'where the browser is sent; ${connectionConfig.x} asks for x')
      .option('--token-url <url>', 'where a code becomes a token')
      .option('--api-url <url>', 'base URL of its API')
      .option('--docs <url>', "the provider's documentation")
      .option('--scope <scopes>', 'scopes to ask for by default', collect)
      .option('--project', 'write it into the project, not into your own folder')
      .option('--stdout', 'print it, write nothing')
      .option('--replace', 'replace a file of that name')
      .option('--allow-http', 'allow an issuer on plain http that is not this machine'),
    () => import('./actions/providers-new.ts'),
  )
}

function integrations(): Command {
  const group = globals(new Command('integrations'))
    .alias('integration')
    .description('your apps at providers: client ids, secrets, answers')
  const of = (name: 'list' | 'add' | 'show' | 'remove' | 'check') => () =>
    import('./actions/integrations.ts').then((actions) => ({ run: actions[name] }))
  standIn(group, acting(new Command('list').description('list them'), of('list')))
  group.addCommand(
    acting(
      new Command('add')
        .description('keep one, so that connect need not ask again')
        .argument('<name>')
        .option('--provider <name>', "a template's name; default: the integration's own")
        .option('--client-id <id>', 'client id of your app there')
        .option('--client-secret <secret>', 'its secret: - reads stdin, env:NAME, file:PATH')
        .option('--scope <scopes>', 'scopes to ask for, instead of the defaults; repeatable', collect)
        .option('--param <key=value>', "answer any of the template's questions", collect)
        .option('--replace', 'replace an integration of that name')
        .addOption(envFile()),
      of('add'),
    ),
  )
  group.addCommand(acting(new Command('show').description('everything about one').argument('<name>'), of('show')))
  group.addCommand(
    acting(
      new Command('check')
        .description('what is missing before a browser could open; exits 2 where something is')
        .argument('<name>', "an integration's name or a template's")
        .addOption(envFile()),
      of('check'),
    ),
  )
  group.addCommand(
    acting(
      new Command('delete')
        .aliases(['rm', 'remove'])
        .description('forget one on which no connection depends')
        .argument('<name>')
        .option('-y, --yes', 'do not ask'),
      of('remove'),
    ),
  )
  return group
}

function callback(): Command {
  const group = globals(new Command('callback')).description('a redirect URL of your own')
  group.addCommand(
    acting(
      new Command('check')
        .description('does it forward to auth-cli as it must: 308, every parameter intact?')
        .argument('[url]', 'default: what config set callback-url keeps')
        .option('--port <n>', 'port that it forwards to (default 8749)')
        .option('--timeout <seconds>', 'give up after this long (default 30)'),
      () => import('./actions/callback-check.ts'),
    ),
  )
  return group.allowExcessArguments().action(async () => {
    const [word] = group.args
    if (word !== undefined) throw await unknownCommand(group, word)
    group.outputHelp()
  })
}

function config(): Command {
  const group = globals(new Command('config')).description(
    'preferences: callback-url, port, browser, timeout, log-days, keyring, …',
  )
  standIn(
    group,
    acting(new Command('list').description('list them'), () =>
      import('./actions/config.ts').then((m) => ({ run: m.list })),
    ),
  )
  group.addCommand(
    acting(new Command('get').argument('<key>').description('print one'), () =>
      import('./actions/config.ts').then((m) => ({ run: m.print })),
    ),
  )
  group.addCommand(
    acting(new Command('set').argument('<key>').argument('<value>').description('keep one'), () =>
      import('./actions/config.ts').then((m) => ({ run: m.set })),
    ),
  )
  group.addCommand(
    acting(new Command('unset').argument('<key>').description('forget one'), () =>
      import('./actions/config.ts').then((m) => ({ run: m.unset })),
    ),
  )
  return group
}

function secrets(): Command {
  const group = globals(new Command('secrets')).alias('secret').description('where what you saved is kept')
  standIn(
    group,
    acting(new Command('status').description('files or keychain, and whether the keychain works'), () =>
      import('./actions/secrets.ts').then((m) => ({ run: m.status })),
    ),
  )
  group.addCommand(
    acting(
      new Command('move')
        .argument('<where>', 'keychain: sealed under a key in it; files: in clear, readable by you alone')
        .description('move every saved secret; may be run again'),
      () => import('./actions/secrets.ts').then((m) => ({ run: m.move })),
    ),
  )
  return group
}

function sandboxCommand(): Command {
  return acting(
    new Command('sandbox')
      .description('run a local provider to practise on, or a twin of any provider')
      .option('--as <provider>', 'play this provider, as its template describes it')
      .option('--param <key=value>', "with --as: answer one of the template's questions", collect)
      .option('--port <n>', 'port to listen on (default 8750; 0 takes any)')
      .option('--fault <name>', 'go wrong in this way; list shows the ways'),
    () => import('./actions/sandbox.ts'),
  )
}
function completionCommand(): Command {
  return acting(
    new Command('completion')
      .description('print the completion script of bash, zsh or fish')
      .argument('<shell>', 'bash, zsh or fish')
      .addHelpText('after', installing),
    () => import('./actions/completion.ts'),
  )
}

const installing = `
To have it in every shell:
  bash   echo 'source <(auth-cli completion bash)' >> ~/.bashrc
  zsh    echo 'source <(auth-cli completion zsh)' >> ~/.zshrc
  fish   auth-cli completion fish > ~/.config/fish/completions/auth-cli.fish`

function completeCommand(): Command {
  return acting(
    new Command('complete').description('what the completion scripts ask').argument('[words...]', 'typed so far'),
    () => import('./actions/complete.ts'),
  )
}
