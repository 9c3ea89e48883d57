import { declaredKeys } from '../../answer.ts'
import { asksOf } from '../../asks.ts'
import { type Connected, connect } from '../../connect.ts'
import { integrate } from '../../integrate.ts'
import { type Located, locate } from '../../locate.ts'
import type { Preset, Given as Wishes } from '../../look-up.ts'
import type { Connection } from '../../model/connection.ts'
import { UsageError } from '../../model/errors.ts'
import type { LogEvent } from '../../model/event.ts'
import type { Integration } from '../../model/integration.ts'
import type { World } from '../../model/world.ts'
import type { RehearsedRequest } from '../../rehearse.ts'
import { connectionCard } from '../output/connection.ts'
import { maskedConnection } from '../output/masked-connection.ts'
import { plain, type Style } from '../output/style.ts'
import { progressFor } from '../progress.ts'
import { preparedQuestions, takenFlags } from '../questions.ts'
import { approvesItself, takeSeat } from '../seat.ts'
import { secretFlag } from '../secret-flag.ts'
import { type Given, openSession, readNumber, readPairs, type Session } from '../session.ts'
import type { TwinAt } from '../twin.ts'

export async function run(given: Given): Promise<void> {
  const { options } = given
  const [name = '', ...more] = given.arguments
  if (more.length > 0)
    throw new UsageError('BAD_FLAG', `connect takes one provider, not ${given.arguments.join(' and ')}.`)
  const save = options['save'] !== false && options['print'] !== true
  const progress = progressFor(given)
  const seat = takeSeat(given, progress)
  let printEvent: (event: LogEvent) => void = () => {}
  const onEvent = (event: LogEvent): void => {
    seat.watch(event)
    progress.emit(event)
    printEvent(event)
  }
  let twin: TwinAt | undefined
  const found = (url: string): string => twin?.address(url) ?? url
  const presence = {
    ...seat,
    browse: (url: string) => seat.browse(found(url)),
    show: (url: string) => seat.show(found(url)),
  }
  const asked = options['events'] === true ? { ...given, options: { ...options, json: true } } : given
  const session = await openSession(asked, {
    presence,
    onEvent,
    flows: options['dryRun'] !== true,
    reach: async (url) => twin?.address(url),
  })
  const { world, print } = session
  if (options['events'] === true) printEvent = (event) => void print.line(event, () => '')
  const prepared = preparedQuestions()
  const real = prepared?.located ?? (await locate(world, name))
  const located = options['twin'] === true ? await asTwin(real) : real
  warnOf(located, session, options['dryRun'] === true)
  const wishes = await wishesOf(given, session, located, save, prepared?.keys ?? new Map())
  const sandbox =
    options['twin'] === true
      ? await twinSeat(given, session, located, wishes, (opened) => {
          twin = opened
        })
      : await sandboxFor(given, session, located, wishes)
  try {
    const integration = await integrate(world, located, { ...wishes, ...sandbox.wishes })
    if (options['dryRun'] === true) {
      if (!session.quiet) for (const note of integration.notes ?? []) process.stderr.write(`! ${plain(note)}\n`)
      return await printRehearsal(world, integration, session)
    }
    const style = await session.style()
    await progress.start(session.style, { title: located.provider.title, skip: seat.skips })
    seat.take({
      integration,
      style,
      approve: sandbox.approve,
      isTwin: twin !== undefined,
      stop: session.stop,
      settingsBrowser: await browserSetting(world, located),
    })
    const { title } = integration.provider
    const missed = (): string => (seat.isBack() ? `${title} did not answer` : `${title} did not send you back`)
    session.limit(timeLimit(given, world, located), missed)
    const connected = await connect(world, integration, {
      save,
      tags: readPairs('--tag', options['tag']),
      replace: wishes.replace,
      twin: options['twin'] === true,
    })
    progress.rest()
    await printConnected(connected, integration, session, save, options['events'] === true)
  } finally {
    progress.rest()
    await sandbox.close()
  }
}

