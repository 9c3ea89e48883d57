import { once } from 'node:events'
import {
  accessSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { devNull } from 'node:os'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { MachineError, ProviderError, UsageError } from '../../model/errors.ts'
import type { Header } from '../../model/event.ts'
import type { Page } from '../../pages.ts'
import { type ApiAnswer, type ApiCall, request } from '../../request.ts'
import { openAwake } from '../awake.ts'
import { plain } from '../output/style.ts'
import { progressFor } from '../progress.ts'
import { type Given, readNumber, readStdin, type Session } from '../session.ts'

/** `auth-cli request <name> <path or url>`, with curl's letters. */
export async function run(given: Given): Promise<void> {
  const [name = '', target = ''] = given.arguments
  const progress = progressFor(given)
  for (const flag of ['items', 'ndjson']) {
    if (given.options[flag] !== undefined && given.options['paginate'] !== true)
      throw new UsageError('BAD_FLAG', `--${flag} is about --paginate, which is not there.`)
  }
  const call = await callOf(given, target)
  assertWritable(fileOf(given))
  const { session, close } = await openAwake(given, name, { onEvent: progress.emit, flows: true })
  const isVerbose = given.options['verbose'] === true
  await progress.start(session.style, { skip: (event) => event.type === 'exchange' && !isVerbose })
  const seconds = readNumber('--timeout', given.options['timeout'], 1, 86_400)
  if (seconds !== undefined) session.limit(seconds, () => 'the API did not answer')
  try {
    if (given.options['paginate'] === true) await printPages(session, name, call, given)
    else await request(session.world, name, call, (answer) => deliver(answer, given, session))
  } finally {
    await close()
  }
}

/** One JSON array over all pages, written as they come; with `--ndjson` an item a line. A list that broke off stays open. */
async function printPages(session: Session, name: string, call: ApiCall, given: Given): Promise<void> {
  const { options } = given
  const file = fileOf(given)
  const isLines = options['ndjson'] === true
  const target = file === undefined ? undefined : createWriteStream(file)
  const failed = target === undefined ? undefined : once(target, 'error').then(([cause]) => cause as Error)
  const write = async (text: string): Promise<void> => {
    if (target === undefined) return session.print.bytes(text)
    const written = new Promise<undefined>((resolve) => target.write(text, () => resolve(undefined)))
    const cause = await Promise.race([written, failed])
    if (cause !== undefined) throw notWritable(file ?? '', cause)
  }
  let count = 0
  let isRefused = false
  const onPage = async (page: Page): Promise<boolean> => {
    const texts = page.texts()
    if (isLines) await write(texts.map((text) => `${text}\n`).join(''))
    else if (texts.length > 0) await write(`${count === 0 ? '[' : ','}\n${texts.join(',\n')}`)
    count += texts.length
    return !session.print.isReaderGone()
  }
  const onRefusal = async (answer: ApiAnswer): Promise<void> => {
    isRefused = true
    await deliver(answer, count === 0 ? given : quietly(given), session)
  }
  const { readPages } = await import('../../pages.ts')
  const items = options['items'] as string | undefined
  await readPages(session.world, name, call, { items, onPage, onRefusal })
  if (count === 0 && !isRefused && items !== undefined && given.options['quiet'] !== true)
    process.stderr.write(`! Nothing stands at "${plain(items)}" in what the API answered.\n`)
  if (!isLines && !isRefused) await write(count === 0 ? '[]\n' : '\n]\n')
  target?.end()
}

/** Behind the items of the pages before, a refusal's body would be no part of the list. */
function quietly(given: Given): Given {
  return { ...given, options: { ...given.options, output: devNull, include: false } }
}

/** Prints the answer. Throws the failure that a status of 400 or more is. */
async function deliver(answer: ApiAnswer, given: Given, { print }: Session): Promise<void> {
  const [file, { include }] = [fileOf(given), given.options]
  if (include === true) await print.bytes(headText(answer))
  if (file !== undefined) await save(answer, file)
  else await print.bytes(answer.body)
  if (answer.status < 400) return
  const { title, scopes } = {
    title: answer.connection.snapshot.template.display_name ?? answer.connection.provider,
    scopes: answer.connection.scopes.granted,
  }
  const challenge = answer.headers.find(([name]) => name.toLowerCase() === 'www-authenticate')?.[1]
  throw new ProviderError(
    `HTTP_${answer.status}`,
    `${title} answered ${answer.status} ${answer.statusText || (STATUS_CODES[answer.status] ?? '')}`.trim(),
    {
      status: answer.status,
      words: challenge,
      hint: hintOf(answer.status, scopes, answer.connection.name),
    },
  )
}

function hintOf(status: number, scopes: readonly string[], name: string): string {
  if (status === 401)
    return `The API does not take this credential: auth-cli refresh ${name} --force renews what can be renewed; else connect again.`
  if (status === 403)
    return `The token may not do this. It has the scopes ${scopes.join(', ') || '(none)'}; connect again with others: --scope.`
  if (status === 404) return 'Check the path: it is joined to the base URL that auth-cli inspect shows.'
  if (status === 429) return 'Too many requests: wait as the answer says (-i shows its headers).'
  return 'The body above is what the API says of it.'
}

function headText(answer: ApiAnswer): string {
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${answer.status} ${answer.statusText}`.trimEnd(), ...lines, '', ''].join('\r\n')
}

/** The file that the answer goes to; undefined where that is stdout. */
function fileOf({ options }: Given): string | undefined {
  const output = options['output']
  return typeof output === 'string' && output !== '-' ? output : undefined
}

/** Nothing is sent whose answer would be lost. Throws MachineError `NOT_WRITABLE`. */
function assertWritable(file: string | undefined): void {
  if (file === undefined) return
  try {
    const isThere = existsSync(file)
    if (isThere && statSync(file).isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    accessSync(isThere ? file : dirname(file), constants.W_OK)
  } catch (cause) {
    throw notWritable(file, cause as Error)
  }
}

async function save(answer: ApiAnswer, file: string): Promise<void> {
  try {
    await pipeline(answer.body, createWriteStream(file))
  } catch (cause) {
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause
    throw notWritable(file, cause)
  }
}

function notWritable(file: string, cause: Error): MachineError {
  return new MachineError('NOT_WRITABLE', `${file} cannot be written: ${'code' in cause ? cause.code : ''}.`, {
    hint: 'Choose another file with -o.',
    cause,
  })
}

async function callOf(given: Given, target: string): Promise<ApiCall> {
  const { options } = given
  const headers = ((options['header'] as string[] | undefined) ?? []).map(headerOf)
  const data = options['data'] as string[] | undefined
  const { body: sent, length } = data === undefined ? {} : await bodyOf(data)
  const body = sent === undefined ? {} : { body: sent }
  const size: Header[] = length === undefined ? [] : [['content-length', String(length)]]
  const isTyped = headers.some(([name]) => name.toLowerCase() === 'content-type')
  const type: Header[] = data === undefined || isTyped ? [] : [['content-type', guessType(data, body.body)]]
  const method = String(options['request'] ?? (data === undefined ? 'GET' : 'POST'))
  if (!/^[A-Za-z]+$/.test(method)) throw new UsageError('BAD_FLAG', `"${method}" is not an HTTP method.`)
  return {
    method: method.toUpperCase(),
    target,
    headers: [...headers, ...type, ...size],
    ...body,
    allowHttp: options['allowHttp'] === true,
    retries: readNumber('--retry', options['retry'], 0, 20),
    logBodies: options['logBodies'] === true,
  }
}

/** `Name: value`; `Name:` leaves a header out. */
function headerOf(line: string): Header {
  const at = line.indexOf(':')
  const name = line.slice(0, at).trim()
  const value = line.slice(at + 1).trim()
  if (at < 1 || !/^[!#$%&'*+.^`|~\w-]+$/.test(name) || /[\r\n\0]/.test(value)) {
    throw new UsageError('BAD_FLAG', `-H wants "Name: value", not ${JSON.stringify(line)}.`)
  }
  return [name, value]
}

