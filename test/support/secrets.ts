import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Hit } from './provider.ts'

/**
 * Every way in which a secret may be written so that whoever reads it has the secret. Written apart from the product's
 * own list, so that they cannot share an oversight.
 */
export function waysToWrite(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  const percent = [...bytes].map((byte) => {
    const letter = String.fromCharCode(byte)
    return /[A-Za-z0-9_.~-]/.test(letter) ? letter : `%${byte.toString(16).padStart(2, '0')}`
  })
  const each = (spell: (letter: string) => string, plain = /^[A-Za-z0-9_.~-]$/): string =>
    [...secret].map((letter) => (plain.test(letter) ? letter : spell(letter))).join('')
  const hex = (letter: string): string => (letter.codePointAt(0) ?? 0).toString(16)
  const unit = (letter: string): string[] =>
    Array.from({ length: letter.length }, (_, at) => letter.charCodeAt(at).toString(16).padStart(4, '0'))
  const escaped = (letter: string): string =>
    unit(letter)
      .map((code) => `\\u${code}`)
      .join('')
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  const upper = percent.map((part) => part.toUpperCase())
  const lowerPercent = percent.join('')
  const upperPercent = percent.map((part, at) => (part.length > 1 ? upper[at] : part)).join('')
  return [
    secret,
    lowerPercent,
    upperPercent,
    lowerPercent.replaceAll('%20', '+'),
    upperPercent.replaceAll('%20', '+'),
    encodeURIComponent(secret),
    encodeURI(secret),
    new URLSearchParams({ v: secret }).toString().slice(2),
    encodeURIComponent(encodeURIComponent(secret)),
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    encodeURIComponent(bytes.toString('base64')),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/'),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    each(escaped),
    each((letter) => escaped(letter).replace(/[a-f\d]{4}/g, (code) => code.toUpperCase())),
    each(escaped, /^[\x20-\x7e]$/).replaceAll('/', '\\/'),
    each(escaped, /^[^&<>'"\\]$/u),
    each((letter) => named[letter] ?? letter, /^[^&<>'"]$/u),
    each((letter) => named[letter] ?? letter, /^[^&<>]$/u),
    each((letter) => named[letter] ?? `&#${letter.codePointAt(0)};`, /[\x20-\x25\x28-\x3b\x3d\x3f-\x7e]/),
    each((letter) => `&#${letter.codePointAt(0)};`),
    each((letter) => `&#x${hex(letter)};`),
    each((letter) => `&#x${hex(letter).toUpperCase()};`),
    bytes.toString('latin1'),
  ].filter((way, at, all) => all.indexOf(way) === at)
}

/** What `text` gives away of the secrets: by name, and in which spelling. Empty is good. */
export function leaksIn(text: string, secrets: ReadonlyMap<string, string>): string[] {
  const texts = [text, ...decodedLines(text)]
  return [...secrets].flatMap(([secret, what]) =>
    waysToWrite(secret)
      .filter((way) => texts.some((one) => one.includes(way)))
      .map((way) => `${what} as ${way}`),
  )
}

/** JSON lines as whoever parses them reads them. */
function decodedLines(text: string): string[] {
  const leaves = (value: unknown): string[] => {
    if (typeof value === 'string') return [value]
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([key, member]) => [key, ...leaves(member)])
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [leaves(JSON.parse(line)).join('\n')]
    } catch {
      return []
    }
  })
}

/** Every file of a home that has no business with secrets, with its content. */
export function publicFilesOf(home: string): { file: string; text: string }[] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(home, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/^((?:connections|integrations)\/[^/]+\.json|sandbox\/.*|mask\.key)$/.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(home, file), 'latin1') }))
    .flatMap(({ file, text }) => [{ file, text: Buffer.from(text, 'latin1').toString('utf8') }])
}

/** All that the journal of this home holds. */
export function journalOf(home: string): string {
  return publicFilesOf(home)
    .filter(({ file }) => file.startsWith('logs/'))
    .map(({ text }) => text)
    .join('')
}

/** How this home masks a value. */
export function maskIn(home: string, value: string): string {
  const key = readFileSync(path.join(home, 'mask.key'))
  return `…(${createHmac('sha256', key).update(value).digest('hex').slice(0, 4)})`
}

/** Every secret that crossed in these exchanges, and what it is. */
export function secretsCrossed(hits: readonly Hit[], answers: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  const add = (what: string, value: string | null | undefined): void => {
    if (value) found.set(value, what)
  }
  for (const { query, form, headers } of hits) {
    for (const name of ['state', 'code']) add(name, query.get(name))
    for (const name of ['code', 'code_verifier', 'client_secret', 'refresh_token']) add(name, form.get(name))
    add('Authorization', headers.authorization?.replace(/^\w+ /, ''))
  }
  for (const answer of answers) {
    for (const [, name = '', value] of answer.matchAll(
      /"?(access_token|refresh_token|id_token)"?\s*[:=]\s*"?([\w.~+/-]{8,})/g,
    ))
      add(name, value)
  }
  return found
}
