import { TemplateError } from '../model/errors.ts'
import type { Mode } from './mode.ts'

/** One line per mode. */
const modes: Readonly<Record<string, () => Promise<Mode>>> = {
  OAUTH2: () => import('./authorization-code.ts'),
}

/** The `auth_mode`s that can be done. */
export const modeNames: readonly string[] = Object.keys(modes)

export function isMode(authMode: string): boolean {
  return Object.hasOwn(modes, authMode)
}

/** Throws TemplateError `MODE_UNSUPPORTED`, before anything opens. */
export async function modeOf(authMode: string, provider: string): Promise<Mode> {
  assertMode(authMode, provider)
  const load = modes[authMode]
  if (load === undefined) throw new TypeError(`the mode ${authMode} is named and absent`)
  return load()
}

/** The same refusal, without loading anything. */
export function assertMode(authMode: string, provider: string): void {
  if (!isMode(authMode)) {
    throw new TemplateError(
      'MODE_UNSUPPORTED',
      `${provider} authorizes by ${authMode}, which auth-cli cannot do yet.`,
      {
        hint: `What it can do now: ${Object.keys(modes).join(', ')}.`,
      },
    )
  }
}
