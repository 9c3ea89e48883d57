import { hostname, userInfo } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { type AuthCliError, ProviderError } from '../model/errors.ts'
import type { LogEvent, StrayReason } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import { type Browse, makeBrowse } from '../node/browse.ts'
import { makePaste } from '../node/paste.ts'
import { noBrowserLines } from './output/no-browser.ts'
import type { Style } from './output/style.ts'
import type { Progress } from './progress.ts'
import { type Given, isSet, type Presence } from './session.ts'

/** Where the person sits during `connect`: their browser, the URL that is shown, what they paste. */
export interface Seat extends Presence {
  /** Events that the seat tells in its own way, and what it learns from them. */
  readonly watch: (event: LogEvent) => void
  readonly skips: (event: LogEvent) => boolean
  /** Whether the browser, or a paste, has brought the answer. */
  readonly isBack: () => boolean
  /** Told once everything is decided and before anything opens. */
  readonly take: (terms: SeatTerms) => void
}

export interface SeatTerms {
  readonly integration: Integration
  readonly style: Style
  readonly settingsBrowser?: string | undefined
  /** Set when the sandbox that this command started may approve by itself. */
  readonly approve?: ((url: string) => Promise<void>) | undefined
  /** Nobody registers anything with a twin. */
  readonly isTwin: boolean
  /** Ends the wait: nobody else is going to come. */
  readonly stop: (reason: AuthCliError) => void
}

export function takeSeat(given: Given, progress: Progress): Seat {
  const { env, platform, stdin } = process
  let terms: SeatTerms | undefined
  let browser: Browse | undefined
  let port = 0
  const flagBrowser = given.options['browser'] as string | false | undefined
  let hasArrived = false
  let stray: StrayReason | undefined
  const noticeAbsence = (): void => {
    if (!hasArrived) terms?.stop(strayed(stray))
  }
  const late = (why: string): void => progress.mention([`! The browser ended with a failure: ${why}`])
  return {
    isBack: () => hasArrived,
    take(decided) {
      terms = decided
      const { settingsBrowser } = decided
      browser = makeBrowse({
        env,
        platform,
        isTerminal: stdin.isTTY === true,
        flagBrowser,
        settingsBrowser,
        onLateFailure: late,
      })
      mentionRegistration(decided, progress)
    },
    watch(event) {
      if (event.type === 'callback.ignored') stray = event.reason
      if (event.type === 'callback.received') hasArrived = true
      if (event.type === 'listener.opened') port = Number(/:(\d+)$/.exec(event.addresses[0] ?? '')?.[1] ?? 0)
    },
    skips: (event) =>
      (event.type === 'browser.failed' && browser?.plan === 'none') ||
      (event.type === 'browser.opened' && terms?.approve !== undefined),
    async browse(url) {
      if (terms?.approve !== undefined) {
        progress.mention([`! ${noBrowserWords(env, platform, stdin.isTTY === true)}: the sandbox approves by itself.`])
        void terms.approve(url).then(noticeAbsence, (error: unknown) => terms?.stop(notApproved(error)))
        preload()
        return 'the sandbox itself'
      }
      const how = await (browser?.browse(url) ?? Promise.reject(new Error('nobody sits here yet')))
      preload()
      return how
    },
    show(url) {
      if (terms === undefined || terms.approve !== undefined) return
      const { style, integration } = terms
      const isPasteRead = stdin.isTTY === true
      if (browser?.plan === 'none') {
        const { before, after } = noBrowserLines(browser.reason, style, { port, sshTarget: sshTarget(), isPasteRead })
        progress.mention(before)
        progress.say([url])
        progress.mention(after)
      } else {
        progress.say([url])
      }
      if (style.terminal) {
        const note = isPasteRead ? 'paste the URL you land on, or Ctrl-C' : 'Ctrl-C to stop'
        progress.wait(`Waiting for you at ${integration.provider.title}`, note)
      }
      preload()
    },
    paste: makePaste(stdin, stdin.isTTY === true),
  }
}

/**
 * Whether the sandbox that this command started approves by itself: nobody named a browser, and there is none to be
 * expected here.
 */
export function approvesItself(given: Given): boolean {
  const { env, platform, stdin } = process
  if (typeof given.options['browser'] === 'string' || env['BROWSER']?.trim()) return false
  return (
    isSet(env['CI']) || stdin.isTTY !== true || (platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY'])
  )
}

function noBrowserWords(env: NodeJS.ProcessEnv, platform: string, isTerminal: boolean): string {
  if (isSet(env['CI'])) return 'CI is set, so no browser is opened'
  if (!isTerminal) return 'There is no terminal, so no browser is opened'
  return platform === 'linux' ? 'There is no display here, so no browser is opened' : 'No browser is opened'
}

/** The string to register, the first time that this client is used here. */
function mentionRegistration({ integration, style, isTwin }: SeatTerms, progress: Progress): void {
  const { answeredBy, provider, redirectUri } = integration
  const isKnown = provider.name === 'sandbox' || answeredBy['client-id'] === 'saved connection' || isTwin
  // A client that registers itself brings its redirect URL along.
  if (isKnown || integration.client.id === '' || redirectUri === '' || redirectUri.includes(':0/')) return
  const where = integration.registerUrl
  progress.mention([
    `  Register this redirect URL at ${style.text(provider.title)}:`,
    `  ${style.bold(redirectUri)}`,
    ...(where === undefined ? [] : ['  on this page of theirs:', `  ${style.text(where)}`]),
  ])
}

/** `you@this-host`, as ssh would take it. */
function sshTarget(): string | undefined {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return undefined
  }
}

/** Loaded while the person is away, so that the exchange does not wait for it. */
function preload(): void {
  // Optimizing undici's parser takes longer than all that it will ever parse here, and Node would wait for it at the end.
  setFlagsFromString('--liftoff-only')
  void import('../node/send.ts').then(({ preload }) => preload())
}

/** The sandbox has approved, and what it sent back was not the answer; with nobody at a browser that is the end. */
function strayed(reason: StrayReason | undefined): ProviderError {
  const code = reason?.startsWith('issuer')
    ? 'ISSUER_MISMATCH'
    : reason?.startsWith('state')
      ? 'STATE_MISMATCH'
      : 'CALLBACK_UNUSABLE'
  return new ProviderError(code, `The sandbox sent back an answer that is not ours: ${reason ?? 'it never came'}.`, {
    hint: 'It was ignored and nothing was saved. With a person at a browser the wait would have gone on.',
  })
}

function notApproved(error: unknown): ProviderError {
  const why = error instanceof Error ? error.message : String(error)
  return new ProviderError('NOT_APPROVED', `The sandbox did not approve: ${why}`, {
    hint: 'Open its page yourself: --browser <command>, or set BROWSER.',
  })
}
