import { createHash, createHmac } from 'node:crypto'

/** A request as AWS Signature Version 4 signs it. */
export interface AwsRequest {
  readonly keyId: string
  readonly secret: string
  readonly region: string
  readonly service: string
  readonly host: string
  readonly method: string
  /** As it stands in the URL, percent-encoded. */
  readonly path: string
  /** The query without its `?`. */
  readonly query: string
  readonly body: string | Uint8Array
  /** Signed too where it is not empty; must then be sent exactly so. */
  readonly contentType: string
  /** Further headers to sign, by their names in lower case; must then be sent exactly so. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Must be the instant that `x-amz-date` tells. */
  readonly now: Date
}

/** The instant as `x-amz-date` has it: `20150830T123600Z`. */
export function awsDate(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, '')
}

/** The `Authorization` header of AWS Signature Version 4, over `host`, `x-amz-date`, the content type and `headers`. */
export function awsAuthorization(request: AwsRequest): string {
  const { keyId, secret, region, service, host, contentType } = request
  const time = awsDate(request.now)
  const day = time.slice(0, 8)
  const all = {
    host,
    'x-amz-date': time,
    ...request.headers,
    ...(contentType === '' ? {} : { 'content-type': contentType }),
  }
  const headers = Object.entries(all)
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const signedHeaders = headers.map(([name]) => name).join(';')
  const canonical = [
    request.method.toUpperCase(),
    canonicalPath(request.path, service),
    canonicalQuery(request.query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signedHeaders,
    sha256(request.body),
  ].join('\n')
  const reach = `${day}/${region}/${service}/aws4_request`
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, reach, sha256(canonical)].join('\n')).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${keyId}/${reach}, SignedHeaders=${signedHeaders}, Signature=${signature}`
}

/** Every service but S3 wants the path, as it stands in the URL, encoded once more; S3 wants it encoded strictly. */
function canonicalPath(path: string, service: string): string {
  if (path === '') return '/'
  return path
    .split('/')
    .map((part) => strict(service === 's3' ? unescaped(part) : part))
    .join('/')
}

/** Pairs sorted by name and value, strictly percent-encoded. */
export function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return `${strict(decoded(name))}=${strict(decoded(value.join('=')))}`
    })
    .sort()
    .join('&')
}

function decoded(text: string): string {
  return unescaped(text.replaceAll('+', ' '), text)
}

function unescaped(text: string, otherwise = text): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return otherwise
  }
}

/** RFC 3986: all but unreserved characters. */
function strict(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}

/** What `x-amz-content-sha256` says of a body: lower-case hex. */
export function awsPayloadHash(body: string | Uint8Array): string {
  return sha256(body)
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}
