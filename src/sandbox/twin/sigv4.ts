import { createHash, createHmac } from 'node:crypto'
import { isSame } from '../seal.ts'
import { canonicalParams, strictlyEncoded } from './canonical.ts'
import type { Fields } from './fields.ts'
import { fill, helperCall, pieces } from './fill.ts'
import { type Call, headerOf } from './stage.ts'

/** Who is to have signed, for what. */
export interface SigV4Wish {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Absent: whatever the signature says. */
  readonly region?: string | undefined
  readonly service: string
  /** Has to be sent and signed (temporary credentials). */
  readonly sessionToken?: string | undefined
}

/** Milliseconds that AWS lets a clock be off. */
const skew = 5 * 60_000

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** What `${awsSigV4(id, secret, region, service[, host])}` of a header asks for. */
export function sigV4Wish(text: string, roots: Fields): SigV4Wish | undefined {
  for (const piece of pieces(text)) {
    const call = 'expression' in piece ? helperCall(piece.expression) : undefined
    if (call?.name !== 'awsSigV4') continue
    const [accessKeyId = '', secretAccessKey = '', region = '', service = ''] = call.inner
      .split(',')
      .map((one) => fill(one.trim(), { roots, time: 0 }).text)
    return { accessKeyId, secretAccessKey, region, service }
  }
  return undefined
}

const form =
  /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request *, *SignedHeaders=([\w;-]+) *, *Signature=([0-9a-f]{64})$/

interface Signature {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly headers: readonly string[]
  readonly signature: string
}

function readSignature(call: Call): Signature | undefined {
  const [, accessKeyId, date, region, service, headers, signature] =
    form.exec(headerOf(call, 'authorization')?.trim() ?? '') ?? []
  return accessKeyId && date && region && service && headers && signature
    ? { accessKeyId, date, region, service, headers: headers.split(';'), signature }
    : undefined
}

/** The access key that a call names, believed by nobody yet. */
export function accessKeyOf(call: Call): string | undefined {
  return readSignature(call)?.accessKeyId
}

/** Why the signature (AWS Signature Version 4) of a call is no good, or undefined when it is. */
export function signatureFlaw(call: Call, wish: SigV4Wish, now: number): string | undefined {
  const read = readSignature(call)
  if (read === undefined) return 'there is no Authorization header of AWS4-HMAC-SHA256'
  if (read.accessKeyId !== wish.accessKeyId) return 'the signature names another access key'
  if (read.service !== wish.service) return `the signature is for the service ${read.service}, not ${wish.service}`
  if (wish.region !== undefined && read.region !== wish.region) {
    return `the signature is for the region ${read.region}, not ${wish.region}`
  }
  const date = headerOf(call, 'x-amz-date') ?? ''
  const time = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!/^\d{8}T\d{6}Z$/.test(date) || Number.isNaN(time)) return 'x-amz-date is missing or no time'
  if (Math.abs(time - now) > skew) return 'x-amz-date is more than five minutes off'
  if (!date.startsWith(read.date)) return 'the credential scope is of another day than x-amz-date'
  const flaw = headerFlaw(call, read, wish)
  if (flaw !== undefined) return flaw
  const scope = `${read.date}/${read.region}/${read.service}/aws4_request`
  const wanted = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest(call, read))].join('\n')
  const key = [read.region, read.service, 'aws4_request'].reduce(hmac, hmac(`AWS4${wish.secretAccessKey}`, read.date))
  return isSame(hmac(key, wanted).toString('hex'), read.signature)
    ? undefined
    : 'the signature does not fit the request and the secret key'
}

function headerFlaw(call: Call, read: Signature, wish: SigV4Wish): string | undefined {
  const must = ['host', ...Object.keys(call.headers).filter((name) => name.startsWith('x-amz-'))]
  const unsigned = must.find((name) => !read.headers.includes(name))
  if (unsigned !== undefined) return `the header ${unsigned} is not signed`
  const isSorted = read.headers.every((name, index) => index === 0 || (read.headers[index - 1] ?? '') < name)
  if (!isSorted) return 'the signed headers are not in order'
  const hash = headerOf(call, 'x-amz-content-sha256')
  if (hash !== undefined && hash !== 'UNSIGNED-PAYLOAD' && hash !== sha256(call.bytes)) {
    return 'x-amz-content-sha256 is not the hash of the body'
  }
  if (read.service === 's3' && hash === undefined) return 'x-amz-content-sha256 is missing, which S3 wants'
  if (wish.sessionToken === undefined) return undefined
  return headerOf(call, 'x-amz-security-token') === wish.sessionToken
    ? undefined
    : 'x-amz-security-token is not the session token'
}

/** The canonical request; paths are encoded twice, but for S3. */
function canonicalRequest(call: Call, read: Signature): string {
  const headers = read.headers.map((name) => {
    const value = name === 'host' ? call.url.host : (headerOf(call, name) ?? '')
    return `${name}:${value.trim().replace(/ +/g, ' ')}\n`
  })
  const path = call.url.pathname.split('/').map((segment) => {
    const once = read.service === 's3' ? decoded(segment) : segment
    return strictlyEncoded(once)
  })
  const hash = headerOf(call, 'x-amz-content-sha256') ?? sha256(call.bytes)
  return [
    call.method,
    path.join('/') || '/',
    canonicalParams(call.url.searchParams),
    headers.join(''),
    read.headers.join(';'),
    hash,
  ].join('\n')
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
