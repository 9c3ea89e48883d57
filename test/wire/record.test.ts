import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthCliError } from '../../src/model/errors.ts'
import type { Exchange, Happening } from '../../src/model/event.ts'
import { preload } from '../../src/node/send.ts'
import { headerOf, record } from '../../src/wire/record.ts'
import { openEndpoint, roadOf, type ScriptedEndpoint } from '../support/token-endpoint.ts'

let endpoint: ScriptedEndpoint

beforeAll(async () => {
  preload()
  endpoint = await openEndpoint()
})
afterAll(() => endpoint.close())

const exchangesIn = (told: readonly Happening[]): Exchange[] =>
  told.flatMap((one) => (one.type === 'exchange' ? [one.exchange] : []))

describe('an exchange', () => {
  it('is told as it crossed: method, URL, headers both ways, bodies, status, timing, peer', async () => {
    const { world, told } = roadOf()
    endpoint.answer('/token', {
      headers: { 'Content-Type': 'application/json', 'X-Twice': ['a', 'b'] },
      body: { access_token: 'a-secret-token-of-some-length', n: 1 },
    })
    const answer = await record(
      world,
      (one) => void told.push(one),
      'token',
    )({
      method: 'POST',
      url: `${endpoint.origin}/token?tenant=a`,
      headers: [
        ['Authorization', 'Basic c2VjcmV0OnNlY3JldA=='],
        ['Content-Type', 'application/x-www-form-urlencoded'],
      ],
      body: 'grant_type=authorization_code&code=a-secret-code',
    })
    expect(JSON.parse(answer.text)).toEqual({ access_token: 'a-secret-token-of-some-length', n: 1 })
    const [exchange, ...more] = exchangesIn(told)
    expect(more).toEqual([])
    expect(exchange).toMatchObject({
      purpose: 'token',
      method: 'POST',
      url: `${endpoint.origin}/token?tenant=a`,
      request: { body: expect.stringMatching(/^grant_type=authorization_code&code=…\([0-9a-f]{4}\)$/) },
      response: { status: 200, statusText: 'OK', bytes: 54 },
      timing: { total: expect.any(Number) },
      peer: expect.stringContaining('127.0.0.1'),
    })
    const headers = exchange?.response?.headers ?? []
    expect(headers.filter(([name]) => name === 'X-Twice').map(([, value]) => value)).toEqual(['a', 'b'])
    expect(exchange?.request.headers).toContainEqual(['Authorization', expect.stringMatching(/^Basic .*…\(/)])
    const said = JSON.stringify(told)
    for (const one of ['a-secret-token', 'a-secret-code', 'c2VjcmV0']) expect(said).not.toContain(one)
  })

  it('is told too when no answer came', async () => {
    const { world, told } = roadOf()
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as { port: number }
    await new Promise((resolve) => closed.close(resolve))
    const failure = await record(
      world,
      (one) => void told.push(one),
      'token',
    )({
      method: 'GET',
      url: `http://127.0.0.1:${port}/`,
      headers: [],
    }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AuthCliError)
    expect(exchangesIn(told)).toMatchObject([{ purpose: 'token', failure: { code: (failure as AuthCliError).code } }])
    expect(exchangesIn(told)[0]?.response).toBeUndefined()
  })

  it('ends with the reason that the whole flow ends with', async () => {
    const controller = new AbortController()
    const reason = new AuthCliErrorOfTest()
    const { world, told } = roadOf(controller.signal)
    endpoint.answer('/hang', () => controller.abort(reason))
    const sent = record(
      world,
      (one) => void told.push(one),
      'token',
    )({
      method: 'GET',
      url: `${endpoint.origin}/hang`,
      headers: [],
    })
    await expect(sent).rejects.toBe(reason)
    expect(exchangesIn(told)).toMatchObject([{ failure: { code: 'ENOUGH' } }])
  })
})

class AuthCliErrorOfTest extends AuthCliError {
  readonly exitCode = 5
  constructor() {
    super('ENOUGH', 'Enough.')
  }
}

it('finds the first header of a name, however it is spelled', () => {
  expect(
    headerOf(
      [
        ['X-A', '1'],
        ['x-a', '2'],
      ],
      'x-a',
    ),
  ).toBe('1')
  expect(headerOf([], 'x-a')).toBe('')
})
