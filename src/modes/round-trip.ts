import { AuthCliError, TransportError } from '../model/errors.ts'
import type { Tell } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { ServerCertificate, World } from '../model/world.ts'
import type { Verdict } from '../wire/callback.ts'
import { type Loopback, openLoopback } from '../wire/loopback.ts'
import { maskUrl } from '../wire/mask.ts'
import { bugPage, failurePage } from '../wire/page.ts'
import { firstAnswer, type Homecoming } from './homecoming.ts'
import type { Attempt } from './mode.ts'

/** What a person is sent out with, and what is known of it when they come back. */
export interface Sent {
  readonly url: URL
  readonly redirectUri: string
  readonly state: string
  readonly codeVerifier?: string | undefined
}

/** A trip through somebody's browser and back to us. */
export interface Journey<S extends Sent> {
  /** What to send them out with; the redirect URI has its real port. */
  readonly prepare: (redirectUri: string) => S | Promise<S>
  /** Pure and quick. */
  readonly judge: (params: URLSearchParams, sent: S) => Verdict
  /** What can be done while they are away; it begins once the browser is open. */
  readonly meanwhile?: ((opened: Promise<void>) => void) | undefined
  /** Names of parameters by which a paste is seen to bring an answer. */
  readonly answers?: readonly string[] | undefined
  /** Makes what came home lasting; only then is the browser answered. */
  readonly finish: (home: Homecoming, sent: S) => Promise<void>
}

/** Sends the person out and waits; the browser is answered last, so that its page tells the truth. */
export async function roundTrip<S extends Sent>(
  world: World,
  integration: Integration,
  attempt: Attempt,
  journey: Journey<S>,
): Promise<void> {
  const { tell } = attempt
  let sent: S | undefined
  const ignored = new Map<string, number>()
  const judged = (params: URLSearchParams): Verdict =>
    sent === undefined ? { kind: 'stray', reason: 'state mismatch' } : journey.judge(params, sent)
  const { secureHost } = integration.listening
  const certificate = secureHost === undefined ? undefined : await world.certificate(secureHost)
  const loopback = await openLoopback(integration.listening, {
    judge: judged,
    certificate,
    onStray: (hit) => {
      ignored.set(hit.reason, (ignored.get(hit.reason) ?? 0) + 1)
      tell({ type: 'callback.ignored', ...hit })
    },
    signal: world.signal,
    scrub: world.secrets.scrub,
  })
  try {
    const out = await journey.prepare(withPort(integration.redirectUri, loopback.port))
    sent = out
    announce(integration, loopback, out, certificate, world, tell)
    const opened = openBrowser(world, out.url.href, tell)
    journey.meanwhile?.(opened)
    const home = await firstAnswer(world, loopback, out, judged, tell, journey.answers)
    await answered(loopback, integration, attempt, () => journey.finish(home, out))
  } catch (error) {
    throw withIgnored(error, ignored)
  } finally {
    await loopback.close()
  }
}

/** Whoever waited in vain learns which visits were not the answer. */
function withIgnored(error: unknown, ignored: ReadonlyMap<string, number>): unknown {
  if (!(error instanceof TransportError) || error.code !== 'TIMEOUT' || ignored.size === 0) return error
  const visits = [...ignored].map(([reason, count]) => `${reason}${count === 1 ? '' : ` (${count} times)`}`).join(', ')
  const details = { hint: error.hint, cause: error, facts: [...error.facts, ['Ignored visits', visits] as const] }
  return new TransportError(error.code, error.message, details)
}

/** The browser learns how it ended, whatever the end was. */
async function answered(
  loopback: Loopback,
  integration: Integration,
  attempt: Attempt,
  act: () => Promise<void>,
): Promise<void> {
  const about = { provider: integration.provider.title, connection: integration.connection, flow: attempt.id }
  try {
    await act()
  } catch (error) {
    await loopback.answer(error instanceof AuthCliError ? failurePage(error, about) : bugPage(about))
    throw error
  }
  await loopback.answer({ kind: 'success', attempt: about })
}

function announce(
  integration: Integration,
  loopback: Loopback,
  sent: Sent,
  certificate: ServerCertificate | undefined,
  { secrets }: Pick<World, 'secrets'>,
  tell: Tell,
): void {
  const { foreignHost, paths } = integration.listening
  tell({
    type: 'listener.opened',
    addresses: loopback.addresses.map(
      (address) => `${address.includes(':') ? `[${address}]` : address}:${loopback.port}`,
    ),
    redirectUri: sent.redirectUri,
    ...(foreignHost === undefined ? {} : { forwardTo: `http://localhost:${loopback.port}${paths[0]}` }),
    ...(certificate === undefined ? {} : { certificate: shownCertificate(certificate) }),
  })
  tell({ type: 'authorization.requested', url: maskUrl(sent.url.href, secrets) })
}

/** Its key is nobody's business. */
function shownCertificate({ from, file, fingerprint, trust }: ServerCertificate) {
  return { from, file, fingerprint, ...(trust === undefined ? {} : { trust }) }
}

async function openBrowser(world: World, url: string, tell: Tell): Promise<void> {
  try {
    tell({ type: 'browser.opened', how: await world.browse(url) })
  } catch (error) {
    tell({ type: 'browser.failed', why: error instanceof Error ? error.message : String(error) })
  }
  world.show(url)
}

/** Puts the real port where the redirect URI asked for any. */
function withPort(redirectUri: string, port: number): string {
  return redirectUri.replace(/^(https?:\/\/[^/?#]*):0(?=[/?#]|$)/, `$1:${port}`)
}
