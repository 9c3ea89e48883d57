import { flawOfKey, privateKeyIn } from './key.ts'
import { writeXml } from './xml.ts'

/** An assertion about a person for a provider to trust (SAML 2.0 Core §2.3), complete but for its signature. */
export interface SamlAssertion {
  /** XML ID: it begins with a letter or an underscore. */
  readonly id: string
  readonly issuer: string
  readonly nameIdentifier?: string | undefined
  readonly audiences: readonly string[]
  readonly recipient?: string | undefined
  readonly sessionIndex?: string | undefined
  /** Each with its type: texts, numbers, true, false; a list is several values. */
  readonly attributes: Readonly<Record<string, unknown>>
  readonly now: Date
  readonly lifetimeInSeconds: number
}

/** The assertion in base64, or why it cannot be signed, as the end of a sentence whose subject is the key. */
export type Asserted = { readonly assertion: string } | { readonly why: string }

const namespaces = {
  '$xmlns:saml': 'urn:oasis:names:tc:SAML:2.0:assertion',
  '$xmlns:xs': 'http://www.w3.org/2001/XMLSchema',
  '$xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
}

/** Signed by RSA with SHA-256, canonicalised exclusively, the signature behind the issuer; unsigned where there is no key. */
export async function samlAssertion(assertion: SamlAssertion, key: string | undefined): Promise<Asserted> {
  const xml = await writeXml({ 'saml:Assertion': membersOf(assertion) })
  if (key === undefined) return { assertion: base64(xml) }
  const privateKey = privateKeyIn(key)
  if (privateKey === undefined) return { why: flawOfKey(key) }
  if (privateKey.asymmetricKeyType !== 'rsa') return { why: 'is no RSA key, which a SAML assertion is signed with' }
  const { SignedXml } = await import('xml-crypto')
  const signer = new SignedXml({
    privateKey,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  })
  signer.addReference({
    xpath: "/*[local-name(.)='Assertion']",
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'],
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  })
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: "/*[local-name(.)='Assertion']/*[local-name(.)='Issuer']", action: 'after' },
  })
  return { assertion: base64(signer.getSignedXml()) }
}

function membersOf(assertion: SamlAssertion): Readonly<Record<string, unknown>> {
  const { id, issuer, nameIdentifier, audiences, recipient, sessionIndex, attributes, now } = assertion
  const issued = instant(now)
  const end = instant(new Date(now.getTime() + assertion.lifetimeInSeconds * 1000))
  const confirmation = { $NotOnOrAfter: end, ...(recipient === undefined ? {} : { $Recipient: recipient }) }
  return {
    ...namespaces,
    $ID: id,
    $Version: '2.0',
    $IssueInstant: issued,
    'saml:Issuer': issuer,
    'saml:Subject': {
      ...(nameIdentifier === undefined ? {} : { 'saml:NameID': named(nameIdentifier) }),
      'saml:SubjectConfirmation': {
        $Method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
        'saml:SubjectConfirmationData': confirmation,
      },
    },
    'saml:Conditions': {
      $NotBefore: issued,
      $NotOnOrAfter: end,
      ...(audiences.length === 0 ? {} : { 'saml:AudienceRestriction': { 'saml:Audience': audiences } }),
    },
    'saml:AuthnStatement': {
      $AuthnInstant: issued,
      ...(sessionIndex === undefined ? {} : { $SessionIndex: sessionIndex }),
      'saml:AuthnContext': { 'saml:AuthnContextClassRef': 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified' },
    },
    ...(Object.keys(attributes).length === 0
      ? {}
      : { 'saml:AttributeStatement': { 'saml:Attribute': Object.entries(attributes).map(attribute) } }),
  }
}

function named(name: string): Readonly<Record<string, string>> {
  return { $Format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified', '#text': name }
}

function attribute([name, value]: readonly [string, unknown]): Readonly<Record<string, unknown>> {
  const values = [value].flat().map((one) => ({ '$xsi:type': typeOf(one), '#text': one }))
  return {
    $Name: name,
    $NameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified',
    'saml:AttributeValue': values,
  }
}

function typeOf(value: unknown): string {
  if (typeof value === 'boolean') return 'xs:boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'xs:integer' : 'xs:double'
  return 'xs:string'
}

/** SAML 2.0 Core §1.3.3: UTC. */
function instant(date: Date): string {
  return date.toISOString()
}

function base64(xml: string): string {
  return Buffer.from(xml, 'utf8').toString('base64')
}

/** When an assertion is over, in milliseconds since the epoch; undefined where the text is none or does not say. */
export function samlEnd(assertion: string): number | undefined {
  const xml = Buffer.from(assertion, 'base64').toString('utf8')
  const [, end] = /Conditions\b[^>]*\bNotOnOrAfter="([^"]+)"/.exec(xml) ?? []
  const instantOfEnd = end === undefined ? Number.NaN : Date.parse(end)
  return Number.isNaN(instantOfEnd) ? undefined : instantOfEnd
}
