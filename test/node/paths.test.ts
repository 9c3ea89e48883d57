import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { maskKey, type Paths, pathsFrom } from '../../src/node/paths.ts'
import { freshFolder, runWorker } from '../support/disk.ts'

const person = { env: {}, platform: 'linux', homedir: '/home/ada', cwd: '/somewhere' }

test('AUTH_CLI_HOME is one folder for everything', () => {
  const paths = pathsFrom({ ...person, env: { AUTH_CLI_HOME: '/somewhere', XDG_DATA_HOME: '/xdg' } })
  expect(paths).toEqual({
    config: '/somewhere',
    connections: '/somewhere/connections',
    integrations: '/somewhere/integrations',
    clients: '/somewhere/clients',
    trust: '/somewhere/trust',
    logs: '/somewhere/logs',
    templates: '/somewhere/templates',
    catalogues: '/somewhere/catalogues',
    sandbox: '/somewhere/sandbox',
    cache: '/somewhere/cache',
    maskKey: '/somewhere/mask.key',
    secrets: '/somewhere/secrets.json',
    certificates: '/somewhere/certificates',
  })
})

test('a relative AUTH_CLI_HOME counts from the working folder, an empty one not at all', () => {
  expect(pathsFrom({ ...person, env: { AUTH_CLI_HOME: 'here' } }).connections).toBe('/somewhere/here/connections')
  expect(pathsFrom({ ...person, env: { AUTH_CLI_HOME: '' } }).config).toBe('/home/ada/.config/auth-cli')
})

test('Linux follows the XDG base directories and ignores relative ones', () => {
  const env = { XDG_CONFIG_HOME: '/xdg/config', XDG_STATE_HOME: 'relative' }
  const paths = pathsFrom({ ...person, env })
  expect(paths.config).toBe('/xdg/config/auth-cli')
  expect(paths.connections).toBe('/home/ada/.local/share/auth-cli/connections')
  expect(paths.logs).toBe('/home/ada/.local/state/auth-cli/logs')
  expect(paths.cache).toBe('/home/ada/.cache/auth-cli')
})

test('macOS keeps to ~/Library', () => {
  const paths = pathsFrom({ ...person, platform: 'darwin', homedir: '/Users/ada', env: { XDG_DATA_HOME: '/xdg' } })
  expect(paths.connections).toBe('/Users/ada/Library/Application Support/auth-cli/connections')
  expect(paths.logs).toBe('/Users/ada/Library/Logs/auth-cli')
})

test('Windows keeps settings with the person and the rest with the machine', () => {
  const env = { APPDATA: 'D:\\Roaming' }
  const paths = pathsFrom({ ...person, platform: 'win32', homedir: 'C:\\Users\\ada', cwd: 'C:\\', env })
  expect(paths.config).toBe('D:\\Roaming\\auth-cli')
  expect(paths.connections).toBe('C:\\Users\\ada\\AppData\\Local\\auth-cli\\data\\connections')
})

test.each(['linux', 'darwin', 'win32'])('no two things share a place on %s', (platform) => {
  const homedir = platform === 'win32' ? 'C:\\Users\\ada' : '/home/ada'
  const places = Object.values(pathsFrom({ ...person, platform, homedir })) as (keyof Paths)[]
  expect(new Set(places).size).toBe(places.length)
})

test('the mask key is made once, for the person alone, and stays', () => {
  const folder = path.join(freshFolder(), 'home')
  const file = path.join(folder, 'mask.key')
  const key = maskKey({ maskKey: file })
  expect(key).toHaveLength(32)
  expect(maskKey({ maskKey: file })).toEqual(key)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(readdirSync(folder)).toEqual(['mask.key'])
})

test('twenty processes that start at once agree on one mask key', async () => {
  const file = path.join(freshFolder(), 'home', 'mask.key')
  const keys = await Promise.all(Array.from({ length: 20 }, () => runWorker('key', file)))
  expect(new Set(keys)).toEqual(new Set([readFileSync(file).toString('hex')]))
})

test('a damaged mask key is replaced', () => {
  const file = path.join(freshFolder(), 'mask.key')
  writeFileSync(file, '')
  const key = maskKey({ maskKey: file })
  expect(key).toHaveLength(32)
  expect(readFileSync(file)).toEqual(Buffer.from(key))
})

test('where no key can be kept, each call has one of its own and nothing fails', () => {
  const blocked = path.join(freshFolder(), 'file')
  writeFileSync(blocked, '')
  const file = path.join(blocked, 'home', 'mask.key')
  expect(maskKey({ maskKey: file })).toHaveLength(32)
  const folderInItsPlace = path.join(freshFolder(), 'mask.key')
  mkdirSync(folderInItsPlace)
  chmodSync(folderInItsPlace, 0o500)
  expect(maskKey({ maskKey: folderInItsPlace })).toHaveLength(32)
  expect(existsSync(file)).toBe(false)
})
