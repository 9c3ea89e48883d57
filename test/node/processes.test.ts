import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { stillRuns, traceProcess } from '../../src/node/processes.ts'
import { firstLine, kill } from '../support/disk.ts'

const onLinux = test.runIf(process.platform === 'linux')

test('a running process is traced, one that has ended is not', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(child, 'spawn')
  expect(traceProcess(child.pid ?? 0)).toBeDefined()
  await kill(child)
  expect(traceProcess(child.pid ?? 0)).toBeUndefined()
})

test.each([0, -1, Number.NaN, 1.5, 2 ** 40])('%d is no process', (pid) => {
  expect(traceProcess(pid)).toBeUndefined()
})

onLinux('one that has ended and was not yet reaped does not run', async () => {
  // The child ends when we close its input, and by then its parent is a program that never asks after it.
  const script = 'head -c 1 <&3 >/dev/null & echo $!; exec sleep 60 3<&-'
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const pid = Number(await firstLine(parent))
  await vi.waitFor(() => expect(readFileSync(`/proc/${parent.pid}/stat`, 'latin1')).toContain('(sleep)'))
  expect(traceProcess(pid)).toBeDefined()
  const input = parent.stdio[3] as Writable
  input.end()
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z '))
  expect(traceProcess(pid)).toBeUndefined()
})

onLinux('a pid that was given to another process since then is not the process that wrote', async () => {
  expect(stillRuns(process.pid, Date.now())).toBe(true)
  const longAgo = Date.now() - process.uptime() * 1000 - 60_000
  expect(stillRuns(process.pid, longAgo)).toBe(false)
})
