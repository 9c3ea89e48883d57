import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogEvent } from '../../src/model/event.ts'

/** All that the journal of a home holds, as text. */
export function journalText(home: string): string {
  const folder = join(home, 'logs')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('')
}

/** The journal's events, oldest first. */
export function journalEvents(home: string): LogEvent[] {
  return journalText(home)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogEvent)
}