async function wishesOf(
  given: Given,
  session: Session,
  located: Located,
  save: boolean,
  keys: ReadonlyMap<string, string>,
): Promise<Wishes> {
  const { options } = given
  const seen = new Set<string>()
  return {
    as: connectionName(options['as']),
    params: await paramsOf(given, session, located, keys, seen),
    // Where the mode has no client, these two are answers of the template's.
    clientId: keys.has('clientId') ? undefined : (options['clientId'] as string | undefined),
    clientSecret: keys.has('clientSecret')
      ? undefined
      : await secretFlag('--client-secret', options['clientSecret'], session, seen),
    clientAuth: options['clientAuth'] as string | undefined,
    scopes: scopesOf(options['scope']),
    authorizationParams: removable(readPairs('--auth-param', options['authParam'])),
    tokenParams: removable(readPairs('--token-param', options['tokenParam'])),
    pkce: options['pkce'] as boolean | undefined,
    callbackUrl: options['callbackUrl'] as string | undefined,
    port: readNumber('--port', options['port'], 0, 65_535),
    allowHttp: options['allowHttp'] === true,
    trustProject: options['trustProject'] === true,
    replace: options['replace'] === true,
    save,
    taken: takenFlags(),
  }
}

/** A name that begins like a flag could not be typed to any other command. */
export function connectionName(as: unknown): string | undefined {
  if (typeof as !== 'string' || !/^(-|\s*$)/.test(as)) return as as string | undefined
  throw new UsageError('BAD_FLAG', `--as wants a name that does not begin with a dash and is not blank, not "${as}".`)
}

/** The template's own flags and `--param`; a secret answer may be `-`, `env:NAME` or `file:PATH` too. */
async function paramsOf(
  given: Given,
  session: Session,
  located: Located,
  keys: ReadonlyMap<string, string>,
  seen: Set<string>,
): Promise<Record<string, string>> {
  const asked = preparedQuestions()?.asked ?? asksOf(located.provider.template, takenFlags())
  const params = readPairs('--param', given.options['param'])
  for (const [attribute, key] of keys) {
    const value = given.options[attribute]
    if (typeof value === 'string') params[key] = value
  }
  const declared = new Set([...declaredKeys(located.provider.template), ...asked.map(({ key }) => key)])
  for (const [key, value] of Object.entries(params)) {
    if (!declared.has(key)) {
      const known = [...declared]
      throw new UsageError('BAD_FLAG', `${located.provider.title} asks for no "${key}".`, {
        hint: known.length === 0 ? 'It asks for nothing but the client.' : `It asks for ${known.join(', ')}.`,
      })
    }
    const question = asked.find((one) => one.key === key)
    if (question?.prompt.secret !== true) continue
    const name = question.isParam ? `--param ${key}` : question.flag
    params[key] = (await secretFlag(name, value, session, seen)) ?? ''
  }
  return params
}

/** `--scope a,b --scope "c d"` → four scopes; one empty value → none. */
export function scopesOf(values: unknown): string[] | undefined {
  if (!Array.isArray(values)) return undefined
  return [...new Set(values.flatMap((value: string) => value.split(/[\s,]+/)).filter((scope) => scope !== ''))]
}

function removable(pairs: Readonly<Record<string, string>>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key, value === '' ? null : value]))
}

function timeLimit(given: Given, world: World, { project }: Located): number {
  const { settings, settingsFrom } = world
  const flag = readNumber('--timeout', given.options['timeout'], 1, 86_400)
  const environment = settingsFrom['timeout'] === 'environment' ? settings.timeout : undefined
  return flag ?? environment ?? project?.settings.timeout ?? settings.timeout ?? 300
}

/** A project file that names a command to run is obeyed only once it is trusted. */
async function browserSetting(world: World, { project }: Located): Promise<string | undefined> {
  const { settings, settingsFrom } = world
  const asked = project?.settings.browser
  if (asked === undefined || settingsFrom['browser'] === 'environment') return settings.browser
  const hash = await project?.hash()
  if (hash !== undefined && (await world.store.trust.read(hash)) !== undefined) return asked.text
  process.stderr.write(
    `! The browser command of ${plain(asked.file)} is not run: the file is not trusted (--trust-project).\n`,
  )
  return settings.browser
}

