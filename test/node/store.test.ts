import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { MachineError } from '../../src/model/errors.ts'
import { openShelf, openStore } from '../../src/node/store.ts'
import {
  firstLine,
  freshFolder,
  kill,
  runOnSmallDisk,
  runWithFileLimit,
  runWorker,
  startWorker,
} from '../support/disk.ts'

interface Note {
  readonly name: string
  readonly version?: number
  readonly note?: string
}

const shelfIn = (folder: string) => openShelf<Note>({ folder, nameOf: (note) => note.name })

function freshShelf() {
  const folder = path.join(freshFolder(), 'home', 'notes')
  const file = (name: string): string => path.join(folder, name)
  const plant = (name: string, text: string): void => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file(name), text)
  }
  return { shelf: shelfIn(folder), folder, file, plant }
}

test('reading where nothing was saved finds nothing and makes nothing', async () => {
  const { shelf, folder } = freshShelf()
  expect(await shelf.read('acme')).toBeUndefined()
  expect(await shelf.list()).toEqual([])
  expect(await shelf.remove('acme')).toBe(false)
  expect(existsSync(path.dirname(folder))).toBe(false)
})

test('a record is one readable file that only its owner may read', async () => {
  const { shelf, folder, file } = freshShelf()
  const note = { name: 'Acme', note: 'tü' }
  expect(await shelf.update('acme', () => note)).toEqual(note)
  expect(readFileSync(file('acme.json'), 'utf8')).toBe('{\n  "name": "Acme",\n  "note": "tü"\n}\n')
  expect(statSync(file('acme.json')).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(readdirSync(folder)).toEqual(['acme.json'])
})

test('a name finds its record in any case', async () => {
  const { shelf } = freshShelf()
  await shelf.update('Acme', () => ({ name: 'Acme' }))
  expect(await shelf.read('ACME')).toEqual({ name: 'Acme' })
  expect(await shelf.update('acme', (current) => ({ name: 'acme', note: `was ${current?.name}` }))).toMatchObject({
    note: 'was Acme',
  })
  expect(await shelf.list()).toHaveLength(1)
  expect(await shelf.remove('aCME')).toBe(true)
  expect(await shelf.read('Acme')).toBeUndefined()
})

test('names that would leave the folder stay in it', async () => {
  const { shelf, folder } = freshShelf()
  const names = ['../x', '..', 'a/b', 'CON', 'x'.repeat(250), 'ü'.repeat(120)]
  for (const name of names) await shelf.update(name, () => ({ name }))
  expect(readdirSync(path.dirname(folder))).toEqual(['notes'])
  expect((await shelf.list()).map(({ name }) => name).sort()).toEqual([...names].sort())
  for (const name of names) expect(await shelf.read(name)).toEqual({ name })
})

test.each(['', 'a\nb', '\u001b[2J'])('%j is refused by every call', async (name) => {
  const { shelf } = freshShelf()
  const refused = expect.objectContaining({ code: 'BAD_NAME' })
  await expect(shelf.read(name)).rejects.toEqual(refused)
  await expect(shelf.update(name, () => ({ name }))).rejects.toEqual(refused)
  await expect(shelf.remove(name)).rejects.toEqual(refused)
})

test('a change that decides against it leaves the record as it is', async () => {
  const { shelf, file } = freshShelf()
  expect(await shelf.update('acme', () => undefined)).toBeUndefined()
  expect(existsSync(file('acme.json'))).toBe(false)
  await shelf.update('acme', () => ({ name: 'acme' }))
  const { mtimeMs, ino } = statSync(file('acme.json'))
  expect(await shelf.update('acme', () => undefined)).toEqual({ name: 'acme' })
  expect(statSync(file('acme.json'))).toMatchObject({ mtimeMs, ino })
})

test('a change that fails changes nothing and gives the record free', async () => {
  const { shelf, folder } = freshShelf()
  await shelf.update('acme', () => ({ name: 'acme' }))
  const failing = shelf.update('acme', () => Promise.reject(new Error('refused')))
  await expect(failing).rejects.toThrow('refused')
  expect(await shelf.read('acme')).toEqual({ name: 'acme' })
  expect(readdirSync(folder)).toEqual(['acme.json'])
})

test('a record cannot be saved under the name of another', async () => {
  const { shelf, folder } = freshShelf()
  await expect(shelf.update('acme', () => ({ name: 'other' }))).rejects.toThrow('under another name')
  expect(readdirSync(folder)).toEqual([])
})

test('the list is in the order of names, whatever their case and letters', async () => {
  const { shelf } = freshShelf()
  for (const name of ['zoë', 'Beta', 'alpha', 'a b', 'Élan']) await shelf.update(name, () => ({ name }))
  expect((await shelf.list()).map(({ name }) => name)).toEqual(['a b', 'alpha', 'Beta', 'zoë', 'Élan'])
})

const secret = 'gho_verysecret'
test.each([
  ['is cut off', `{"name":"acme","accessToken":"${secret}`],
  ['is empty', ''],
  ['holds a list', `["${secret}"]`],
  ['holds null', 'null'],
  ['does not say its name', `{"accessToken":"${secret}"}`],
  ['has the name of another', `{"name":"other","accessToken":"${secret}"}`],
  ['has a name that cannot be', `{"name":"a\\nb","accessToken":"${secret}"}`],
])('a file that %s is named, never quoted, and the rest is listed', async (_, text) => {
  const { shelf, file, plant } = freshShelf()
  plant('acme.json', text)
  await shelf.update('beta', () => ({ name: 'beta' }))
  const error = await shelf.read('acme').then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(MachineError)
  expect(error).toMatchObject({ code: 'STORE_CORRUPT', message: expect.stringContaining(file('acme.json')) })
  expect(JSON.stringify([error, String(error), (error as Error).cause, (error as Error).stack])).not.toContain(secret)
  const broken: string[] = []
  expect(await shelf.list((where, why) => broken.push(where, why))).toEqual([{ name: 'beta' }])
  expect(broken[0]).toBe(file('acme.json'))
  expect(broken[1]).not.toContain(secret)
  await expect(shelf.update('acme', () => ({ name: 'acme' }))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(readFileSync(file('acme.json'), 'utf8')).toBe(text)
  expect(await shelf.remove('acme')).toBe(true)
})

test('a record of a newer release is neither read nor overwritten', async () => {
  const { shelf, file, plant } = freshShelf()
  const text = '{"version":3,"name":"acme"}'
  plant('acme.json', text)
  await expect(shelf.read('acme')).rejects.toMatchObject({ code: 'STORE_NEWER', exitCode: 6 })
  await expect(shelf.update('acme', () => ({ name: 'acme' }))).rejects.toMatchObject({ code: 'STORE_NEWER' })
  expect(readFileSync(file('acme.json'), 'utf8')).toBe(text)
})

test('a folder in the place of a record is this machine’s trouble', async () => {
  const { shelf, folder } = freshShelf()
  mkdirSync(path.join(folder, 'acme.json'), { recursive: true })
  await expect(shelf.read('acme')).rejects.toMatchObject({ code: 'NOT_READABLE' })
  await expect(shelf.remove('acme')).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
})

test('a home that cannot be made is this machine’s trouble', async () => {
  const blocked = path.join(freshFolder(), 'file')
  writeFileSync(blocked, '')
  const saving = shelfIn(path.join(blocked, 'notes')).update('acme', () => ({ name: 'acme' }))
  await expect(saving).rejects.toMatchObject({ code: 'NOT_WRITABLE', hint: expect.stringContaining(blocked) })
})

test('what killed processes left goes after an hour, and nothing else', async () => {
  const { shelf, folder, file, plant } = freshShelf()
  const old = 'acme.json.123.0123456789ab.tmp'
  const young = 'acme.json.124.0123456789ab.tmp'
  const foreign = 'mine.tmp'
  for (const name of [old, young, foreign]) plant(name, secret)
  const longAgo = Date.now() / 1000 - 3_700
  for (const name of [old, foreign]) utimesSync(file(name), longAgo, longAgo)
  await shelf.update('acme', () => ({ name: 'acme' }))
  expect(readdirSync(folder).sort()).toEqual(['acme.json', young, foreign].sort())
})

test('the three shelves of a home are apart', async () => {
  const home = freshFolder()
  const paths = {
    connections: `${home}/c`,
    integrations: `${home}/i`,
    clients: `${home}/r`,
    trust: `${home}/t`,
    cache: `${home}/cache`,
    secrets: `${home}/secrets.json`,
  }
  const { trust, connections, integrations } = openStore(paths)
  const trusted = { hash: 'ab'.repeat(32), file: '/somewhere/auth-cli.yaml', at: '2026-01-01T00:00:00.000Z' }
  await trust.update(trusted.hash, () => trusted)
  expect(await trust.read(trusted.hash)).toEqual(trusted)
  expect(await connections.list()).toEqual([])
  expect(await integrations.read(trusted.hash)).toBeUndefined()
})

test('twenty processes that each save their own record lose none', async () => {
  const { shelf, folder } = freshShelf()
  const names = Array.from({ length: 20 }, (_, i) => `tenant-${i + 10}`)
  await Promise.all(names.map((name) => runWorker('save', folder, name)))
  expect((await shelf.list()).map(({ name }) => name)).toEqual(names)
  expect(readdirSync(folder)).toHaveLength(20)
})

test('twenty processes that count in one record count right', async () => {
  const { shelf, folder } = freshShelf()
  await Promise.all(Array.from({ length: 20 }, () => runWorker('count', folder, 'acme', '5')))
  expect(await shelf.read('acme')).toEqual({ name: 'acme', count: 100 })
  expect(readdirSync(folder)).toEqual(['acme.json'])
})

test('a process killed while it rewrites leaves a whole record that the next can change', async () => {
  const { shelf, folder } = freshShelf()
  for (let round = 0; round < 12; round++) {
    const writer = startWorker('rewrite', folder, 'acme')
    await firstLine(writer)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
    await kill(writer)
    const found = (await shelf.read('acme')) as unknown as { fill: string; letter: string }
    expect(found.fill === found.letter.repeat(500_000)).toBe(true)
  }
  expect(await shelf.update('acme', () => ({ name: 'acme' }))).toEqual({ name: 'acme' })
}, 60_000)

test('a full disk is an error, and what was saved before stays whole', (context) => {
  const said = runOnSmallDisk('fullDisk', freshFolder())
  if (said === undefined) {
    if (process.env['CI'] && process.platform === 'linux') throw new Error('no small disk could be mounted here')
    return context.skip('no small disk can be mounted here')
  }
  const outcome = JSON.parse(said)
  const diskFull = { code: 'DISK_FULL', hint: expect.stringContaining('/c and try again') }
  expect(outcome.nearlyFull).toMatchObject({ ...diskFull, message: 'The disk is full: "acme" was not saved.' })
  expect(outcome.full).toMatchObject(diskFull)
  expect(outcome.kept).toEqual({ version: 1, name: 'acme', note: 'old' })
  expect(outcome.removed).toBe(true)
  expect(outcome.left).toEqual(['acme.json'])
  expect(outcome.setting).toMatchObject({ code: 'DISK_FULL' })
  expect(outcome.settings).toEqual({ port: 4000 })
  expect(outcome.troubles).toBe(1)
  expect(outcome.leftInHome).toEqual(['c', 'config.json', 'filler', 'logs'])
})

test.skipIf(process.platform === 'win32')('a file that may not grow is treated as a full disk', () => {
  const said = JSON.parse(runWithFileLimit(100, 'tooLarge', freshFolder()))
  expect(said.outcome).toMatchObject({ code: 'DISK_FULL', hint: expect.stringContaining('ulimit -f') })
  expect(said.kept).toEqual({ name: 'acme', note: 'old' })
  expect(said.left).toEqual(['acme.json'])
})

describe('the lines of a list', () => {
  const record = (name: string, expiresAt: string) => ({
    version: 1,
    name,
    provider: 'zendesk',
    integration: 'zendesk',
    mode: 'OAUTH2',
    scopes: { requested: [], granted: [] },
    metadata: {},
    params: { subdomain: 'acme', api_token: 'not-in-a-list-0001' },
    tags: {},
    credential: { type: 'OAUTH2', accessToken: 'a-secret-token-0001', expiresAt, obtainedAt: expiresAt },
    lastError: null,
    snapshot: {
      template: { auth_mode: 'OAUTH2' },
      source: {},
      origins: [],
      endpoints: { token: 'https://acme.test/token' },
      client: { id: 'app' },
    },
  })
  const homeOf = () => {
    const home = freshFolder()
    return {
      connections: `${home}/c`,
      integrations: `${home}/i`,
      clients: `${home}/r`,
      trust: `${home}/t`,
      cache: `${home}/cache`,
      secrets: `${home}/secrets.json`,
    }
  }

  it('tell what has changed by whatever hand, and keep no secret', async () => {
    const paths = homeOf()
    mkdirSync(paths.connections)
    const write = (name: string, expiresAt: string) =>
      writeFileSync(`${paths.connections}/${name}.json`, JSON.stringify(record(name, expiresAt)))
    write('one', '2026-01-01T00:00:00.000Z')
    write('two', '2026-01-01T00:00:00.000Z')
    const { lines } = openStore(paths)
    expect((await lines()).map(({ name, expiresAt }) => [name, expiresAt?.slice(0, 4)])).toEqual([
      ['one', '2026'],
      ['two', '2026'],
    ])
    expect(readFileSync(`${paths.cache}/connections.json`, 'utf8')).not.toMatch(/secret-token|not-in-a-list/)
    write('two', '2027-01-01T00:00:00.000Z')
    unlinkSync(`${paths.connections}/one.json`)
    write('three', '2028-01-01T00:00:00.000Z')
    expect((await openStore(paths).lines()).map(({ name, expiresAt }) => [name, expiresAt?.slice(0, 4)])).toEqual([
      ['three', '2028'],
      ['two', '2027'],
    ])
  })

  it('tell of a broken record and go on, whatever the digest knows or is', async () => {
    const paths = homeOf()
    mkdirSync(paths.connections)
    for (const name of ['one', 'two']) {
      writeFileSync(`${paths.connections}/${name}.json`, JSON.stringify(record(name, '2026-01-01T00:00:00.000Z')))
    }
    await openStore(paths).lines()
    writeFileSync(`${paths.connections}/two.json`, '{"name":"tw')
    const broken: string[] = []
    expect((await openStore(paths).lines((file) => broken.push(file))).map(({ name }) => name)).toEqual(['one'])
    expect(broken).toEqual([`${paths.connections}/two.json`])
    writeFileSync(`${paths.cache}/connections.json`, 'no digest at all')
    expect((await openStore(paths).lines()).map(({ name }) => name)).toEqual(['one'])
  })
})
