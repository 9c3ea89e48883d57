import type { LogEvent } from '../../src/model/event.ts'

/** Short lines for tests that need a journal: a flow's start, its end, and something between. */
export function started(
  flow: string,
  at: string | number,
  more: Partial<{ provider: string; connection: string; pid: number }> = {},
): LogEvent {
  const { provider = 'zendesk', connection = 'acme', pid = 2 ** 30 } = more
  return { flow, at: iso(at), ms: 0, type: 'flow.started', deed: 'connect', provider, connection, pid }
}

export function ended(
  flow: string,
  at: string | number,
  state: 'success' | 'failed' | 'cancelled' | 'timeout' = 'success',
): LogEvent {
  const error = state === 'failed' ? { error: { code: 'INVALID_CLIENT', message: 'no' } } : {}
  return { flow, at: iso(at), ms: 9, type: 'flow.ended', state, duration: 9, ...error }
}

export function quirk(flow: string, text: string, at: string | number = 0): LogEvent {
  return { flow, at: iso(at), ms: 5, type: 'quirk', quirk: text }
}

/** As a journal holds them. */
export function lines(...events: readonly LogEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('')
}

function iso(at: string | number): string {
  return new Date(at).toISOString()
}
