import { createHash, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { samlAssertion, samlEnd } from '../../src/signing/saml.ts'
import { readXml } from '../../src/signing/xml.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const about = {
  id: '_1',
  issuer: 'www.issuer.example',
  nameIdentifier: 'ada & co',
  audiences: ['a', 'b'],
  recipient: 'https://x.example/token?a=b&c',
  sessionIndex: 's-1',
  attributes: { api_key: 'k<1>', use_username: true, count: 3, many: ['x', 'y'] },
  now: new Date('2026-11-27T12:00:00Z'),
  lifetimeInSeconds: 300,
}

async function made(key: string | undefined = pem): Promise<string> {
  const signed = await samlAssertion(about, key)
  if ('why' in signed) throw new Error(signed.why)
  return Buffer.from(signed.assertion, 'base64').toString('utf8')
}

/** Exclusive canonical form, by hand: what we write has it already but for namespaces that are not used and empty tags. */
function canonical(element: string, namespace: string): string {
  const opened = element.replace(/<([\w:]+)((?:\s[^<>]*?)?)\/>/g, '<$1$2></$1>')
  return opened.replace(/^<([\w:]+)/, `<$1${opened.includes(namespace) ? '' : ` ${namespace}`}`)
}

describe('a SAML assertion', () => {
  it('says who vouches for whom, to whom, and for how long', async () => {
    const { 'saml:Assertion': assertion } = (await readXml(await made(undefined))) ?? {}
    expect(assertion).toMatchObject({
      $ID: '_1',
      $Version: '2.0',
      'saml:Issuer': 'www.issuer.example',
      'saml:Subject': {
        'saml:NameID': { '#text': 'ada & co' },
        'saml:SubjectConfirmation': {
          $Method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
          'saml:SubjectConfirmationData': { $Recipient: about.recipient, $NotOnOrAfter: '2026-11-27T12:05:00.000Z' },
        },
      },
      'saml:Conditions': {
        $NotBefore: '2026-11-27T12:00:00.000Z',
        $NotOnOrAfter: '2026-11-27T12:05:00.000Z',
        'saml:AudienceRestriction': { 'saml:Audience': ['a', 'b'] },
      },
      'saml:AuthnStatement': { $SessionIndex: 's-1' },
    })
    const text = JSON.stringify(assertion)
    expect(text).toContain('"$Name":"api_key"')
    expect(text).toContain('{"$xsi:type":"xs:boolean","#text":"true"}')
    expect(text).toContain('{"$xsi:type":"xs:integer","#text":"3"}')
    expect(text).toContain('[{"$xsi:type":"xs:string","#text":"x"},{"$xsi:type":"xs:string","#text":"y"}]')
  })

  it('is signed behind its issuer, by RSA over its exclusive canonical form', async () => {
    const xml = await made()
    const [signature = ''] = /<ds:Signature[\s\S]*<\/ds:Signature>/.exec(xml) ?? []
    expect(xml.indexOf(signature)).toBe(xml.indexOf('</saml:Issuer>') + '</saml:Issuer>'.length)
    const [signedInfo = ''] = /<ds:SignedInfo>[\s\S]*<\/ds:SignedInfo>/.exec(signature) ?? []
    const [, value = ''] = /<ds:SignatureValue>([^<]*)</.exec(signature) ?? []
    const canon = canonical(signedInfo, 'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"')
    expect(verify('sha256', Buffer.from(canon), publicKey, Buffer.from(value, 'base64'))).toBe(true)
    expect(signedInfo).toContain('"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"')
    expect(signedInfo).toContain('<ds:Reference URI="#_1">')
    const [, digest] = /<ds:DigestValue>([^<]*)</.exec(signature) ?? []
    expect(digest).toBe(
      createHash('sha256')
        .update(digested(xml.replace(signature, '')))
        .digest('base64'),
    )
  })

  it('tells when it is over', async () => {
    expect(samlEnd(Buffer.from(await made()).toString('base64'))).toBe(Date.parse('2026-11-27T12:05:00Z'))
    expect(samlEnd('nonsense')).toBeUndefined()
  })

  it('is refused for a key that is none, or none of RSA', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    expect(await samlAssertion(about, 'no key')).toEqual({ why: expect.stringMatching(/^cannot be read/) })
    expect(await samlAssertion(about, ec.export({ type: 'pkcs8', format: 'pem' }).toString())).toEqual({
      why: expect.stringMatching(/^is no RSA key/),
    })
  })
})

/** The assertion as its digest is made: empty tags opened, each namespace where it is first used, attributes in order. */
function digested(xml: string): string {
  return xml
    .replace(/<([\w:]+)((?:\s[^<>]*?)?)\/>/g, '<$1$2></$1>')
    .replace(/<saml:Assertion [^>]*>/, (tag) => {
      const attribute = (name: string): string => new RegExp(`\\s${name}="[^"]*"`).exec(tag)?.[0] ?? ''
      return `<saml:Assertion${attribute('xmlns:saml')}${attribute('ID')}${attribute('IssueInstant')}${attribute('Version')}>`
    })
    .replace(
      /<saml:AttributeValue xsi:type/g,
      `<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type`,
    )
}
