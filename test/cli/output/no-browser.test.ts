import { expect, it } from 'vitest'
import { noBrowserLines } from '../../../src/cli/output/no-browser.ts'
import { drawn, hostile, isHarmless } from './samples.ts'

it('gives the ready ssh line where the browser is on another machine', async () => {
  const place = { port: 8749, sshTarget: 'jane@build-host', isPasteRead: true }
  expect(noBrowserLines('SSH', await drawn(80), place)).toEqual({
    before: [
      '! This is an SSH connection: the browser is on your machine, the listener is here.',
      '  1. In another terminal:   ssh -L 8749:localhost:8749 jane@build-host',
      '  2. Open:',
    ],
    after: ['  or open it anywhere and paste the address you land on:'],
  })
})

it('says why nothing opens, and asks for a paste only where one is read', async () => {
  expect(noBrowserLines('CI', await drawn(80), { port: 1, isPasteRead: false })).toEqual({
    before: ['! CI is set, so no browser is opened.', '  Open:'],
    after: [],
  })
})

it('lets nothing through that acts on a terminal', async () => {
  const { before } = noBrowserLines('SSH', await drawn(80), { port: 1, sshTarget: hostile, isPasteRead: true })
  expect(isHarmless(before.join('\n'))).toBe(true)
})
