import { describe, expect, it } from 'vitest'
import { openProvider, type Reply, type Script, type ScriptedProvider } from './support/provider.ts'
import { failure, openWorkshop, type Workshop, type WorkshopTerms } from './support/world.ts'

interface Stage extends Workshop {
  readonly provider: ScriptedProvider
  /** Milliseconds of each wait, none of which was waited. */
  readonly waits: number[]
  readonly calls: () => string[]
}

const now = new Date('2026-03-01T12:00:00Z')

/** A connection `acme` by API key; `/list` answers with these one after the other, the last for ever. */
async function stage(
  proxy: Readonly<Record<string, unknown>>,
  replies: readonly (Reply | Script)[],
  terms: WorkshopTerms = {},
): Promise<Stage> {
  let count = 0
  const answer: Script = (hit) => {
    const reply = replies[Math.min(count, replies.length - 1)] ?? {}
    count += 1
    return typeof reply === 'function' ? reply(hit) : reply
  }
  const provider = await openProvider({ routes: { '/list': answer } })
  const waits: number[] = []
  const workshop = openWorkshop({
    templates: {
      acme: {
        display_name: 'Acme',
        docs: 'https://acme.example',
        auth_mode: 'API_KEY',
        credentials: { apiKey: { type: 'string', title: 'API key', description: '' } },
        proxy: { base_url: provider.origin, headers: { authorization: 'Bearer ${apiKey}' }, ...proxy },
      },
    },
    clock: { now: () => now, sleep: async (ms) => void waits.push(ms) },
    ...terms,
  })
  await workshop.connect('acme', { params: { apiKey: 'key-of-the-request-test' } })
  return { ...workshop, provider, waits, calls: () => provider.hits.map(({ method, path }) => `${method} ${path}`) }
}

const ok: Reply = { body: { fine: true } }