interface Body {
  readonly body?: ApiCall['body']
  /** Bytes of a stream, where they are known: many APIs take no other. */
  readonly length?: number
}

/** curl's letters: `@file`, `@-`; several are joined with `&`. One large file alone is streamed. */
async function bodyOf(data: readonly string[]): Promise<Body> {
  const [only = ''] = data
  if (data.length === 1 && only === '@-') return { body: await stdinBody() }
  if (data.length === 1 && only.startsWith('@')) return fileBody(only.slice(1))
  const parts: string[] = []
  for (const part of data) {
    if (part === '@-') parts.push(await readStdin())
    else parts.push(part.startsWith('@') ? readFileSync(openBody(part.slice(1)), 'utf8') : part)
  }
  return { body: parts.join('&') }
}

function fileBody(file: string): Body {
  const fd = openBody(file)
  const stats = fstatSync(fd)
  if (stats.isFile() && stats.size <= mostHeld) return { body: textOrBytes(readFileSync(fd)) }
  return { body: createReadStream('', { fd }), ...(stats.isFile() ? { length: stats.size } : {}) }
}

/** Bytes of a body that are held, so that the body can be sent a second time; what is longer is streamed. */
const mostHeld = 1024 * 1024

async function stdinBody(): Promise<ApiCall['body']> {
  const source = process.stdin[Symbol.asyncIterator]()
  const seen: Buffer[] = []
  for (let bytes = 0; bytes <= mostHeld; ) {
    const { value, done } = await source.next()
    if (done === true) return textOrBytes(Buffer.concat(seen))
    seen.push(Buffer.from(value))
    bytes += seen.at(-1)?.length ?? 0
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield* seen
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield Buffer.from(next.value)
  }
  return whole()
}

/** Bytes that are no UTF-8 stay bytes: an image must arrive as it is. */
function textOrBytes(bytes: Buffer): string | Uint8Array {
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : bytes
}

/** A file descriptor: what cannot be read is known before anything is sent. Throws UsageError `BAD_FLAG`. */
function openBody(file: string): number {
  try {
    const fd = openSync(file, 'r')
    if (!fstatSync(fd).isDirectory()) return fd
  } catch (cause) {
    throw unreadable(file, cause)
  }
  throw unreadable(file)
}

function unreadable(file: string, cause?: unknown): UsageError {
  const hint = 'Give the path of a file, or the body itself; @- reads stdin.'
  return new UsageError('BAD_FLAG', `-d names the file ${JSON.stringify(file)}, which cannot be read.`, { hint, cause })
}

/** curl calls every -d a form; people who send JSON mean JSON. */
function guessType(data: readonly string[], body: ApiCall['body']): string {
  const isJson = typeof body === 'string' ? /^\s*[{[]/.test(body) : data[0]?.endsWith('.json')
  return isJson ? 'application/json' : 'application/x-www-form-urlencoded'
}
