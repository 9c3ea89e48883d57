import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { LogEvent } from '../../src/model/event.ts'
import { runCli, startCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { ended, lines, quirk, started } from '../support/events.ts'

/** A home whose journal this test writes. */
function home() {
  const folder = freshFolder()
  const logs = path.join(folder, 'logs')
  mkdirSync(logs)
  const file = path.join(logs, `${new Date().toISOString().slice(0, 10)}.1.jsonl`)
  return { folder, write: (...events: readonly LogEvent[]) => appendFileSync(file, lines(...events)) }
}

it('logs -f shows the flows of one connection alone, in any case, those that began before it came too', async () => {
  const { folder, write } = home()
  const now = Date.now()
  // Its process lives: it is under way.
  write(started('before00', now, { connection: 'Acme', provider: 'zendesk', pid: process.pid }))
  write(started('other000', now, { connection: 'other', provider: 'github', pid: process.pid }))
  const tail = startCli(['logs', '-f', '--connection', 'acme', '--json'], { home: folder })
  // What is written before it listens is of the past, so it is written again until it is heard.
  const beat = setInterval(() => write(quirk('before00', 'heard')), 50)
  await tail.shows('heard')
  clearInterval(beat)
  write(quirk('other000', 'of another'))
  write(started('later000', Date.now(), { connection: 'ACME', provider: 'zendesk' }), ended('later000', Date.now()))
  await tail.shows(/later000[^\n]*flow\.ended/)
  tail.child.kill('SIGINT')
  const { stdout } = await tail.ended
  const seen = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect([...new Set(seen.map(({ flow }) => flow))]).toEqual(['before00', 'later000'])
  expect(seen.slice(-2).map(({ type }) => type)).toEqual(['flow.started', 'flow.ended'])
})

it('logs -f refuses what only chooses among flows of the past', async () => {
  for (const words of [
    ['--state', 'failed'],
    ['--since', '1h'],
  ]) {
    const { status, stderr } = await runCli(['logs', '-f', ...words, '--json'])
    expect([status, JSON.parse(stderr.trim()).error.code]).toEqual([2, 'BAD_FLAG'])
  }
})
