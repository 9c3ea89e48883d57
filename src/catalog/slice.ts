/**
 * The bytes of one entry of a block mapping, found without parsing; undefined where its name does not stand plainly at
 * the start of a line, or stands there twice.
 */
export function sliceOf(name: string, bytes: Buffer): { readonly start: number; readonly end: number } | undefined {
  const key = Buffer.from(`${name}:`)
  const isFirst = bytes.subarray(0, key.length).equals(key)
  const start = isFirst ? 0 : bytes.indexOf(`\n${name}:`) + 1
  if (start === 0 && !isFirst) return undefined
  const afterKey = start + key.length
  if (!isBlank(bytes[afterKey]) || bytes.indexOf(`\n${name}:`, afterKey) !== -1) return undefined
  let end = bytes.indexOf('\n', start)
  while (end !== -1 && continues(bytes, end + 1)) end = bytes.indexOf('\n', end + 1)
  return { start, end: end === -1 ? bytes.length : end + 1 }
}

/** Whether only a whole parse can tell if the name is there: it is quoted, spaced or doubled, or all is one `{…}`. */
export function mayHold(name: string, bytes: Buffer): boolean {
  if (!bytes.includes(name)) return false
  const text = bytes.toString('utf8')
  if (/^\uFEFF?(?:[ \t]*(?:[#%-].*)?\r?\n)*[ \t]*\{/.test(text)) return true
  return new RegExp(`^\\uFEFF?(["']?)${name.replaceAll('.', '\\.')}\\1[ \\t]*:`, 'm').test(text)
}

/** Number of the line on which a byte stands, 1-based. */
export function lineOf(bytes: Buffer, offset: number): number {
  let line = 1
  for (let at = bytes.indexOf('\n'); at !== -1 && at < offset; at = bytes.indexOf('\n', at + 1)) line += 1
  return line
}

/** Whether the line that begins there still belongs to the entry above it: indented, blank, a comment or an item. */
function continues(bytes: Buffer, lineStart: number): boolean {
  const first = bytes[lineStart]
  if (first === undefined) return false
  return isBlank(first) || first === 0x23 || (first === 0x2d && isBlank(bytes[lineStart + 1]))
}

function isBlank(byte: number | undefined): boolean {
  return byte === undefined || byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}
