import { TemplateError } from '../model/errors.ts'
import type { Mode } from './mode.ts'

/** One line per mode. */
const modes: Readonly<Record<string, () => Promise<Mode>>> = {
  OAUTH2: () => import('./authorization-code.ts'),
}

/** Throws TemplateError `MODE_UNSUPPORTED`, before anything opens. */
export async function modeOf(authMode: string, provider: string): Promise<Mode> {
  const mode = Object.hasOwn(modes, authMode) ? modes[authMode] : undefined
  if (mode === undefined) {
    throw new TemplateError(
      'MODE_UNSUPPORTED',
      `${provider} authorizes by ${authMode}, which auth-cli cannot do yet.`,
      {
        hint: `What it can do now: ${Object.keys(modes).join(', ')}.`,
      },
    )
  }
  return mode()
}
