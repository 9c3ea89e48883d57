import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { baseString, type OAuth1Request, oauth1Authorization, signatureOf } from '../../src/signing/oauth1.ts'

const photos: OAuth1Request = {
  method: 'POST',
  url: 'https://photos.example.net/initiate',
  consumerKey: 'dpf43f3p2l4k3l03',
  consumerSecret: 'kd94hf93k423kf44',
  signatureMethod: 'HMAC-SHA1',
  timestamp: 137131200,
  nonce: 'wIjqoS',
  isVersioned: false,
}

describe('the examples of RFC 5849', () => {
  test.each<[string, Partial<OAuth1Request>, string]>([
    [
      '§1.2, temporary credentials',
      { protocol: { oauth_callback: 'http://printer.example.com/ready' } },
      '74KNZJeDHnMBp0EMJ9ZHt/XKycU=',
    ],
    [
      '§1.2, token credentials',
      {
        url: 'https://photos.example.net/token',
        token: 'hh5s93j4hdidpola',
        tokenSecret: 'hdhd0244k9j7ao03',
        timestamp: 137131201,
        nonce: 'walatlh',
        protocol: { oauth_verifier: 'hfdp7dh39dks9884' },
      },
      'gKgrFCywp7rO0OXSjdot/IHF7IU=',
    ],
    [
      '§1.2, the photo',
      {
        method: 'GET',
        url: 'http://photos.example.net/photos?file=vacation.jpg&size=original',
        token: 'nnch734d00sl2jdk',
        tokenSecret: 'pfkkdhi9sl3r4s00',
        timestamp: 137131202,
        nonce: 'chapoH',
      },
      'MdpQcU8iPSUjWoN/UDMsK2sui9I=',
    ],
  ])('are signed alike: %s', (_, more, signature) => {
    expect(signatureOf({ ...photos, ...more })).toBe(signature)
    expect(oauth1Authorization({ ...photos, ...more })).toContain(`oauth_signature="${encodeURIComponent(signature)}"`)
  })

  it('have the same base string, byte for byte (§3.4.1.1)', () => {
    const request: OAuth1Request = {
      ...photos,
      url: 'http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b#part',
      form: 'c2&a3=2+q',
      consumerKey: '9djdj82h48djs9d2',
      token: 'kkk9d7dh3k39sjv7',
      timestamp: 137131201,
      nonce: '7d8f3e4a',
    }
    expect(baseString(request)).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    )
  })

  test.each([
    ['http://EXAMPLE.COM:80/r%20v/X?id=123', 'http://example.com/r%20v/X'],
    ['https://www.example.net:8080/?q=1', 'https://www.example.net:8080/'],
  ])('have the same base URI (§3.4.1.2): %s', (url, uri) => {
    expect(decodeURIComponent(baseString({ ...photos, url }).split('&')[1] ?? '')).toBe(uri)
  })
})

it('signs as the guide of a large provider does', () => {
  const signature = signatureOf({
    method: 'post',
    url: 'https://api.twitter.com/1.1/statuses/update.json?include_entities=true',
    form: 'status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21',
    consumerKey: 'xvz1evFS4wEEPTGEFPHBog',
    consumerSecret: 'kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw',
    token: '370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb',
    tokenSecret: 'LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE',
    signatureMethod: 'HMAC-SHA1',
    timestamp: 1318622958,
    nonce: 'kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg',
  })
  expect(signature).toBe('hCtSmYh+iHYCEqBWrE7C7hYmtUk=')
})

describe('the methods', () => {
  it('encode all but unreserved characters, in keys as in values, and sort what was encoded', () => {
    const request: OAuth1Request = {
      ...photos,
      url: "https://x.example/a?x=!*'()~ü+%20%2B&x=&X=1&a%5B%5D=2&a=3",
      consumerSecret: 'a&b ü',
      signatureMethod: 'PLAINTEXT',
      tokenSecret: '%',
    }
    expect(signatureOf(request)).toBe('a%26b%20%C3%BC&%25')
    expect(decodeURIComponent(baseString(request).split('&')[2] ?? '')).toBe(
      'X=1&a=3&a%5B%5D=2&oauth_consumer_key=dpf43f3p2l4k3l03&oauth_nonce=wIjqoS&oauth_signature_method=PLAINTEXT&oauth_timestamp=137131200&x=&x=%21%2A%27%28%29~%C3%BC%20%20%2B',
    )
  })

  it('differ in the hash: HMAC-SHA256', () => {
    const request: OAuth1Request = { ...photos, signatureMethod: 'HMAC-SHA256', tokenSecret: 's' }
    const expected = createHmac('sha256', 'kd94hf93k423kf44&s').update(baseString(request)).digest('base64')
    expect(signatureOf(request)).toBe(expected)
  })

  it('sign with a private key: RSA-SHA1', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const consumerSecret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const request: OAuth1Request = { ...photos, signatureMethod: 'RSA-SHA1', consumerSecret, tokenSecret: 'unused' }
    const signature = Buffer.from(signatureOf(request), 'base64')
    expect(verify('sha1', Buffer.from(baseString(request)), createPublicKey(privateKey), signature)).toBe(true)
  })
})

it('writes the header with its realm first, and the version unless told otherwise', () => {
  expect(oauth1Authorization({ ...photos, signatureMethod: 'PLAINTEXT', realm: 'a"b', isVersioned: true })).toBe(
    'OAuth realm="a\\"b", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="PLAINTEXT", oauth_timestamp="137131200", oauth_nonce="wIjqoS", oauth_version="1.0", oauth_signature="kd94hf93k423kf44%26"',
  )
})
