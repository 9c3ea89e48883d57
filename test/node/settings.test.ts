import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { MachineError, UsageError } from '../../src/model/errors.ts'
import { readSettings, setSetting, settingKeys, unsetSetting } from '../../src/node/settings.ts'
import { freshFolder } from '../support/disk.ts'

function freshPaths() {
  const config = path.join(freshFolder(), 'home')
  const file = path.join(config, 'config.json')
  const plant = (text: string): void => {
    mkdirSync(config, { recursive: true })
    writeFileSync(file, text)
  }
  return { paths: { config }, file, plant }
}

test('where nothing was set, nothing is found and nothing is made', async () => {
  const { paths } = freshPaths()
  expect(await readSettings(paths, {})).toEqual({ settings: {}, from: {} })
  expect(await unsetSetting(paths, 'port')).toBe(false)
  expect(existsSync(paths.config)).toBe(false)
})

test('what is set is found again, in a file of its owner', async () => {
  const { paths, file } = freshPaths()
  expect(await setSetting(paths, 'callback-url', 'https://example.com/cb?x=1')).toBe('https://example.com/cb?x=1')
  expect(await setSetting(paths, 'port', ' 8080 ')).toBe(8080)
  expect(await readSettings(paths, {})).toEqual({
    settings: { 'callback-url': 'https://example.com/cb?x=1', port: 8080 },
    from: { 'callback-url': 'config', port: 'config' },
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(paths.config).mode & 0o777).toBe(0o700)
  expect(readdirSync(paths.config)).toEqual(['config.json'])
})

test('what is unset is gone, and the rest stays', async () => {
  const { paths } = freshPaths()
  await setSetting(paths, 'port', '1')
  await setSetting(paths, 'browser', 'firefox %s')
  expect(await unsetSetting(paths, 'port')).toBe(true)
  expect((await readSettings(paths, {})).settings).toEqual({ browser: 'firefox %s' })
})

test('the environment wins over what is kept, unless it is empty', async () => {
  const { paths } = freshPaths()
  await setSetting(paths, 'port', '1')
  await setSetting(paths, 'timeout', '60')
  const env = { AUTH_CLI_PORT: '0', AUTH_CLI_TIMEOUT: '', AUTH_CLI_LOG_DAYS: '3', AUTH_CLI_BROWSER: 'w3m' }
  expect(await readSettings(paths, env)).toEqual({
    settings: { port: 0, timeout: 60, 'log-days': 3, browser: 'w3m' },
    from: { port: 'environment', timeout: 'config', 'log-days': 'environment', browser: 'environment' },
  })
})

test.each([
  ['callback-url', 'http://localhost:8749/oauth/callback', 'http://localhost:8749/oauth/callback'],
  ['callback-url', 'HTTPS://Example.com', 'HTTPS://Example.com'],
  ['port', '65535', 65_535],
  ['timeout', '0.5', 0.5],
  ['log-days', '1', 1],
  ['browser', ' open -a Safari ', 'open -a Safari'],
])('%s may be %j', async (key, given, kept) => {
  expect(await setSetting(freshPaths().paths, key, given)).toBe(kept)
})

test.each([
  ['callback-url', 'example.com/cb', 'not a'],
  ['callback-url', 'ftp://example.com', 'not an http or https URL'],
  ['callback-url', 'https:/example.com', 'no host'],
  ['callback-url', 'https://example.com/#top', 'fragment'],
  ['callback-url', 'https://example.com/#', 'fragment'],
  ['callback-url', 'https://me:pw@example.com/', 'user name'],
  ['callback-url', 'https://@example.com/', 'user name'],
  ['callback-url', 'https://example.com/a b', 'not a URL'],
  ['callback-url', '', 'not a URL'],
  ['port', '65536', 'too large'],
  ['port', '-1', 'too small'],
  ['port', '80.5', 'whole'],
  ['port', '0x50', 'not a number'],
  ['port', '', 'not a number'],
  ['timeout', '0', 'too small'],
  ['timeout', '1e9', 'not a number'],
  ['timeout', '99999999', 'too large'],
  ['log-days', '0', 'too small'],
  ['browser', '  ', 'empty'],
])('%s may not be %j', async (key, given, problem) => {
  const { paths } = freshPaths()
  const refused = {
    code: 'BAD_SETTING',
    exitCode: 2,
    message: expect.stringMatching(new RegExp(`"${key}".*${problem}`)),
    hint: expect.stringContaining(settingKeys[key as keyof typeof settingKeys].form),
  }
  await expect(setSetting(paths, key, given)).rejects.toMatchObject(refused)
  expect(existsSync(paths.config)).toBe(false)
})

test('a wrong value in the environment is named by its variable', async () => {
  const reading = readSettings(freshPaths().paths, { AUTH_CLI_PORT: 'eighty' })
  await expect(reading).rejects.toMatchObject({
    code: 'BAD_SETTING',
    message: 'AUTH_CLI_PORT in the environment cannot be used: "eighty" is not a number.',
  })
})

test('a wrong value in the file is named by its key and file', async () => {
  const { paths, file, plant } = freshPaths()
  plant('{"port":{"a":1}}')
  await expect(readSettings(paths, {})).rejects.toMatchObject({
    code: 'BAD_SETTING',
    message: expect.stringContaining(`"port" in ${file}`),
  })
})

test.each(['ports', '__proto__', 'constructor', 'toString', ''])('there is no setting called %j', async (key) => {
  const { paths } = freshPaths()
  const refused = { code: 'BAD_SETTING', hint: expect.stringContaining('callback-url, port, browser') }
  await expect(setSetting(paths, key, '1')).rejects.toMatchObject(refused)
  await expect(unsetSetting(paths, key)).rejects.toBeInstanceOf(UsageError)
})

test('keys of another release are left alone', async () => {
  const { paths, file, plant } = freshPaths()
  plant('{"horoscope":"off","a.b":1}')
  await setSetting(paths, 'port', '1')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ horoscope: 'off', 'a.b': 1, port: 1 })
  expect((await readSettings(paths, {})).settings).toEqual({ port: 1 })
})