describe('a refusal that passes', () => {
  const cases: Readonly<Record<string, { retry?: unknown; reply: Reply; wait?: number }>> = {
    '429 with Retry-After, whatever the template says': {
      reply: { status: 429, headers: { 'retry-after': '7' } },
      wait: 7000,
    },
    '503 with a date': {
      reply: { status: 503, headers: { 'retry-after': 'Sun, 01 Mar 2026 12:00:09 GMT' } },
      wait: 9000,
    },
    'a header that says after how long': {
      retry: { after: ['x-wait'] },
      reply: { status: 429, headers: { 'x-wait': '3' } },
      wait: 3000,
    },
    'a length with units': {
      retry: { after: ['x-wait'] },
      reply: { status: 429, headers: { 'x-wait': '1s500ms' } },
      wait: 1500,
    },
    'a header that says when, in seconds': {
      retry: { at: ['x-reset'] },
      reply: { status: 429, headers: { 'x-reset': String(now.getTime() / 1000 + 5) } },
      wait: 5000,
    },
    'a header that says when, in milliseconds': {
      retry: { at: ['x-reset'] },
      reply: { status: 429, headers: { 'x-reset': String(now.getTime() + 4000) } },
      wait: 4000,
    },
    'the longest of several': {
      retry: { at: ['x-reset'], after: ['x-wait'] },
      reply: { status: 429, headers: { 'x-reset': '2026-03-01T12:00:02Z', 'x-wait': '6' } },
      wait: 6000,
    },
    'a status of the template': {
      retry: { after: ['x-wait'], error_code: ['403', '5xx'] },
      reply: { status: 403, headers: { 'x-wait': '1' } },
      wait: 1000,
    },
    'a range of them': {
      retry: { after: ['x-wait'], error_code: ['420-425'] },
      reply: { status: 423, headers: { 'x-wait': '1' } },
      wait: 1000,
    },
    'no call left': {
      retry: { at: ['x-reset'], remaining: 'x-left' },
      reply: { status: 403, headers: { 'x-left': '0', 'x-reset': '2026-03-01T12:00:03Z' } },
      wait: 3000,
    },
    'a text of the answer': {
      retry: { in_body: { path: 'error.message', value: '/Retry after (.+)/', strategy: 'at' } },
      reply: { status: 403, body: { error: { message: 'Limit. Retry after 2026-03-01T12:00:08Z' } } },
      wait: 8000,
    },
  }
  for (const [what, { retry, reply, wait }] of Object.entries(cases))
    it(`is sent again after ${what}`, async () => {
      const { request, waits, provider, story } = await stage(retry === undefined ? {} : { retry }, [reply, ok])
      expect(await request('acme', { target: '/list' })).toEqual({ status: 200, text: '{"fine":true}' })
      expect(waits).toEqual([wait])
      expect(provider.hits).toHaveLength(2)
      expect(story().slice(-5)).toEqual(['flow.started', 'exchange', 'request.retried', 'exchange', 'flow.ended'])
    })

  it('waits longer each time where the API does not say, and gives the refusal back in the end', async () => {
    const { request, waits, provider, events } = await stage({ retry: { after: ['x-wait'] } }, [{ status: 502 }])
    expect((await request('acme', { target: '/list' })).status).toBe(502)
    expect(provider.hits).toHaveLength(4)
    expect(waits.map((wait) => wait >= 500 && wait < 2600)).toEqual([true, true, true])
    expect([...waits].sort((a, b) => a - b)).toEqual(waits)
    expect(events).toContainEqual(expect.objectContaining({ code: 'RETRIES_SPENT' }))
  })

  it('is not sent again without the rule, without a retry, or when the wait is too long', async () => {
    const plain = await stage({}, [{ status: 502 }])
    await plain.request('acme', { target: '/list' })
    const unwanted = await stage({ retry: {} }, [{ status: 502 }])
    await unwanted.request('acme', { target: '/list', retries: 0 })
    const long = await stage({ retry: {} }, [{ status: 429, headers: { 'retry-after': '3600' } }])
    await long.request('acme', { target: '/list' })
    expect([plain, unwanted, long].map(({ provider }) => provider.hits.length)).toEqual([1, 1, 1])
    expect(long.events).toContainEqual(expect.objectContaining({ code: 'RETRIES_SPENT' }))
  })

  it('that is no limit stays: 404, 401, and a 403 with calls left', async () => {
    for (const reply of [
      { status: 404 },
      { status: 401 },
      { status: 403, headers: { 'x-left': '12', 'x-reset': '2026-03-01T12:00:03Z' } },
    ]) {
      const retry = { at: ['x-reset'], remaining: 'x-left', error_code: ['403', '401', '5xx'] }
      const { request, provider } = await stage({ retry }, [reply, ok])
      expect((await request('acme', { target: '/list' })).status).toBe(reply.status)
      expect(provider.hits).toHaveLength(1)
    }
  })

  it('is sent again with any method only where the API says that it did nothing', async () => {
    const post = { target: '/list', method: 'POST', body: 'a=1' }
    const broken = await stage({ retry: {} }, [{ status: 500 }, ok])
    expect((await broken.request('acme', post)).status).toBe(500)
    const busy = await stage({ retry: {} }, [{ status: 429, headers: { 'retry-after': '1' } }, ok])
    expect((await busy.request('acme', post)).status).toBe(200)
    expect(busy.provider.hits.map(({ body }) => body)).toEqual(['a=1', 'a=1'])
  })

  it('never takes a stream a second time', async () => {
    const { request, provider } = await stage({ retry: {} }, [{ status: 503, headers: { 'retry-after': '1' } }, ok])
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('once')
    }
    expect((await request('acme', { target: '/list', method: 'PUT', body: body() })).status).toBe(503)
    expect(provider.hits).toHaveLength(1)
  })

  it('is a connection that breaks too, where the template has a rule', async () => {
    const { request, provider, world } = await stage({ retry: {} }, [ok])
    let broken = 0
    const send = world.send
    Object.assign(world, {
      send: async (outgoing: Parameters<typeof send>[0]) => {
        if (broken++ > 0) return send(outgoing)
        return send({ ...outgoing, url: 'http://127.0.0.1:9/list' })
      },
    })
    expect((await request('acme', { target: '/list' })).status).toBe(200)
    expect(provider.hits).toHaveLength(1)
    Object.assign(world, {
      send: (outgoing: Parameters<typeof send>[0]) => send({ ...outgoing, url: 'http://127.0.0.1:9/' }),
    })
    expect((await failure(request('acme', { target: '/list', method: 'POST' }))).exitCode).toBe(5)
  })
})
