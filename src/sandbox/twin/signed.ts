import { type Fields, fieldsOf, scalarText, textOf } from './fields.ts'
import { fill } from './fill.ts'
import { readJwt } from './jwt.ts'
import { jwtFlaws } from './jwt-check.ts'
import { samlFlaws } from './saml.ts'
import type { Stage } from './stage.ts'

const algorithms: Readonly<Record<string, string>> = { RSA: 'RS256', HMAC: 'HS256', EC: 'ES256' }

/** Everything that is wrong with the JWT that the template's `token` and `signature` describe. */
export function tokenFlaws(stage: Stage, text: string | undefined, what: string): readonly string[] {
  const { template, variants } = stage.part
  const [roots] = variants
  const token = fieldsOf(template['token'])
  const signature = fieldsOf(template['signature'])
  const header = fieldsOf(token['header'])
  const algorithm = textOf(header['alg']) ?? algorithms[textOf(signature['protocol']) ?? ''] ?? 'RS256'
  const secret = fill(textOf(token['signing_key']) ?? '', { roots, time: 0 }).text
  const isHex = signature['protocol'] === 'HMAC' && signature['hmac_secret_encoding'] !== 'utf8'
  const wish = {
    what,
    algorithm,
    key: isHex ? Buffer.from(secret, 'hex') : secret,
    header,
    claims: fieldsOf(token['payload']),
    lifetime: Math.floor(Number(token['expires_in_ms'] ?? 0) / 1000),
    needsIssued: true,
    roots,
  }
  return jwtFlaws(text, wish, stage.provider.now())
}

/** Everything that is wrong with the assertion that the template describes: SAML 2.0, or a JWT (RFC 7523 §3). */
export function assertionFlaws(stage: Stage, text: string | undefined): readonly string[] {
  const { template, variants } = stage.part
  const [roots] = variants
  const assertion = fieldsOf(template['assertion'])
  const now = stage.provider.now()
  if (assertion['type'] === 'saml') return samlFlaws(text, assertion, roots, now)
  const header = fieldsOf(assertion['header'])
  const wish = {
    what: 'the assertion',
    algorithm: textOf(header['alg']) ?? 'RS256',
    key: fill(textOf(assertion['key']) ?? '', { roots, time: 0 }).text,
    header,
    claims: fieldsOf(assertion['payload']),
    lifetime: Number(assertion['lifetimeInSeconds'] ?? 3600),
    needsIssued: false,
    roots,
  }
  const flaws = jwtFlaws(text, wish, now)
  return flaws.length > 0 || assertion['singleUse'] !== true ? flaws : reuseFlaws(stage, text ?? '')
}

/** An assertion that is good once is so by its `jti`. */
function reuseFlaws(stage: Stage, text: string): readonly string[] {
  const claims: Fields = readJwt(text)?.claims ?? {}
  const jti = scalarText(claims['jti'])
  if (!jti) return ['the assertion has no jti']
  return stage.provider.ledger.claim(`jti:${encodeURIComponent(jti)}`) ? [] : ['the assertion was used before']
}
