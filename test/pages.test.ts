import { describe, expect, it } from 'vitest'
import type { LogEvent } from '../src/model/event.ts'
import { itemsIn, readPages } from '../src/pages.ts'
import type { ApiCall } from '../src/request.ts'
import { sliceItems } from '../src/slices.ts'
import { type Hit, openProvider, type Reply } from './support/provider.ts'
import { failure, openWorkshop } from './support/world.ts'

const key = 'key-of-the-pages-test'

interface List {
  readonly items: unknown[]
  readonly hits: readonly Hit[]
  readonly events: readonly LogEvent[]
  readonly refused: number[]
  readonly origin: string
  readonly end: Promise<void>
}

/** Reads the list at `/list` of an API that pages as the template says. */
async function list(
  paginate: unknown,
  answer: (hit: Hit, origin: string) => Reply,
  call: Partial<ApiCall> & { readonly items?: string } = {},
): Promise<List> {
  let origin = ''
  const provider = await openProvider({
    routes: { '/v1/list': (hit) => answer(hit, origin), '/v1/next': (hit) => answer(hit, origin) },
  })
  origin = provider.origin
  const { world, connect, events } = openWorkshop({
    templates: {
      acme: {
        display_name: 'Acme',
        docs: 'https://acme.example',
        auth_mode: 'API_KEY',
        credentials: { apiKey: { type: 'string', title: 'API key', description: '' } },
        proxy: {
          base_url: `${origin}/v1`,
          headers: { authorization: 'Bearer ${apiKey}' },
          ...(paginate === undefined ? {} : { paginate }),
        },
      },
    },
  })
  await connect('acme', { params: { apiKey: key } })
  const items: unknown[] = []
  const refused: number[] = []
  const { items: path, ...rest } = call
  const end = readPages(
    world,
    'acme',
    { method: 'GET', target: '/list', headers: [], ...rest },
    {
      items: path,
      onPage: async (page) => {
        items.push(...page.items)
        return true
      },
      onRefusal: async (refusal) => {
        refused.push(refusal.status)
      },
    },
  )
  end.catch(() => {})
  return { items, hits: provider.hits, events, refused, origin, end }
}

const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at)
const codes = (events: readonly LogEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.code] : []))

describe('items as they are written', () => {
  const same = (json: string, path?: string): void =>
    expect(sliceItems(json, path).map((text) => JSON.parse(text))).toEqual(
      itemsIn(JSON.parse(json.replace(/^\uFEFF/, '')), path),
    )

  it('are the parsed ones, wherever they stand', () => {
    const values = [
      [],
      [1],
      { a: [1, 2] },
      { a: [1], b: [2] },
      {},
      'x',
      7,
      null,
      { d: { e: [{ f: ']' }, '}"\\', [[]]] } },
      { 'a.b': [3], a: { b: [4] } },
    ]
    for (const value of values)
      for (const indent of [0, 2])
        for (const path of [undefined, 'a', 'd.e', 'a.b', 'none']) same(JSON.stringify(value, null, indent), path)
    same('\uFEFF {"a":[1],"a":[2]}', 'a')
    same(' [ "a\\"b" , { "c" : "d e\\\\" } , -1.5e3 ] ')
  })

  it('keep every digit, on one line', () => {
    const json = '{"items": [ 12345678901234567890, {"id": 0.10000000000000000001,\n  "a b": "c\\n d"} ]}'
    expect(sliceItems(json, undefined)).toEqual([
      '12345678901234567890',
      '{"id":0.10000000000000000001,"a b":"c\\n d"}',
    ])
  })
})

