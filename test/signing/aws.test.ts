import { describe, expect, it } from 'vitest'
import { awsAuthorization, canonicalQuery } from '../../src/signing/aws.ts'

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
})
