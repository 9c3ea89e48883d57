import { pipeline, type Readable } from 'node:stream'
import type { Header } from '../model/event.ts'

/** More layers than this is an attack, not an encoding. */
const mostLayers = 5

/**
 * The body with its Content-Encoding taken off (gzip, deflate, br, in layers too), chunk by chunk as it is read: what is
 * not read is not inflated. An encoding that we do not know is left on. Leaving the loop early destroys `source`.
 */
export async function* decode(source: Readable, headers: readonly Header[]): AsyncGenerator<Uint8Array> {
  const layers = encodingsOf(headers)
  if (layers.length > mostLayers) {
    throw Object.assign(new RangeError(`${layers.length} layers of encoding`), { code: 'ERR_ENCODING_LAYERS' })
  }
  if (layers.length === 0) return yield* source
  const first = await firstByte(source)
  if (first === undefined) return
  const decoders = await decodersFor(layers, first)
  // Whoever reads the last stream sees every error; this callback only keeps it from being thrown at nobody.
  pipeline([source, ...decoders], () => {})
  yield* decoders.at(-1) ?? source
}

/** In the order they were applied; empty when the body is plain or in an encoding we do not know. */
function encodingsOf(headers: readonly Header[]): string[] {
  const layers = headers
    .filter(([name]) => name.toLowerCase() === 'content-encoding')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((layer) => layer.trim().replace(/^x-gzip$/, 'gzip'))
    .filter((layer) => layer !== '' && layer !== 'identity')
  return layers.every((layer) => ['gzip', 'deflate', 'br'].includes(layer)) ? layers : []
}

/** Outermost layer first. `deflate` means zlib (RFC 9110 §8.4.1.2), yet some servers send it bare: `first` tells. */
async function decodersFor(layers: readonly string[], first: number) {
  const zlib = await import('node:zlib')
  // A body that was cut short but framed rightly still gives what it has, as it does in a browser.
  const lenient = { finishFlush: zlib.constants.Z_SYNC_FLUSH }
  return [...layers].reverse().map((layer, place) => {
    if (layer === 'br') return zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH })
    if (layer === 'gzip') return zlib.createGunzip(lenient)
    return place === 0 && (first & 0x0f) !== 8 ? zlib.createInflateRaw(lenient) : zlib.createInflate(lenient)
  })
}

/** Looks without taking; undefined when the body is empty. */
async function firstByte(source: Readable): Promise<number | undefined> {
  const first = await new Promise<Buffer | null>((resolve) => {
    const settle = (): void => {
      const chunk = source.read() as Buffer | null
      if (chunk === null && !source.readableEnded && !source.destroyed) return
      source.off('readable', settle).off('end', settle).off('close', settle)
      resolve(chunk)
    }
    source.on('readable', settle).on('end', settle).on('close', settle)
    settle()
  })
  if (first === null && source.errored) throw source.errored
  if (first !== null) source.unshift(first)
  return first?.[0]
}
