import { UsageError } from '../model/errors.ts'
import { crypto } from './crypto.ts'

/** Above this many characters a file name ends in a hash; with `.json.lock` and a temporary's ending it stays below 143. */
const longest = 90
const keptOfLong = 56

/** Control characters, line separators, direction overrides and half characters: they would lie about what they name. */
const unnameable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

/** Device names on Windows, whatever follows their first dot. */
const device = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin%24|conout%24)(?=\.|$)/

/**
 * The name as names are compared: without regard to case and to how accents are composed. `Acme` and `acme` are one
 * record. Throws UsageError `BAD_NAME` for the empty name and for characters that cannot be seen.
 */
export function foldName(name: string): string {
  if (name === '') throw badName('A name cannot be empty.')
  if (/^[\x20-\x7e]+$/.test(name)) return name.toLowerCase()
  if (unnameable.test(name)) {
    const shown = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?').slice(0, 60)
    throw badName(`"${shown}" cannot be a name: it holds control or invisible characters.`)
  }
  // By way of upper case, because letters such as the two small sigmas only meet there.
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')
}

/**
 * The file name, without its ending, for a record's name: safe on every file system and the same for exactly those
 * names that `foldName` makes equal. ASCII letters, digits, `-`, `_` and inner dots stand as they are, the rest as
 * `%xx` of its UTF-8 bytes. Throws UsageError `BAD_NAME`.
 */
export function fileNameFor(name: string): string {
  const folded = foldName(name)
  const encoded = /^[a-z0-9_-][a-z0-9_.-]*$/.test(folded) ? folded : percentEncode(folded)
  // `~` never comes out of the encoding, so a shortened name meets no other.
  if (encoded.length > longest) {
    const start = encoded.slice(0, keptOfLong).replace(/%.?$/, '')
    return `${guardDevice(start)}~${crypto().createHash('sha256').update(folded).digest('hex').slice(0, 32)}`
  }
  return guardDevice(encoded)
}

function percentEncode(folded: string): string {
  let encoded = ''
  for (const byte of Buffer.from(folded, 'utf8')) {
    const character = String.fromCharCode(byte)
    const stands = /[a-z0-9_-]/.test(character) || (character === '.' && encoded !== '')
    encoded += stands ? character : `%${byte.toString(16).padStart(2, '0')}`
  }
  return encoded
}

/** The first letter encoded is enough: no name is encoded so by the rule above. */
function guardDevice(encoded: string): string {
  return device.test(encoded) ? `%${encoded.charCodeAt(0).toString(16)}${encoded.slice(1)}` : encoded
}

function badName(message: string): UsageError {
  return new UsageError('BAD_NAME', message, { hint: 'Use letters, digits, dots, dashes and underscores.' })
}
