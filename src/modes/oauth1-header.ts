import { createPrivateKey } from 'node:crypto'
import { TemplateError, UsageError } from '../model/errors.ts'
import { wrapped } from '../signing/key.ts'
import { type OAuth1Request, oauth1Authorization, type SignatureMethod } from '../signing/oauth1.ts'
import { headerOf } from '../wire/record.ts'
import type { Moment, Unsigned } from './mode.ts'

/** Who signs, and how. */
export interface Signer extends Pick<OAuth1Request, 'consumerKey' | 'token' | 'tokenSecret' | 'protocol' | 'realm'> {
  /** For `RSA-SHA1` a private key, PEM in any wrapping. */
  readonly consumerSecret: string
  /** The template's `signature_method`; HMAC-SHA1 where it names none. */
  readonly method?: unknown
}

const methods: readonly SignatureMethod[] = ['HMAC-SHA1', 'HMAC-SHA256', 'RSA-SHA1', 'PLAINTEXT']

/**
 * The Authorization header of OAuth 1.0a over a request as it will be sent; a form in its body is signed too. Throws
 * TemplateError `TEMPLATE_INVALID`, UsageError `BAD_KEY`.
 */
export function oauth1Header(request: Unsigned, { now, random }: Moment, signer: Signer): string {
  const { method: asked = 'HMAC-SHA1', consumerSecret, ...rest } = signer
  const signatureMethod = methods.find((one) => one === asked)
  if (signatureMethod === undefined)
    throw new TemplateError('TEMPLATE_INVALID', `signature_method is ${JSON.stringify(asked)}, which is not known.`, {
      hint: `Write one of ${methods.join(', ')} into the template.`,
    })
  const isForm = /^\s*application\/x-www-form-urlencoded\b/i.test(headerOf(request.headers, 'content-type'))
  return oauth1Authorization({
    ...rest,
    method: request.method,
    url: request.url,
    ...(isForm && typeof request.body === 'string' ? { form: request.body } : {}),
    consumerSecret: signatureMethod === 'RSA-SHA1' ? privateKey(consumerSecret) : consumerSecret,
    signatureMethod,
    timestamp: Math.floor(now.getTime() / 1000),
    nonce: Buffer.from(random(16)).toString('hex'),
  })
}

function privateKey(text: string): string {
  const pem = wrapped(text)
  try {
    createPrivateKey(pem)
  } catch {
    throw new UsageError('BAD_KEY', 'The client secret is no private key in PEM, and RSA-SHA1 signs with one.', {
      hint: 'Give it with --client-secret -, or file:PATH.',
    })
  }
  return pem
}