describe('a list in pages', () => {
  it('follows the Link header of the template, or any where the template says nothing', async () => {
    for (const paginate of [{ type: 'link', link_rel_in_response_header: 'next' }, undefined]) {
      const read = await list(paginate, ({ query }) => {
        const page = Number(query.get('page') ?? 1)
        const link = `</v1/list?page=9>; rel="last", </v1/list?page=${page + 1}>; title="a, b"; rel="prev next"`
        return { headers: page < 3 ? { link } : {}, body: numbers(page * 10, 2) }
      })
      await read.end
      expect(read.items).toEqual([10, 11, 20, 21, 30, 31])
      expect(read.hits.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill(`Bearer ${key}`))
    }
  })

  it('follows the link in the body, absolute or relative, items where they stand', async () => {
    const read = await list(
      { type: 'link', link_path_in_response_body: 'meta.next', response_path: 'data.rows' },
      ({ query }, origin) => {
        const page = Number(query.get('p') ?? 1)
        const next = [`${origin}/v1/list?p=2`, 'next?p=3', null][page - 1]
        return { body: { data: { rows: numbers(page, 1), other: [1] }, meta: { next } } }
      },
    )
    await read.end
    expect(read.items).toEqual([1, 2, 3])
    expect(read.hits.map(({ path }) => path)).toEqual(['/v1/list', '/v1/list', '/v1/next'])
  })

  it('hands the cursor back in the query, or in the body of a POST', async () => {
    const rule = { type: 'cursor', cursor_path_in_response: 'page.after', cursor_name_in_request: 'after' }
    const answer = (cursor: unknown): Reply => {
      const at = Number(cursor ?? 0)
      return { body: { results: [at], page: at < 2 ? { after: `${at + 1}` } : {} } }
    }
    const get = await list(rule, ({ query }) => answer(query.get('after')), { target: '/list?q=a%20b&limit=1' })
    await get.end
    expect(get.items).toEqual([0, 1, 2])
    expect(get.hits.map(({ query }) => query.toString())).toEqual([
      'q=a+b&limit=1',
      'q=a+b&limit=1&after=1',
      'q=a+b&limit=1&after=2',
    ])
    const post = await list(rule, ({ body }) => answer(JSON.parse(body).after), {
      method: 'POST',
      body: '{"filter":{"x":1}}',
      headers: [['content-type', 'application/json']],
    })
    await post.end
    expect(post.items).toEqual([0, 1, 2])
    expect(post.hits.map(({ body }) => body).at(-1)).toBe('{"filter":{"x":1},"after":"2"}')
  })

  it('counts the offset by items or by pages, from where the template or the caller begins', async () => {
    const total = 5
    const rule = { type: 'offset', offset_name_in_request: 'from', limit_name_in_request: 'n', response_path: 'd' }
    const read = await list(
      rule,
      ({ query }) => {
        const from = Number(query.get('from') ?? 0)
        return { body: { d: numbers(from, Math.max(0, Math.min(2, total - from))) } }
      },
      { target: '/list?n=2' },
    )
    await read.end
    expect(read.items).toEqual([0, 1, 2, 3, 4])
    expect(read.hits.map(({ query }) => query.get('from'))).toEqual([null, '2', '4'])
    const pages = await list(
      { ...rule, offset_start_value: 1, offset_calculation_method: 'per-page' },
      ({ query }) => ({ body: { d: Number(query.get('from') ?? 1) < 3 ? [query.get('from')] : [] } }),
    )
    await pages.end
    expect(pages.hits.map(({ query }) => query.get('from'))).toEqual([null, '2', '3'])
  })

  it('ends with a warning where a page comes again', async () => {
    const loop = await list({ type: 'link', link_path_in_response_body: 'next' }, ({ query }) => ({
      body: {
        items: [query.get('p')],
        next: query.get('p') === 'b' ? '?p=a' : `?p=${query.get('p') === 'a' ? 'b' : 'a'}`,
      },
    }))
    await loop.end
    expect(loop.hits.length).toBeLessThan(5)
    expect(codes(loop.events)).toContain('PAGES_REPEAT')
    const deaf = await list({ type: 'offset', offset_name_in_request: 'skip' }, () => ({ body: [1, 2] }))
    await deaf.end
    expect([deaf.items, codes(deaf.events)]).toEqual([[1, 2], expect.arrayContaining(['PAGES_REPEAT'])])
  })

  it('is never read on at another origin', async () => {
    const thief = await openProvider({ routes: { '/v1/list': () => ({ body: [] }) } })
    const read = await list({ type: 'link', link_rel_in_response_header: 'next' }, () => ({
      headers: { link: `<${thief.origin}/v1/list>; rel=next` },
      body: [1],
    }))
    const error = await failure(read.end)
    expect([error.code, error.exitCode, read.items, thief.hits.length]).toEqual(['OTHER_ORIGIN', 4, [1], 0])
  })

  it('gives a refusal back unread, and refuses what is no JSON or a rule that lacks its words', async () => {
    const refused = await list(undefined, () => ({ status: 403, body: {} }))
    await refused.end
    expect(refused.refused).toEqual([403])
    expect((await failure((await list(undefined, () => ({ body: '<html>' }))).end)).code).toBe('ANSWER_UNUSABLE')
    for (const rule of [{ type: 'cursor' }, { type: 'link' }, { type: 'offset' }, { type: 'odd' }, {}]) {
      const read = await list(rule, () => ({ body: [] }))
      expect([(await failure(read.end)).code, read.hits.length]).toEqual(['PAGINATION_UNKNOWN', 0])
    }
  })

  it('takes the only list of an answer for its items, and an answer without one for an item', async () => {
    const body = { users: [1, 2], count: 2 }
    const one = await list(undefined, () => ({ body }))
    const two = await list(undefined, () => ({ body: { ...body, tags: [] } }))
    const told = await list(undefined, () => ({ body: { ...body, tags: [3] } }), { items: 'tags' })
    await Promise.all([one.end, two.end, told.end])
    expect([one.items, two.items, told.items]).toEqual([[1, 2], [{ ...body, tags: [] }], [3]])
  })
})