function warnOf({ project, provider }: Located, { quiet }: Session, isRehearsal: boolean): void {
  if (quiet) return
  if (isRehearsal && provider.mended !== undefined)
    process.stderr.write(`! ${plain(`${provider.title}: ${provider.mended}`)}\n`)
  const ofProject = (project?.warnings ?? []).filter(({ file }) => file === project?.file)
  // What a catalogue wants and no flow needs is validate's business.
  const told = [...provider.warnings, ...ofProject].filter(
    ({ severity, message }) => severity !== 'note' && message !== 'this field is missing',
  )
  for (const { file, line, field, message } of told) {
    const place = line === undefined ? file : `${file}:${line}`
    const words = [field, message].filter((text) => text !== undefined).join(': ')
    process.stderr.write(`! ${plain(place)}  ${plain(words)}\n`)
  }
}

async function asTwin(located: Located): Promise<Located> {
  const { name, source } = located.provider
  if (name === 'sandbox' && source.kind === 'built-in')
    throw new UsageError('BAD_FLAG', 'The sandbox is a double already: it has no twin.', {
      hint: 'Leave --twin out: auth-cli connect sandbox',
    })
  const { twinned } = await import('../twin.ts')
  return twinned(located)
}

/** `--twin`: the sandbox plays the provider for this command, and is told what was given. */
async function twinSeat(
  given: Given,
  session: Session,
  located: Located,
  wishes: Wishes,
  opened: (twin: TwinAt) => void,
): Promise<SandboxSeat> {
  const { twinFor } = await import('../twin.ts')
  const back = { ...wishes, ...wayBack(located, wishes, session.world) }
  const twin = await twinFor(located, back, session.paths.sandbox, given.options['fault'] as string | undefined)
  opened(twin)
  const { title, name } = located.provider
  if (!session.quiet)
    process.stderr.write(`! This is a twin of ${plain(title)}, played by the sandbox: nothing reaches the real one.\n`)
  const approve = async (url: string): Promise<void> => {
    const { approve: consent } = await import('../../sandbox/index.ts')
    await consent(url, { signal: session.world.signal })
  }
  return {
    wishes: { as: wishes.as ?? `${name}-twin`, preset: twin.preset },
    approve: approvesItself(given) ? approve : undefined,
    close: twin.close,
  }
}

/** Where an installation comes back to, which its request does not say: as it is decided for the flow itself. */
function wayBack(
  { project, entry }: Located,
  wishes: Wishes,
  { settings }: World,
): Pick<Wishes, 'callbackUrl' | 'port'> {
  if (wishes.callbackUrl !== undefined || wishes.port !== undefined) return {}
  const written = (entry?.callbackUrl ?? project?.settings.callbackUrl)?.text
  const callbackUrl = written?.includes('${') ? undefined : (written ?? settings['callback-url'])
  return callbackUrl === undefined ? { port: entry?.port ?? project?.settings.port ?? settings.port } : { callbackUrl }
}

interface SandboxSeat {
  readonly wishes: Partial<Wishes>
  readonly approve?: ((url: string) => Promise<void>) | undefined
  readonly close: () => Promise<void>
}

/** `connect sandbox` brings its own provider along where none runs. */
async function sandboxFor(given: Given, session: Session, located: Located, wishes: Wishes): Promise<SandboxSeat> {
  const { provider, name } = located
  const fault = given.options['fault'] as string | undefined
  const idle = { wishes: {}, close: async () => {} }
  if (provider.name !== 'sandbox' || provider.source.kind !== 'built-in') {
    if (fault !== undefined)
      throw new UsageError(
        'BAD_FLAG',
        `--fault is for the sandbox and for twins; ${provider.title} has faults of its own.`,
        {
          hint: 'Practise on its twin: --twin --fault <name>',
        },
      )
    return idle
  }
  const { sandboxAt, sandboxPort } = await import('../sandbox.ts')
  const saved = wishes.replace === true ? undefined : await session.world.store.connections.read(wishes.as ?? name)
  const before = saved?.provider === 'sandbox' ? saved : undefined
  const wanted = Number(wishes.params?.['port'] ?? before?.params['port'] ?? sandboxPort)
  const client = demoClient(session, located, wishes, before)
  if (given.options['dryRun'] === true)
    return { ...idle, wishes: { preset: { ...client, params: { port: String(wanted) } } } }
  const sandbox = await sandboxAt(session.paths.sandbox, wanted, fault)
  const approve = async (url: string): Promise<void> => {
    const { approve: consent } = await import('../../sandbox/index.ts')
    await consent(url, { signal: session.world.signal })
  }
  return {
    wishes: { params: withoutPort(wishes.params), preset: { ...client, params: { port: String(sandbox.port) } } },
    approve: approvesItself(given) ? approve : undefined,
    close: sandbox.close,
  }
}