test.each(['', '{"browser":"secret', '[1]', 'null'])(
  'a file that holds %j is named, not quoted, and kept',
  async (text) => {
    const { paths, file, plant } = freshPaths()
    plant(text)
    for (const attempt of [() => readSettings(paths, {}), () => setSetting(paths, 'port', '1')]) {
      const error = await attempt().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(MachineError)
      expect(error).toMatchObject({ code: 'STORE_CORRUPT', message: expect.stringContaining(file) })
      expect(String(error)).not.toContain('secret')
    }
    expect(readFileSync(file, 'utf8')).toBe(text)
  },
)

test('many who set at once lose nothing', async () => {
  const { paths } = freshPaths()
  const given = { port: '1', timeout: '2', 'log-days': '3', browser: 'w3m', 'callback-url': 'https://x.test/' }
  await Promise.all(Object.entries(given).map(([key, value]) => setSetting(paths, key, value)))
  expect((await readSettings(paths, {})).settings).toEqual({
    port: 1,
    timeout: 2,
    'log-days': 3,
    browser: 'w3m',
    'callback-url': 'https://x.test/',
  })
})

test('a copy that a killed process left is in nobody’s way', async () => {
  const { paths } = freshPaths()
  mkdirSync(path.join(paths.config, 'config.json.tmp'), { recursive: true })
  writeFileSync(path.join(paths.config, 'config.json.tmp', 'config.json'), '{"port"')
  await setSetting(paths, 'timeout', '5')
  expect((await readSettings(paths, {})).settings).toEqual({ timeout: 5 })
  expect(readdirSync(paths.config)).toEqual(['config.json'])
})
