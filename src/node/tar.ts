import { gunzipSync } from 'node:zlib'

const block = 512

/** A regular file of an archive. */
export interface Packed {
  /** As written in the archive, `package/providers.yaml`; never used as a path on disk. */
  readonly name: string
  readonly bytes: Buffer
}

/**
 * The regular files of a gzipped tar archive (POSIX ustar, pax and GNU long names), links and devices left out. Throws
 * where it is no such archive, is cut short, or unpacks to more than `most` bytes.
 */
export function unpack(archive: Uint8Array, most: number): readonly Packed[] {
  const bytes = gunzipSync(archive, { maxOutputLength: most })
  const files: Packed[] = []
  let longName: string | undefined
  for (let at = 0; at + block <= bytes.length; ) {
    const header = bytes.subarray(at, at + block)
    if (header.every((byte) => byte === 0)) break
    const size = sizeIn(header)
    const start = at + block
    if (start + size > bytes.length) throw new Error('the archive is cut short')
    const body = bytes.subarray(start, start + size)
    const type = String.fromCharCode(header[156] ?? 0)
    if (type === 'x') longName = paxPath(body) ?? longName
    else if (type === 'L') longName = textIn(body, 0, body.length)
    else if (type !== 'g') {
      if (type === '0' || type === '\0') files.push({ name: longName ?? nameIn(header), bytes: body })
      longName = undefined
    }
    at = start + Math.ceil(size / block) * block
  }
  return files
}

function sizeIn(header: Buffer): number {
  const written = textIn(header, 124, 12).trim()
  const size = Number.parseInt(written, 8)
  if (!/^[0-7]+$/.test(written) || !Number.isSafeInteger(size)) throw new Error('it is not a tar archive')
  return size
}

function nameIn(header: Buffer): string {
  const prefix = textIn(header, 257, 5) === 'ustar' ? textIn(header, 345, 155) : ''
  const name = textIn(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

function paxPath(body: Buffer): string | undefined {
  return /^\d+ path=(.*)$/m.exec(body.toString('utf8'))?.[1]
}

/** Text up to the first NUL. */
function textIn(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? field.length : end)
}
