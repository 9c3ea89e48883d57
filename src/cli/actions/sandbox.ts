import { UsageError } from '../../model/errors.ts'
import { demoClients, faults, openSandbox, runningSandbox } from '../../sandbox/index.ts'
import { assertFault, sandboxPort, sandboxTrouble } from '../sandbox.ts'
import { type Given, openSession, readNumber } from '../session.ts'

/** `auth-cli sandbox`: the provider to practise on, until Ctrl-C. */
export async function run(given: Given): Promise<void> {
  const { world, paths, print, json, quiet } = await openSession(given)
  const fault = given.options['fault'] as string | undefined
  if (fault === 'list')
    return print.value(faults, (style) =>
      faults.map(({ name, says }) => `  ${style.bold(name.padEnd(22))} ${says}`).join('\n'),
    )
  assertFault(fault)
  const wanted = readNumber('--port', given.options['port'], 0, 65_535)
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
  const sandbox = await openAt(wanted ?? sandboxPort, {
    home: paths.sandbox,
    fault,
    tell: json || quiet ? () => {} : tellRequest,
  })
  const clients = demoClients.map(({ id, secret }) => ({ id, secret: secret ?? null }))
  await print.line({ origin: sandbox.origin, port: sandbox.port, fault: fault ?? null, clients }, (style) =>
    [
      `${style.good(style.symbols.done)} The sandbox listens at ${style.bold(sandbox.origin)}`,
      ...clients.map(({ id, secret }) => `  client ${id}${secret === null ? ' (public)' : `, secret ${secret}`}`),
      ...(fault === undefined ? [] : [`  fault  ${fault}`]),
      '  auth-cli connect sandbox     in another terminal; Ctrl-C here to stop',
    ].join('\n'),
  )
  await new Promise<void>((resolve) => world.signal.addEventListener('abort', () => resolve(), { once: true }))
  await sandbox.close()
  // Begins behind the ^C that the terminal shows.
  if (!json && !quiet) process.stderr.write(process.stderr.isTTY ? '\nStopped.\n' : 'Stopped.\n')
}

function tellRequest({ method, path, status }: { method: string; path: string; status?: number | undefined }): void {
  process.stderr.write(`  ${method} ${path} ${status ?? 'not answered'}\n`)
}

async function openAt(
  port: number,
  { home, fault, tell }: { home: string; fault: string | undefined; tell: typeof tellRequest },
) {
  try {
    return await openSandbox({ port, home, onRequest: tell, ...(fault === undefined ? {} : { fault }) })
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'EADDRINUSE')
      throw sandboxTrouble(cause, home)
    const { TransportError } = await import('../../model/errors.ts')
    throw new TransportError('PORT_IN_USE', `Port ${port} is in use.`, {
      hint: 'Take another: auth-cli sandbox --port 0',
      cause,
    })
  }
}
