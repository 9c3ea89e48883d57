import type { FlowState, FlowSummary } from '../../node/flows.ts'
import type { Style } from './style.ts'
import { type Column, table } from './table.ts'
import { briefly, duration, type Watch } from './time.ts'

/** One flow as `logs` lists it. */
export type FlowLine = Omit<FlowSummary, 'pid' | 'error'> & { readonly error?: { readonly code: string } | undefined }

/** One line per flow, in the order given. With none, a terminal is told so and a pipe gets nothing. */
export function flowsTable(flows: readonly FlowLine[], style: Style, watch: Watch): string {
  if (flows.length === 0)
    return style.terminal ? 'No flows logged. The next command that talks to a provider will be.\n' : ''
  const isOtherName = flows.some(({ provider, connection }) => connection !== '' && connection !== provider)
  const name: Column<FlowLine>[] = isOtherName ? [{ title: 'connection', cell: ({ connection }) => connection }] : []
  return table(
    flows,
    [
      { title: 'flow', cell: ({ id }) => id, paint: style.bold, kept: true },
      { title: 'time', cell: ({ startedAt }) => briefly(startedAt, watch), kept: true },
      { title: 'what', cell: ({ deed }) => deed, kept: true },
      { title: 'provider', cell: ({ provider }) => provider },
      ...name,
      {
        title: 'state',
        cell: ({ state }) => state,
        paint: (text, { state }) => statePaint(state, style)(text),
        kept: true,
      },
      { title: 'took', cell: (flow) => (flow.duration === undefined ? '' : duration(flow.duration)), right: true },
      { title: 'error', cell: (flow) => flow.error?.code ?? (flow.abandoned ? 'process gone' : ''), kept: true },
    ],
    style,
  )
}

/** The colour that a state is shown in. */
export function statePaint(state: FlowState, style: Style): (text: string) => string {
  const paints = {
    running: style.bold,
    success: style.good,
    failed: style.bad,
    cancelled: style.warn,
    timeout: style.bad,
  }
  return paints[state] ?? style.dim
}
