import type { Style } from './style.ts'

/** Why no browser opens by itself. */
export type NoBrowserReason = 'CI' | 'no terminal' | 'no display' | 'SSH' | '--no-browser'

export interface NoBrowserPlace {
  /** Where we listen. */
  readonly port: number
  /** `you@this-host` as `ssh` would take it. */
  readonly sshTarget?: string | undefined
  /** Whether a pasted address would be read. */
  readonly isPasteRead: boolean
}

const explanations: Readonly<Record<NoBrowserReason, string>> = {
  CI: 'CI is set, so no browser is opened.',
  'no terminal': 'There is no terminal, so no browser is opened.',
  'no display': 'There is no display here, so no browser is opened.',
  SSH: 'This is an SSH connection: the browser is on your machine, the listener is here.',
  '--no-browser': 'No browser is opened, as you asked.',
}

/** What stands before and after the address that a person must open themselves; `World.show` prints it in between. */
export function noBrowserLines(
  reason: NoBrowserReason,
  style: Style,
  place: NoBrowserPlace,
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const { port, sshTarget, isPasteRead } = place
  const target = style.text(sshTarget ?? 'you@this-host')
  const steps =
    reason === 'SSH'
      ? [`  1. In another terminal:   ${style.bold(`ssh -L ${port}:localhost:${port} ${target}`)}`, '  2. Open:']
      : ['  Open:']
  return {
    before: [`${style.warn(style.symbols.warning)} ${explanations[reason]}`, ...steps],
    after: isPasteRead ? ['  or open it anywhere and paste the address you land on:'] : [],
  }
}
