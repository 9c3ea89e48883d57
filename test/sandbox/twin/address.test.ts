import { expect, test } from 'vitest'
import { originalUrl, twinAddress } from '../../../src/sandbox/twin/address.ts'

test.each([
  ['https://acme.zendesk.com/oauth/tokens?x=1', '/-/https/acme.zendesk.com/oauth/tokens?x=1'],
  ['http://127.0.0.1:8080/a%2Fb//c', '/-/http/127.0.0.1:8080/a%2Fb//c'],
  ['https://[::1]:8443/', '/-/https/%5B%3A%3A1%5D%3A8443/'],
  ['https://api.example', '/-/https/api.example/'],
])('serves %s at its own place, and knows it again', (url, path) => {
  const address = twinAddress(4711, url)
  expect(address).toBe(`http://localhost:4711${path}`)
  const { pathname, search } = new URL(address)
  expect(originalUrl(pathname, search)?.href).toBe(new URL(url).href)
})

test('keeps the fragment, which a browser keeps to itself', () => {
  expect(twinAddress(1, 'https://a.example/x#y?z=1')).toBe('http://localhost:1/-/https/a.example/x#y?z=1')
})

test.each(['/', '/-/', '/-/ftp/a.example/', '/-/https/%zz/', '/-/https//x', '/oauth/tokens'])(
  'knows no URL of the provider behind %s',
  (path) => expect(originalUrl(path, '')).toBeUndefined(),
)
