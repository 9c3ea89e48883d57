import type { Registration } from '../../registrations.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** Where a new redirect URL has to be registered; `isForwarded`: somebody has to pass its callbacks on to us. */
export function registrationsScreen(
  registrations: readonly Registration[],
  url: string,
  isForwarded: boolean,
  style: Style,
): string[] {
  const check = isForwarded
    ? ['', `See that it forwards as it must: ${style.bold(`auth-cli callback check ${url}`)}`]
    : []
  if (registrations.length === 0) return check
  const rows = table(
    registrations,
    [
      { title: 'integration', cell: ({ integration }) => integration, paint: style.bold, kept: true },
      { title: 'provider', cell: ({ title }) => title },
      { title: 'client', cell: ({ clientId }) => clientId ?? '' },
      { title: 'where', cell: ({ registerUrl }) => registerUrl ?? '', kept: true },
      { title: 'knows', cell: ({ registered }) => registered ?? 'none yet' },
    ],
    style,
  )
  return ['', 'Register it first at these providers, or the next connect there is refused:', rows.trimEnd(), ...check]
}
