import { describe, expect, it } from 'vitest'
import { assertSecure, isLoopback } from '../../src/wire/secure.ts'

describe('plain http', () => {
  it.each(['localhost', 'LOCALHOST', 'a.localhost', '127.0.0.1', '127.255.0.9', '[::1]', '::1'])(
    'is allowed to %s, which is this machine',
    (host) => {
      expect(isLoopback(host)).toBe(true)
      expect(() =>
        assertSecure(`http://${host.includes('::') ? '[::1]' : host}/token`, false, 'token_url'),
      ).not.toThrow()
    },
  )

  it.each([
    'provider.test',
    'localhost.provider.test',
    'notlocalhost',
    '127.0.0.1.provider.test',
    '128.0.0.1',
    '10.0.0.1',
    '0.0.0.0',
    '[::2]',
    '[::ffff:127.0.0.1]',
  ])('is refused to %s, unless a flag allows it', (host) => {
    expect(() => assertSecure(`http://${host}/token`, false, 'token_url')).toThrow(
      expect.objectContaining({ code: 'INSECURE_URL', exitCode: 2 }),
    )
    expect(() => assertSecure(`http://${host}/token`, true, 'token_url')).not.toThrow()
  })

  it('is the only thing that the flag allows', () => {
    expect(() => assertSecure('https://provider.test/', false, 'token_url')).not.toThrow()
    expect(() => assertSecure('ftp://provider.test/', true, 'token_url')).toThrow('token_url')
  })
})