/** The client that every sandbox knows, where nobody has named another. */
function demoClient(
  { world }: Session,
  { entry, saved }: Located,
  { clientId, clientSecret }: Wishes,
  before: Connection | undefined,
): Preset {
  const named = clientId ?? world.env['SANDBOX_CLIENT_ID'] ?? entry?.clientId ?? saved?.clientId
  const id = before?.snapshot.client.id ?? 'sandbox-client'
  if (named !== undefined || id !== 'sandbox-client') return {}
  return { clientId: id, clientSecret: clientSecret ?? 'sandbox-secret' }
}

/** The port that was asked for may have been taken; the one that was had instead is the preset's. */
function withoutPort(params: Wishes['params']): Wishes['params'] {
  return Object.fromEntries(Object.entries(params ?? {}).filter(([key]) => key !== 'port'))
}

async function printRehearsal(world: World, integration: Integration, { print }: Session): Promise<void> {
  const { rehearse } = await import('../../rehearse.ts')
  const rehearsal = await rehearse(world, integration)
  const { authorizationUrl, temporaryRequest, tokenRequest, verification, discovery, redirectUri } = rehearsal
  const first = authorizationUrl === undefined ? 'The token would be had with:' : 'and the code exchanged with:'
  await print.value(rehearsal, (style) =>
    [
      ...(discovery === undefined
        ? []
        : [
            'The server would first be asked, and its answer decides what follows:',
            ...requestLines(discovery, style),
            '',
          ]),
      ...(authorizationUrl === undefined ? [] : ['The browser would be sent to:', authorizationUrl, '']),
      ...(temporaryRequest === undefined
        ? []
        : ['Before the browser, a request token would be had with:', ...requestLines(temporaryRequest, style), '']),
      ...(tokenRequest === undefined ? [] : [first, ...requestLines(tokenRequest, style), '']),
      ...(verification === undefined
        ? []
        : ['The credentials would be tried with:', ...requestLines(verification, style), '']),
      ...((authorizationUrl ?? temporaryRequest ?? tokenRequest ?? verification ?? discovery)
        ? ['Nothing was opened, nothing was sent.']
        : ['Nothing would be opened or sent: what was given would be saved as it is.']
      ).map((line) => (redirectUri === undefined ? line : `${line} Redirect URL: ${redirectUri}`)),
    ].join('\n'),
  )
}

function requestLines({ method, url, headers, body }: RehearsedRequest, style: Style): string[] {
  const lines = Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`)
  return [`  ${style.bold(method)} ${url}`, ...lines, ...(body === '' ? [] : ['', `  ${body}`])]
}

async function printConnected(
  connected: Connected,
  integration: Integration,
  session: Session,
  save: boolean,
  asLine: boolean,
): Promise<void> {
  const { connection, flow } = connected
  const { world, print, reveal } = session
  const { mask, scrub } = world.secrets
  const shown = save ? maskedConnection(connection, mask, { reveal, scrub }) : connection
  if (asLine) return print.line(shown, () => '')
  await print.value(shown, (style) =>
    save
      ? connectionCard(connection, style, {
          mask,
          reveal,
          now: world.clock.now(),
          title: integration.provider.title,
          flow,
          answeredBy: integration.answeredBy,
        })
      : JSON.stringify(connection, null, 2),
  )
}
