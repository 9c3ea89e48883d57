import { describe, expect, it, test } from 'vitest'
import { type AwsRequest, awsAuthorization, awsPayloadHash, canonicalQuery } from '../../src/signing/aws.ts'

const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const base = {
  keyId: 'AKIDEXAMPLE',
  secret,
  region: 'us-east-1',
  service: 'service',
  host: 'example.amazonaws.com',
  method: 'GET',
  path: '/',
  query: '',
  body: '',
  contentType: '',
  now: new Date('2015-08-30T12:36:00Z'),
}
const signature = (header: string): string => header.replace(/^.*Signature=/, '')

describe('AWS Signature Version 4', () => {
  it('signs as the published examples do', () => {
    expect(signature(awsAuthorization(base))).toBe('5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31')
    expect(signature(awsAuthorization({ ...base, method: 'POST' }))).toBe(
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    )
    expect(signature(awsAuthorization({ ...base, query: 'Param2=value2&Param1=value1' }))).toBe(
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    )
  })

  it('signs the content type where one is told', () => {
    const header = awsAuthorization({
      ...base,
      service: 'iam',
      host: 'iam.amazonaws.com',
      query: 'Action=ListUsers&Version=2010-05-08',
      contentType: 'application/x-www-form-urlencoded; charset=utf-8',
    })
    expect(header).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    )
  })

  it('encodes the path once more, but not for S3', () => {
    const of = (service: string, path: string): string => signature(awsAuthorization({ ...base, service, path }))
    expect(of('service', '/a%20b')).not.toBe(of('service', '/a b'))
    expect(of('s3', '')).toBe(of('s3', '/'))
  })

  it('sorts the query and encodes it strictly', () => {
    expect(canonicalQuery('b=2&a=x+y&a=*&c')).toBe('a=%2A&a=x%20y&b=2&c=')
    expect(canonicalQuery('a=%zz')).toBe('a=%25zz')
    expect(canonicalQuery('')).toBe('')
  })

  it('signs a session token as the published suite does', () => {
    const token =
      'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='
    const header = awsAuthorization({ ...base, method: 'POST', headers: { 'x-amz-security-token': token } })
    expect(header).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,')
    expect(signature(header)).toBe('85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead')
  })

  const bucket = {
    ...base,
    keyId: 'AKIAIOSFODNN7EXAMPLE',
    secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    service: 's3',
    host: 'examplebucket.s3.amazonaws.com',
    now: new Date('2013-05-24T00:00:00Z'),
  }
  test.each<[string, Partial<AwsRequest>, string]>([
    [
      'an object',
      { path: '/test.txt', headers: { range: 'bytes=0-9' } },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'an upload',
      {
        method: 'PUT',
        path: '/test$file.text',
        body: 'Welcome to Amazon S3.',
        headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'a name alone in the query',
      { query: 'lifecycle' },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    ['a query', { query: 'max-keys=2&prefix=J' }, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ])('signs calls to S3 as its guide does: %s', (_, more, expected) => {
    const request: AwsRequest = { ...bucket, ...more }
    const headers = { ...request.headers, 'x-amz-content-sha256': awsPayloadHash(request.body) }
    expect(signature(awsAuthorization({ ...request, headers }))).toBe(expected)
  })

  it('hashes bytes as they are', () => {
    expect(awsPayloadHash(Uint8Array.of(0xff, 0x00))).toBe(awsPayloadHash(Buffer.from('ff00', 'hex')))
    expect(awsPayloadHash('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })
})
