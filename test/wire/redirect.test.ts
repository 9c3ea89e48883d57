import { describe, expect, it } from 'vitest'
import type { AnswerSource } from '../../src/model/integration.ts'
import type { RedirectUriHints } from '../../src/model/provider.ts'
import { redirection } from '../../src/wire/redirect.ts'

const both = ['127.0.0.1', '::1']
const by = <T>(value: T, from: AnswerSource = 'flag') => ({ value, from })

describe('the redirect URI and the listener that belongs to it', () => {
  it.each<[string, Parameters<typeof redirection>[0], string, object]>([
    [
      'is the fixed one by default',
      { title: 'P' },
      'http://localhost:8749/oauth/callback',
      { port: 8749, addresses: both, paths: ['/oauth/callback'] },
    ],
    [
      'moves with --port alone',
      { title: 'P', port: by(9000) },
      'http://localhost:9000/oauth/callback',
      { port: 9000, addresses: both, paths: ['/oauth/callback'] },
    ],
    [
      'takes a free port with --port 0',
      { title: 'P', port: by(0) },
      'http://localhost:0/oauth/callback',
      { port: 0, addresses: both, paths: ['/oauth/callback'] },
    ],
    [
      'takes a free port where the provider takes any',
      { title: 'P', hints: { port: 'any' } },
      'http://localhost:0/oauth/callback',
      { port: 0, addresses: both, paths: ['/oauth/callback'] },
    ],
    [
      'has the host that the provider wants, and listens on its family alone',
      { title: 'P', hints: { host: '127.0.0.1' } },
      'http://127.0.0.1:8749/oauth/callback',
      { port: 8749, addresses: ['127.0.0.1'], paths: ['/oauth/callback'] },
    ],
    [
      "is the person's loopback URL, with its port and path",
      { title: 'P', callbackUrl: by('http://localhost:3000/cb') },
      'http://localhost:3000/cb',
      { port: 3000, addresses: both, paths: ['/cb'] },
    ],
    [
      'serves https itself on a loopback host, at the port that the browser goes to',
      { title: 'P', hints: { https: true }, callbackUrl: by('https://app.localhost:8749/cb') },
      'https://app.localhost:8749/cb',
      { port: 8749, addresses: both, paths: ['/cb'], secureHost: 'app.localhost' },
    ],
    [
      'serves https on the usual port and for an address too',
      { title: 'P', callbackUrl: by('https://[::1]/cb') },
      'https://[::1]/cb',
      { port: 443, addresses: ['::1'], paths: ['/cb'], secureHost: '::1' },
    ],
    [
      'speaks http behind what serves https for the person at another port',
      { title: 'P', callbackUrl: by('https://localhost:3000/cb'), port: by(4000) },
      'https://localhost:3000/cb',
      { port: 4000, addresses: both, paths: ['/oauth/callback', '/cb'], foreignHost: 'localhost:3000' },
    ],
    [
      'listens on IPv6 alone for [::1]',
      { title: 'P', callbackUrl: by('http://[::1]:3000/cb') },
      'http://[::1]:3000/cb',
      { port: 3000, addresses: ['::1'], paths: ['/cb'] },
    ],
    [
      'keeps every byte of it',
      { title: 'P', callbackUrl: by('http://LOCALHOST:3000/cb?x=%20&y') },
      'http://LOCALHOST:3000/cb?x=%20&y',
      { port: 3000, addresses: both, paths: ['/cb'] },
    ],
    [
      'listens elsewhere with --port, for its Host too',
      { title: 'P', callbackUrl: by('http://localhost:3000/cb'), port: by(4000) },
      'http://localhost:3000/cb',
      { port: 4000, addresses: both, paths: ['/cb', '/oauth/callback'], foreignHost: 'localhost:3000' },
    ],
    [
      'is not moved by a port that was set for good',
      { title: 'P', callbackUrl: by('http://localhost:3000/cb'), port: by(4000, 'config') },
      'http://localhost:3000/cb',
      { port: 3000, addresses: both, paths: ['/cb'] },
    ],
    [
      'is a URL of the person elsewhere, forwarded to us',
      { title: 'P', callbackUrl: by('https://acme.test/oauth-callback') },
      'https://acme.test/oauth-callback',
      { port: 8749, addresses: both, paths: ['/oauth/callback', '/oauth-callback'], foreignHost: 'acme.test' },
    ],
    [
      'is that URL with a port of ours',
      { title: 'P', callbackUrl: by('https://acme.test:8443/cb'), port: by(0) },
      'https://acme.test:8443/cb',
      { port: 0, addresses: both, paths: ['/oauth/callback', '/cb'], foreignHost: 'acme.test:8443' },
    ],
    [
      'serves a provider that wants https',
      { title: 'P', hints: { https: true }, callbackUrl: by('https://acme.test/cb') },
      'https://acme.test/cb',
      { port: 8749, addresses: both, paths: ['/oauth/callback', '/cb'], foreignHost: 'acme.test' },
    ],
  ])('%s', (_, wish, redirectUri, listening) => {
    expect(redirection(wish)).toEqual({ redirectUri, listening })
  })

  it.each<[string, RedirectUriHints, string | undefined, string]>([
    ['https', { https: true }, undefined, '308'],
    ['https', { https: true }, undefined, '--callback-url https://localhost:8749/oauth/callback'],
    ['https', { https: true }, 'http://localhost:3000/cb', '308'],
    ['the host 127.0.0.1', { host: '127.0.0.1' }, 'http://localhost:3000/cb', 'http://127.0.0.1:8749/oauth/callback'],
    ['a host that is not this machine', { host: 'acme.test' }, undefined, 'acme.test'],
  ])('stops before anything opens where the provider wants %s', (_, hints, url, way) => {
    const wish = { title: 'P', hints, ...(url === undefined ? {} : { callbackUrl: by(url) }) }
    expect(() => redirection(wish)).toThrow(
      expect.objectContaining({
        code: 'REDIRECT_URI_UNSUITABLE',
        exitCode: 2,
        hint: expect.stringContaining(way),
      }),
    )
  })

  it.each([
    'localhost:8749/cb',
    '/cb',
    'ftp://localhost/cb',
    'javascript:alert(1)',
    'http://localhost:3000/cb#x',
    'https://me:secret@acme.test/cb',
    'https://',
  ])('is refused as %s', (url) => {
    expect(() => redirection({ title: 'P', callbackUrl: by(url) })).toThrow(
      expect.objectContaining({ code: 'BAD_FLAG', exitCode: 2 }),
    )
  })
})
