import { expect, it } from 'vitest'
import { type FlowLine, flowsTable } from '../../../src/cli/output/flows.ts'
import { width } from '../../../src/cli/output/style.ts'
import { drawn, hostile, isHarmless, now, pipe } from './samples.ts'

const watch = { now, utc: true }
const flows: FlowLine[] = [
  {
    id: '7k2m9q',
    deed: 'connect',
    provider: 'zendesk',
    connection: 'zendesk',
    state: 'failed',
    startedAt: '2026-11-23T12:04:31.000Z',
    duration: 1900,
    error: { code: 'INVALID_CLIENT' },
  },
  {
    id: '5hd02x',
    deed: 'refresh',
    provider: 'github',
    connection: 'github',
    state: 'success',
    startedAt: '2026-11-22T12:02:10.000Z',
    duration: 312,
  },
  {
    id: '3aa81c',
    deed: 'connect',
    provider: 'google',
    connection: 'google',
    state: 'cancelled',
    startedAt: '2026-11-23T11:58:02.000Z',
    abandoned: true,
  },
]

it('lists flows, one line each', async () => {
  expect(flowsTable(flows, await drawn(80), watch)).toBe(`\
  flow    time          what     provider  state       took  error
  7k2m9q  12:04:31      connect  zendesk   failed     1.9 s  INVALID_CLIENT
  5hd02x  Nov 22 12:02  refresh  github    success    0.3 s
  3aa81c  11:58:02      connect  google    cancelled         process gone
`)
})

it('names the connections where they have names of their own', async () => {
  const named = flows.map((flow) => ({ ...flow, connection: `${flow.provider}-work` }))
  expect(flowsTable(named, await drawn(pipe), watch)).toContain('connect  zendesk   zendesk-work  failed')
})

it.each([30, 40, 80])('fits into %i columns', async (columns) => {
  const lines = flowsTable(flows, await drawn(columns), watch).split('\n')
  expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns)
})

it('gives each state its colour', async () => {
  const text = flowsTable(flows, await drawn(80, { color: true }), watch)
  expect(text).toContain('\x1b[31mfailed\x1b[39m')
  expect(text).toContain('\x1b[32msuccess\x1b[39m')
  expect(text).toContain('\x1b[33mcancelled\x1b[39m')
})

it('says that there are none, to a terminal only', async () => {
  expect(flowsTable([], await drawn(80), watch)).toMatch(/^No flows logged\./)
  expect(flowsTable([], await drawn(pipe), watch)).toBe('')
})

it('lets nothing through that acts on a terminal', async () => {
  const evil = flows.map((flow) => ({
    ...flow,
    id: hostile,
    provider: hostile,
    connection: 'x',
    error: { code: hostile },
  }))
  expect(isHarmless(flowsTable(evil, await drawn(80), watch))).toBe(true)
})
