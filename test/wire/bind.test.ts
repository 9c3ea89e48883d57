import { createServer, type ListenOptions, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bound, bind, shut } from '../../src/wire/bind.ts'

const opened: Server[] = []
afterEach(() => Promise.all(opened.splice(0).map(shut)))

/** Servers for which `listen` is asked something else than it was: the operating system answers for real. */
function serversThat(change: (asked: ListenOptions) => ListenOptions): () => Server {
  return () => {
    const server = createServer()
    const listen = server.listen.bind(server) as (options: ListenOptions, opened?: () => void) => Server
    server.listen = ((asked: ListenOptions, opened?: () => void) => listen(change(asked), opened)) as Server['listen']
    return server
  }
}

async function opens(bound: Promise<Bound>): Promise<Bound> {
  const { servers } = await bound
  opened.push(...servers)
  return bound
}

/** An address set aside for documentation: no machine has it. */
const absent = '2001:db8::1'
const both = ['127.0.0.1', '::1'] as const

describe('binding', () => {
  it('leaves out a family that the machine lacks', async () => {
    const withoutSecond = serversThat((asked) => (asked.host === '::1' ? { ...asked, host: absent } : asked))
    expect(await opens(bind({ port: 0, addresses: both, paths: [] }, withoutSecond))).toMatchObject({
      addresses: ['127.0.0.1'],
      port: expect.any(Number),
    })
  })

  it('says so when the machine has none of the families', async () => {
    const without = serversThat((asked) => ({ ...asked, host: absent }))
    await expect(bind({ port: 0, addresses: both, paths: [] }, without)).rejects.toMatchObject({
      code: 'LOOPBACK_UNAVAILABLE',
      exitCode: 5,
    })
  })

  it('looks for another free port when the one it found is taken on the other family', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    opened.push(holder)
    await new Promise((resolve) => holder.once('listening', resolve))
    const taken = (holder.address() as { readonly port: number }).port
    const asked: ListenOptions[] = []
    const unlucky = serversThat((options) => {
      asked.push(options)
      // The second family of the first two attempts meets a port that is taken; both stand in on IPv4, which every machine has.
      const port = [2, 4].includes(asked.length) ? taken : options.host === '::1' ? 0 : (options.port ?? 0)
      return { ...options, host: '127.0.0.1', port }
    })
    const bound = await opens(bind({ port: 0, addresses: both, paths: [] }, unlucky))
    expect(asked).toHaveLength(6)
    expect(asked.filter((options) => options.host === '127.0.0.1').map((options) => options.port)).toEqual([0, 0, 0])
    expect(bound.servers.every((server) => server.listening)).toBe(true)
  })

  it('leaves nothing open when it fails', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    opened.push(holder)
    await new Promise((resolve) => holder.once('listening', resolve))
    const taken = (holder.address() as { readonly port: number }).port
    const created: Server[] = []
    const factory = serversThat((asked) => ({ ...asked, host: '127.0.0.1', port: created.length === 2 ? taken : 0 }))
    const recorded = () => {
      const server = factory()
      created.push(server)
      return server
    }
    await expect(bind({ port: 4711, addresses: both, paths: [] }, recorded)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    })
    expect(created.map((server) => server.listening)).toEqual([false, false])
  })

  it('explains a port that only the administrator may use', async () => {
    const refused = () => {
      const server = createServer()
      server.listen = (() => {
        process.nextTick(() => server.emit('error', Object.assign(new Error('no'), { code: 'EACCES' })))
        return server
      }) as Server['listen']
      return server
    }
    await expect(bind({ port: 80, addresses: ['127.0.0.1'], paths: [] }, refused)).rejects.toMatchObject({
      code: 'PORT_FORBIDDEN',
      message: 'This machine does not let you listen on port 80 of 127.0.0.1.',
      hint: expect.stringContaining('from 1024 on'),
    })
  })
})
