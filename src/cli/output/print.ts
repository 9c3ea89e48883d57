import { MachineError } from '../../model/errors.ts'
import { jsonText, type Style } from './style.ts'

/** A stream as `print` needs it; `process.stdout` fits. */
export interface Output {
  write(chunk: string | Uint8Array, written: (error?: Error | null) => void): unknown
}

/** The only writer to stdout. Every promise resolves once its bytes have left, so nothing is lost when the process ends. */
export interface Print {
  /** The whole result: with `--json` one document, otherwise its human form. */
  value(value: unknown, human: (style: Style) => string): Promise<void>
  /** As they are, no faster than the reader takes them. A reader that has gone away ends the source. */
  bytes(source: AsyncIterable<Uint8Array> | Uint8Array | string): Promise<void>
  /** One item of a stream: with `--json` one JSON line, otherwise its human form. */
  line(value: unknown, human: (style: Style) => string): Promise<void>
  /** Whether the reader has gone away: whatever else is written goes nowhere. */
  isReaderGone(): boolean
}

/** `style` is asked for only where something human is printed. Rejects with MachineError `DISK_FULL`, `NOT_WRITABLE`. */
export function makePrint(options: {
  readonly stdout: Output
  readonly json: boolean
  readonly style: () => Promise<Style>
}): Print {
  const { stdout, json, style } = options
  let gone = false
  const write = (chunk: string | Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      if (gone || chunk.length === 0) return resolve()
      stdout.write(chunk, (error) => {
        if (!error) return resolve()
        if (!isBrokenPipe(error)) return reject(unwritable(error))
        gone = true
        resolve()
      })
    })
  const human = async (tell: (style: Style) => string) => {
    const text = tell(await style())
    await write(text === '' || text.endsWith('\n') ? text : `${text}\n`)
  }
  return {
    value: (value, tell) => (json ? write(`${jsonText(value, 2)}\n`) : human(tell)),
    line: (value, tell) => (json ? write(`${jsonText(value)}\n`) : human(tell)),
    async bytes(source) {
      if (typeof source === 'string' || source instanceof Uint8Array) return write(source)
      for await (const chunk of source) {
        await write(chunk)
        if (gone) return
      }
    },
    isReaderGone: () => gone,
  }
}

/** A stream that may break; `process.stdout` fits. */
export interface Breakable {
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * Calls `end` when the reader of a stream goes away (`| head`), which is no failure: by default the process ends with
 * status 0. Any other error of the stream is left to the write that met it.
 */
export function onBrokenPipe(stream: Breakable, end: () => void = () => process.exit(0)): void {
  let ended = false
  stream.on('error', (error) => {
    if (ended || !isBrokenPipe(error)) return
    ended = true
    end()
  })
}

function isBrokenPipe(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EPIPE' || code === 'EOF' || code === 'ERR_STREAM_DESTROYED'
}

function unwritable(error: Error): MachineError {
  const { code = 'unknown' } = error as NodeJS.ErrnoException
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  return new MachineError(isFull ? 'DISK_FULL' : 'NOT_WRITABLE', 'The output could not be written.', {
    hint: isFull ? 'Make room where stdout goes, or send it somewhere else.' : 'Look at where stdout goes.',
    facts: [['cause', code]],
    cause: error,
  })
}
