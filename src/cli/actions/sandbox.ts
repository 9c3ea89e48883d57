import { locate } from '../../locate.ts'
import { UsageError } from '../../model/errors.ts'
import {
  demoClients,
  faults,
  openSandbox,
  openTwin,
  runningSandbox,
  type Sandbox,
  type Twin,
} from '../../sandbox/index.ts'
import { twinCard, twinShown } from '../output/twin.ts'
import { assertFault, sandboxPort, sandboxTrouble } from '../sandbox.ts'
import { type Given, openSession, readNumber, readPairs, type Session } from '../session.ts'

/** `auth-cli sandbox`: the provider to practise on, until Ctrl-C. */
export async function run(given: Given): Promise<void> {
  const session = await openSession(given)
  const { paths, print, json, quiet } = session
  const fault = given.options['fault'] as string | undefined
  if (fault === 'list')
    return print.value(faults, (style) =>
      faults.map(({ name, says }) => `  ${style.bold(name.padEnd(22))} ${says}`).join('\n'),
    )
  assertFault(fault)
  const wanted = readNumber('--port', given.options['port'], 0, 65_535)
  if (given.options['as'] !== undefined) return runTwin(given, session, wanted ?? sandboxPort, fault)
  if (given.options['param'] !== undefined)
    throw new UsageError('BAD_FLAG', '--param answers the questions of a template, and no template was named.', {
      hint: 'Name it: auth-cli sandbox --as <provider> --param key=value',
    })
  const running = await runningSandbox(paths.sandbox)
  if (running !== undefined && (wanted === undefined || wanted === running.port)) {
    throw new UsageError(
      'ALREADY_RUNNING',
      `The sandbox runs already, at ${running.origin} (process ${running.pid}).`,
      {
        hint: 'Use it, stop it, or start another with --port 0.',
      },
    )
  }
  const port = wanted ?? sandboxPort
  const onRequest = json || quiet ? () => {} : tellRequest
  const sandbox = await openAt(port, paths.sandbox, () => openSandbox({ port, home: paths.sandbox, onRequest, fault }))
  const clients = demoClients.map(({ id, secret }) => ({ id, secret: secret ?? null }))
  await print.line({ origin: sandbox.origin, port: sandbox.port, fault: fault ?? null, clients }, (style) =>
    [
      `${style.good(style.symbols.done)} The sandbox listens at ${style.bold(sandbox.origin)}`,
      ...clients.map(({ id, secret }) => `  client ${id}${secret === null ? ' (public)' : `, secret ${secret}`}`),
      ...(fault === undefined ? [] : [`  fault  ${fault}`]),
      '  auth-cli connect sandbox     in another terminal; Ctrl-C here to stop',
    ].join('\n'),
  )
  await untilStopped(session, sandbox)
}

/** Serves until Ctrl-C. */
async function untilStopped({ world, json, quiet }: Session, sandbox: Sandbox): Promise<void> {
  await new Promise<void>((resolve) => world.signal.addEventListener('abort', () => resolve(), { once: true }))
  await sandbox.close()
  // Begins behind the ^C that the terminal shows.
  if (!json && !quiet) process.stderr.write(process.stderr.isTTY ? '\nStopped.\n' : 'Stopped.\n')
}

/** `auth-cli sandbox --as <provider>`: a double of that provider, made from its template. */
async function runTwin(given: Given, session: Session, port: number, fault: string | undefined): Promise<void> {
  const { world, paths, print, json, quiet } = session
  const { provider } = await locate(world, String(given.options['as']))
  const answers = readPairs('--param', given.options['param'])
  const twin = await openAt(port, paths.sandbox, () =>
    openTwin({
      name: provider.name,
      names: provider.names,
      template: provider.template,
      answers,
      port,
      fault,
      home: paths.sandbox,
      onRequest: json || quiet ? () => {} : tellRequest,
    }),
  )
  try {
    assertAsked(answers, twin)
    await print.line(twinShown(provider.name, fault, twin), (style) => twinCard(style, provider.title, fault, twin))
  } catch (error) {
    await twin.close()
    throw error
  }
  await untilStopped(session, twin)
}

/** Throws UsageError `BAD_FLAG` for an answer to what the template does not ask. */
function assertAsked(answers: Readonly<Record<string, string>>, twin: Twin): void {
  const known = Object.keys(twin.issued.params)
  const unknown = Object.keys(answers).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new UsageError('BAD_FLAG', `The template asks nothing called "${unknown}".`, {
    hint: known.length === 0 ? 'It asks nothing at all.' : `It asks: ${known.join(', ')}.`,
  })
}

function tellRequest({ method, path, status }: { method: string; path: string; status?: number | undefined }): void {
  process.stderr.write(`  ${method} ${path} ${status ?? 'not answered'}\n`)
}

/** Opens a sandbox or twin, and says in words of ours what the port or the disk refused. */
async function openAt<Opened>(port: number, home: string, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'TWIN_UNSUPPORTED')
      throw new UsageError('TWIN_UNSUPPORTED', (cause as Error).message, {
        hint: 'auth-cli sandbox plays a provider of its own.',
      })
    if (code !== 'EADDRINUSE') throw sandboxTrouble(cause, home)
    const { TransportError } = await import('../../model/errors.ts')
    throw new TransportError('PORT_IN_USE', `Port ${port} is in use.`, {
      hint: 'Take another: auth-cli sandbox --port 0',
      cause,
    })
  }
}
