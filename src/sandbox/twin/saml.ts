import { createHash, verify } from 'node:crypto'
import { isSame } from '../seal.ts'
import { canonicalXml, scopeOf } from './c14n.ts'
import { type Demand, flawsOf } from './demand.ts'
import { type Fields, fieldsOf, scalarText, textsOf } from './fields.ts'
import { fill } from './fill.ts'
import { publicHalf } from './jwt.ts'
import { attributeOf, contentOf, descendants, type Element, elementsOf, localName, parseXml } from './xml.ts'

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'

const clockSkew = 60_000

/** The one element of that local name within another; undefined where there is none, or more than one. */
function only(element: Element | undefined, name: string): Element | undefined {
  const found = element === undefined ? [] : descendants(element, name)
  return found.length === 1 ? found[0] : undefined
}

const algorithm = (element: Element | undefined, name: string): string | undefined => {
  const found = only(element, name)
  return found && attributeOf(found, 'Algorithm')
}

const spaceless = (element: Element | undefined): string => (element ? contentOf(element).replace(/\s+/g, '') : '')

/** Why the enveloped signature (XML-DSig) of an assertion does not cover it, or undefined when it does. */
function signatureFlaw(root: Element, key: string): string | undefined {
  const signature = elementsOf(root).find((child) => localName(child) === 'Signature')
  if (!signature || descendants(root, 'Signature').length !== 1) return 'the assertion has no signature of its own'
  const info = only(signature, 'SignedInfo')
  const reference = only(info, 'Reference')
  if (!info || !reference) return 'the signature has not exactly one SignedInfo and Reference'
  if (algorithm(info, 'CanonicalizationMethod') !== exclusive) return `SignedInfo is not canonicalized by ${exclusive}`
  if (algorithm(info, 'SignatureMethod') !== rsaSha256) return `the signature method is not ${rsaSha256}`
  if (algorithm(reference, 'DigestMethod') !== sha256) return `the digest method is not ${sha256}`
  const transforms = descendants(reference, 'Transform').map((one) => attributeOf(one, 'Algorithm'))
  if (transforms.join() !== `${enveloped},${exclusive}`)
    return 'the transforms are not enveloped-signature and exc-c14n'
  const uri = attributeOf(reference, 'URI')
  if (uri !== '' && uri !== `#${attributeOf(root, 'ID')}`) return 'the signature refers to something else'
  const digest = createHash('sha256')
    .update(canonicalXml(root, new Map(), signature))
    .digest('base64')
  if (!isSame(digest, spaceless(only(reference, 'DigestValue')))) return 'the digest of the assertion is another'
  const half = publicHalf(key)
  const signed = canonicalXml(info, scopeOf(root, info) ?? new Map())
  const value = Buffer.from(spaceless(only(signature, 'SignatureValue')), 'base64')
  return half !== undefined && verify('sha256', Buffer.from(signed), half, value)
    ? undefined
    : 'the signature was not made with the issued key'
}

/** Why a time is not on the right side of now, or undefined. */
function timeFlaw(
  element: Element | undefined,
  name: string,
  now: number,
  lifetime: number,
  isNeeded: boolean,
): string | undefined {
  const text = element && attributeOf(element, name)
  if (text === undefined) return isNeeded ? `there is no ${name}` : undefined
  const time = Date.parse(text)
  if (Number.isNaN(time)) return `${name} is no time`
  if (name === 'NotBefore') return time <= now + clockSkew ? undefined : 'NotBefore is in the future'
  if (time <= now) return `${name} is over`
  return time <= now + lifetime * 1000 + clockSkew ? undefined : `${name} is later than ${lifetime} seconds from now`
}

/** What the template wants to be said in the assertion. */
function contentDemands(root: Element, wish: Fields): readonly Demand[] {
  const demand = (what: string, text: unknown, actual: string | undefined): readonly Demand[] => {
    const wanted = scalarText(text)
    return wanted === undefined ? [] : [{ what, text: wanted, actual, hasAlternatives: false }]
  }
  const content = (name: string): string | undefined => {
    const found = only(root, name)
    return found && contentOf(found).trim()
  }
  const statement = only(root, 'AuthnStatement')
  const data = only(root, 'SubjectConfirmationData')
  const attributes = Object.entries(fieldsOf(wish['attributes'])).flatMap(([name, text]) => {
    const found = descendants(root, 'Attribute').filter((one) => attributeOf(one, 'Name') === name)
    const value = found.length === 1 ? only(found[0], 'AttributeValue') : undefined
    return demand(`the attribute ${name}`, text, value && contentOf(value))
  })
  return [
    ...demand('the Issuer', wish['issuer'], content('Issuer')),
    ...demand('the NameID', wish['nameIdentifier'], content('NameID')),
    ...demand('the Recipient', wish['recipient'], data && attributeOf(data, 'Recipient')),
    ...demand('the SessionIndex', wish['sessionIndex'], statement && attributeOf(statement, 'SessionIndex')),
    ...attributes,
  ]
}

/** Everything that is wrong with a SAML 2.0 bearer assertion (RFC 7522 §3), base64-encoded; nothing where it is good. */
export function samlFlaws(text: string | undefined, wish: Fields, roots: Fields, now: number): readonly string[] {
  const root = parseXml(Buffer.from(text ?? '', 'base64').toString())
  if (root === undefined || localName(root) !== 'Assertion') return ['the assertion is no SAML assertion in base64']
  const lifetime = Number(wish['lifetimeInSeconds'] ?? 300)
  const key = scalarText(wish['key'])
  const signature = key === undefined ? undefined : signatureFlaw(root, fill(key, { roots, time: 0 }).text)
  const confirmation = only(root, 'SubjectConfirmation')
  const data = only(root, 'SubjectConfirmationData')
  const conditions = only(root, 'Conditions')
  const audiences = descendants(root, 'Audience').map((one) => contentOf(one).trim())
  const wanted = [scalarText(wish['audiences']) ?? '', ...textsOf(wish['audiences'])]
    .filter(Boolean)
    .map((one) => fill(one, { roots, time: 0 }).text)
  const flaws = [
    signature,
    attributeOf(root, 'Version') === '2.0' ? undefined : 'the assertion is not of SAML 2.0',
    /^[A-Za-z_][\w.-]*$/.test(attributeOf(root, 'ID') ?? '') ? undefined : 'the assertion has no proper ID',
    Number.isNaN(Date.parse(attributeOf(root, 'IssueInstant') ?? '')) ? 'there is no IssueInstant' : undefined,
    confirmation && attributeOf(confirmation, 'Method') === bearer
      ? undefined
      : `the subject is not confirmed by ${bearer}`,
    timeFlaw(data, 'NotOnOrAfter', now, lifetime, true),
    timeFlaw(conditions, 'NotBefore', now, lifetime, false),
    timeFlaw(conditions, 'NotOnOrAfter', now, lifetime, true),
    ...wanted.map((one) => (audiences.includes(one) ? undefined : `the audience is not "${one}"`)),
  ]
  return [...flaws.filter((flaw) => flaw !== undefined), ...flawsOf(contentDemands(root, wish), [roots], now)]
}
