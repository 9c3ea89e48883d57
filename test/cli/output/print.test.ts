import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { makePrint } from '../../../src/cli/output/print.ts'
import type { Style } from '../../../src/cli/output/style.ts'
import { drawn, hostile, isHarmless, pipe } from './samples.ts'

function page() {
  let written = ''
  return {
    stdout: {
      write(chunk: string | Uint8Array, done: (error?: Error | null) => void) {
        written += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
        done()
      },
    },
    written: () => written,
  }
}

const unasked = () => Promise.reject(new Error('the style is not needed'))
const human = (style: Style) => style.text('two things')

describe('a value', () => {
  it('is one JSON document with --json, and nobody asks for a style', async () => {
    const { stdout, written } = page()
    await makePrint({ stdout, json: true, style: unasked }).value({ a: [1] }, human)
    expect(written()).toBe('{\n  "a": [\n    1\n  ]\n}\n')
  })

  it('is told to people otherwise, its last line ended', async () => {
    const { stdout, written } = page()
    const print = makePrint({ stdout, json: false, style: () => drawn(pipe) })
    await print.value({}, human)
    await print.value({}, () => 'ended\n')
    await print.value({}, () => '')
    expect(written()).toBe('two things\nended\n')
  })

  it('acts on no terminal as JSON either', async () => {
    const { stdout, written } = page()
    await makePrint({ stdout, json: true, style: unasked }).value({ [hostile]: hostile }, human)
    expect(isHarmless(written())).toBe(true)
    expect(JSON.parse(written())).toEqual({ [hostile]: hostile })
  })
})

it('prints a stream as one JSON line each, or as its human lines', async () => {
  const json = page()
  const lines = makePrint({ stdout: json.stdout, json: true, style: unasked })
  await lines.line({ a: 1 }, human)
  await lines.line({ a: '\n' }, human)
  expect(json.written()).toBe('{"a":1}\n{"a":"\\n"}\n')
  const told = page()
  await makePrint({ stdout: told.stdout, json: false, style: () => drawn(pipe) }).line({}, human)
  expect(told.written()).toBe('two things\n')
})

it('takes bytes from their source no faster than they are written', async () => {
  const order: string[] = []
  async function* source() {
    for (const name of ['a', 'b']) {
      order.push(`read ${name}`)
      yield Buffer.from(name)
    }
  }
  const stdout = {
    write(chunk: string | Uint8Array, done: () => void) {
      setImmediate(() => {
        order.push(`written ${Buffer.from(chunk as Uint8Array)}`)
        done()
      })
    },
  }
  await makePrint({ stdout, json: false, style: unasked }).bytes(source())
  expect(order).toEqual(['read a', 'written a', 'read b', 'written b'])
})

it('ends its source once the reader has gone away, and writes no more', async () => {
  let [writes, ended] = [0, false]
  async function* source() {
    try {
      for (const chunk of ['x', 'y', 'z']) yield Buffer.from(chunk)
    } finally {
      ended = true
    }
  }
  const broken = Object.assign(new Error('broken'), { code: 'EPIPE' })
  const stdout = {
    write(_: string | Uint8Array, done: (error: Error) => void) {
      writes += 1
      done(broken)
    },
  }
  const print = makePrint({ stdout, json: true, style: unasked })
  await print.bytes(source())
  await print.value(1, human)
  expect([writes, ended, print.isReaderGone()]).toEqual([1, true, true])
})

it('is not done before its last byte has left', async () => {
  const order: string[] = []
  const stdout = {
    write(_: string | Uint8Array, done: () => void) {
      setImmediate(() => {
        order.push('written')
        done()
      })
    },
  }
  const print = makePrint({ stdout, json: true, style: unasked })
  for (const write of [() => print.value(1, human), () => print.line(1, human), () => print.bytes('x')]) {
    await write()
    order.push('resolved')
  }
  expect(order.join(' ')).toBe('written resolved written resolved written resolved')
})

it('says so when the disk behind stdout is full', async () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const stdout = { write: (_: string | Uint8Array, done: (error: Error) => void) => done(full) }
  await expect(makePrint({ stdout, json: true, style: unasked }).value(1, human)).rejects.toMatchObject({
    code: 'DISK_FULL',
    exitCode: 6,
  })
})

describe('a process', () => {
  const built = JSON.stringify(new URL('../../../dist/cli/output/print.js', import.meta.url).href)
  const prelude = `import { makePrint, onBrokenPipe } from ${built}
    const print = makePrint({ stdout: process.stdout, json: true, style: () => Promise.reject(new Error('unasked')) })\n`

  /** Runs the program in a pipeline of sh, which reports the program's own status on the last line of stderr. */
  async function piped(program: string, reader: string) {
    const command = `{ "$NODE" --input-type=module -e "$PROGRAM"; echo "status $?" >&2; } ${reader}`
    const env = { PATH: process.env['PATH'], NODE: process.execPath, PROGRAM: prelude + program }
    const shell = spawn('sh', ['-c', command], { env })
    let stdout = 0
    let stderr = ''
    shell.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.length
    })
    shell.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk
    })
    await new Promise((resolve) => shell.on('close', resolve))
    return { stdout, stderr }
  }

  const endless = `async function* endless() { for (;;) yield Buffer.alloc(65536, 'x') }\n`

  it('whose reader goes away ends quietly with status 0', async () => {
    const { stdout, stderr } = await piped(
      `${endless}onBrokenPipe(process.stdout); await print.bytes(endless())`,
      '| head -c 1',
    )
    expect({ stdout, stderr }).toEqual({ stdout: 1, stderr: 'status 0\n' })
  })

  it('whose reader goes away may end in its own way', async () => {
    const program = `${endless}onBrokenPipe(process.stdout, () => console.error('gone'))
      await print.bytes(endless()); await print.value({}); console.error(print.isReaderGone())`
    expect((await piped(program, '| head -c 1')).stderr).toBe('gone\ntrue\nstatus 0\n')
  })

  it.runIf(existsSync('/dev/full'))('learns that a full disk took nothing', async () => {
    const program = `onBrokenPipe(process.stdout)
      await print.value({}).catch((error) => { console.error(error.code); process.exitCode = error.exitCode })`
    expect((await piped(program, '> /dev/full')).stderr).toMatch(/^DISK_FULL\nstatus 6\n$/)
  })
})
