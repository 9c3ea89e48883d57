import { type Command, Option } from 'commander'

/** The static options of `connect`; a template's own come on top once its name is known. */
export function connectOptions(command: Command): Command {
  return command
    .description('run an authorization flow and save the connection')
    .argument(
      '<provider>',
      "a template's name, an integration's, or the URL of an MCP server or issuer; its own flags follow it",
    )
    .optionsGroup('Who and what:')
    .option('--client-id <id>', 'client id of your app there')
    .option('--client-secret <secret>', 'its secret: - reads stdin, env:NAME, file:PATH; without one, a public client')
    .option(
      '--client-auth <how>',
      'post, basic, basic-raw, basic+post, private_key_jwt or none, instead of what the template says',
    )
    .option('--param <key=value>', "answer any of the template's questions", collect)
    .option('--scope <scopes>', 'scopes to ask for, instead of the defaults; repeatable', collect)
    .option('--as <name>', 'name of the connection')
    .option('--tag <key=value>', 'tag the connection', collect)
    .option('--replace', 'replace a connection of that name made with other answers')
    .addOption(envFile())
    .optionsGroup('The flow:')
    .option('--auth-param <key=value>', 'add or override an authorization parameter; key= removes it', collect)
    .option('--token-param <key=value>', 'the same for the token request', collect)
    .option('--pkce', 'use PKCE even where the template says not to')
    .option('--no-pkce', 'do not use PKCE')
    .option('--callback-url <url>', 'redirect URL to send (default http://localhost:8749/oauth/callback)')
    .option('--port <n>', 'port to listen on; 0 takes any')
    .option('--callback-cert <file>', 'certificate (PEM) for an https callback on this machine; without, one is made')
    .option('--callback-key <file>', 'its private key (PEM)')
    .option('--browser <command>', 'open the URL with this command; %s stands for the URL')
    .option('--no-browser', 'open nothing, print the URL')
    .option('--timeout <seconds>', 'give up after this long (default 300)')
    .option('--allow-http', 'allow plain http to hosts that are not this machine')
    .option('--trust-project', "let the project file's templates and hosts have secrets of yours")
    .optionsGroup('The end:')
    .option('--no-save', 'print the connection, secrets included, instead of saving it')
    .option('--print', 'the same as --no-save')
    .option('--dry-run', 'print the authorization URL and the token request; open nothing, send nothing')
    .option('--events', 'print each event as it happens, a JSON line each, and the connection as the last')
    .option('--twin', 'practise: the sandbox plays this provider, and nothing reaches the real one')
    .addOption(new Option('--fault <name>', 'sandbox and --twin: go wrong in this way'))
}

/** A file of variables, below those of the environment itself. */
export function envFile(): Option {
  return new Option('--env-file <path>', 'read variables from this .env file too; repeatable').argParser(collect)
}

/** Adds up the values of an option that may be given more than once. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value]
}
