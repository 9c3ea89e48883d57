import { mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { MachineError, UsageError } from '../model/errors.ts'
import type { Settings } from '../model/world.ts'
import { diskTrouble, readIfThere, readTrouble, replaceWhole } from './disk.ts'
import { withLock } from './lock.ts'
import type { Paths } from './paths.ts'

export type SettingKey = keyof Settings

/** One preference: what it means, where else it may be given, and what it may be. */
export interface Setting {
  readonly description: string
  /** The environment variable that overrides it. */
  readonly variable: string
  /** The allowed form, as the end of "It must be …". */
  readonly form: string
  /** The value to keep, or what is wrong with it. */
  readonly accept: (given: string) => { readonly value: string | number } | { readonly problem: string }
}

/** Seconds; the longest wait that a timer can take. */
const longestTimeout = 2_147_483

/** Every preference that `config` keeps. */
export const settingKeys: Readonly<Record<SettingKey, Setting>> = {
  'callback-url': {
    description: 'Redirect URL sent to providers instead of the loopback one',
    variable: 'AUTH_CLI_CALLBACK_URL',
    form: 'an http or https URL without user name and fragment, e.g. https://example.com/oauth-callback',
    accept: acceptCallbackUrl,
  },
  port: {
    description: 'Port on which the callback is awaited; 0 takes any free one',
    variable: 'AUTH_CLI_PORT',
    form: 'a whole number from 0 to 65535',
    accept: (given) => acceptNumber(given, { whole: true, from: 0, to: 65_535 }),
  },
  browser: {
    description: 'Command that opens a URL, put in place of %s or last',
    variable: 'AUTH_CLI_BROWSER',
    form: 'a command, e.g. "firefox --private-window %s"',
    accept: (given) => (given.trim() === '' ? { problem: 'it is empty' } : { value: given.trim() }),
  },
  timeout: {
    description: 'Seconds to wait for the person at the provider',
    variable: 'AUTH_CLI_TIMEOUT',
    form: 'a number of seconds above 0, e.g. 300',
    accept: (given) => acceptNumber(given, { whole: false, above: 0, to: longestTimeout }),
  },
  'log-days': {
    description: 'Days for which logs are kept',
    variable: 'AUTH_CLI_LOG_DAYS',
    form: 'a whole number of days from 1',
    accept: (given) => acceptNumber(given, { whole: true, from: 1, to: 36_500 }),
  },
  keyring: {
    description: 'Whether secrets are sealed under a key in your keychain',
    variable: 'AUTH_CLI_KEYRING',
    form: 'off (files), auto (the keychain where one works) or required (nothing is saved without it)',
    accept: acceptKeyring,
  },
  'callback-cert': {
    description: 'PEM file of the certificate for an https callback on this machine',
    variable: 'AUTH_CLI_CALLBACK_CERT',
    form: 'the path of a file',
    accept: acceptPath,
  },
  'callback-key': {
    description: "PEM file of that certificate's private key",
    variable: 'AUTH_CLI_CALLBACK_KEY',
    form: 'the path of a file',
    accept: acceptPath,
  },
}

export interface GivenSettings {
  readonly settings: Settings
  readonly from: Readonly<Record<string, 'environment' | 'config'>>
}

/**
 * The preferences in force, those of the environment over those kept. Keys that we do not know are left alone.
 * Throws UsageError `BAD_SETTING`, MachineError `STORE_CORRUPT`, `NOT_READABLE`.
 */
export async function readSettings(
  paths: Pick<Paths, 'config'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<GivenSettings> {
  const file = settingsFile(paths)
  const kept = keptSettings(file)
  const settings: Record<string, string | number> = {}
  const from: Record<string, 'environment' | 'config'> = {}
  for (const [key, { variable }] of Object.entries(settingKeys) as [SettingKey, Setting][]) {
    const given = env[variable]
    if (given) {
      settings[key] = accepted(key, given, `${variable} in the environment`)
      from[key] = 'environment'
    } else if (Object.hasOwn(kept, key)) {
      const value = kept[key]
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
      settings[key] = accepted(key, text, `"${key}" in ${file}`)
      from[key] = 'config'
    }
  }
  return { settings, from }
}

/**
 * Keeps a preference; resolves with the value as kept. Throws UsageError `BAD_SETTING`, MachineError `STORE_CORRUPT`,
 * `DISK_FULL`, `NOT_WRITABLE`, and then what was kept before is untouched.
 */
export async function setSetting(paths: Pick<Paths, 'config'>, key: string, value: string): Promise<string | number> {
  const known = knownKey(key)
  const kept = accepted(known, value, `"${key}"`)
  await rewrite(paths, known, kept)
  return kept
}

/** True when it was set. Throws as `setSetting` does. */
export async function unsetSetting(paths: Pick<Paths, 'config'>, key: string): Promise<boolean> {
  const known = knownKey(key)
  if (!Object.hasOwn(keptSettings(settingsFile(paths)), known)) return false
  await rewrite(paths, known)
  return true
}

/**
 * Sets the key, or deletes it where there is no value. conf takes a full disk for a success and leaves half a file, so
 * it works on a copy, which takes the file's place only once it reads back as it should.
 */
async function rewrite(paths: Pick<Paths, 'config'>, key: SettingKey, value?: string | number): Promise<void> {
  const file = settingsFile(paths)
  const workshop = `${file}.tmp`
  const copy = settingsFile({ config: workshop })
  await withLock(`${file}.lock`, { what: 'The settings file' }, async () => {
    const before = keptSettings(file)
    const after = { ...before, [key]: value }
    try {
      // Ours while we hold the lock: what stands there was left by a killed process.
      rmSync(workshop, { recursive: true, force: true })
      mkdirSync(workshop, { mode: 0o700 })
      replaceWhole(copy, JSON.stringify(before))
      const conf = await openConf(workshop)
      if (value === undefined) conf.delete(key)
      else conf.set(key, value)
      verifyWritten(copy, after)
      renameSync(copy, file)
    } catch (error) {
      throw diskTrouble(error, 'the setting was not saved', paths.config)
    } finally {
      rmSync(workshop, { recursive: true, force: true })
    }
  })
}

/** Loaded at the first write only: it costs more than the rest of a short command. */
async function openConf(folder: string) {
  const { default: Conf } = await import('conf')
  return new Conf<Record<string, unknown>>({
    cwd: folder,
    configName: 'config',
    configFileMode: 0o600,
    accessPropertiesByDotNotation: false,
    projectSuffix: '',
    clearInvalidConfig: false,
  })
}

function verifyWritten(file: string, wanted: object): void {
  const written = parseSettings(readIfThere(file)?.toString('utf8') ?? '')
  if (JSON.stringify(written) !== JSON.stringify(wanted)) {
    throw Object.assign(new Error('the settings file was written only in part'), { code: 'ENOSPC', syscall: 'write' })
  }
}

function settingsFile(paths: Pick<Paths, 'config'>): string {
  return path.join(paths.config, 'config.json')
}

/**
 * What the file holds, unchecked; nothing where there is none. Read without conf, which costs every command 60 ms and
 * whose complaint about a broken file quotes it.
 */
function keptSettings(file: string): Record<string, unknown> {
  let text: string | undefined
  try {
    text = readIfThere(file)?.toString('utf8')
  } catch (error) {
    throw readTrouble(error, file)
  }
  if (text === undefined) return {}
  const settings = parseSettings(text)
  if (settings) return settings
  throw new MachineError('STORE_CORRUPT', `The settings file ${file} does not hold one JSON object.`, {
    hint: 'Mend it, or delete it and set the preferences again: auth-cli config set <key> <value>',
  })
}

function parseSettings(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function knownKey(key: string): SettingKey {
  if (Object.hasOwn(settingKeys, key)) return key as SettingKey
  throw new UsageError('BAD_SETTING', `There is no setting called "${visible(key)}".`, {
    hint: `The settings are ${Object.keys(settingKeys).join(', ')}.`,
  })
}

/** `place`: where the value was given, as the sentence's subject. */
function accepted(key: SettingKey, given: string, place: string): string | number {
  const { accept, form } = settingKeys[key]
  const verdict = accept(given)
  if ('value' in verdict) return verdict.value
  throw new UsageError('BAD_SETTING', `${place} cannot be used: ${verdict.problem}.`, {
    hint: `"${key}" must be ${form}.`,
  })
}

function acceptKeyring(given: string): ReturnType<Setting['accept']> {
  const word = given.trim().toLowerCase()
  return ['off', 'auto', 'required'].includes(word)
    ? { value: word }
    : { problem: `"${visible(word)}" is none of off, auto and required` }
}

/** Kept whole, so that it means the same from every folder. */
function acceptPath(given: string): ReturnType<Setting['accept']> {
  return given.trim() === '' ? { problem: 'it is empty' } : { value: path.resolve(given.trim()) }
}

interface NumberRule {
  readonly whole: boolean
  readonly from?: number
  readonly above?: number
  readonly to: number
}

function acceptNumber(given: string, { whole, from, above, to }: NumberRule): ReturnType<Setting['accept']> {
  const text = given.trim()
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) return { problem: `"${visible(text)}" is not a number` }
  const value = Number(text)
  if (whole && !Number.isInteger(value)) return { problem: `${text} is not a whole number` }
  if ((from !== undefined && value < from) || (above !== undefined && value <= above)) {
    return { problem: `${visible(text)} is too small` }
  }
  return value > to ? { problem: `${visible(text)} is too large` } : { value }
}

/** Kept byte for byte: providers compare redirect URLs as strings. */
function acceptCallbackUrl(given: string): ReturnType<Setting['accept']> {
  const text = given.trim()
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return { problem: 'it is not a URL' }
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: 'it is not an http or https URL' }
  if (!/^https?:\/\/[^/\\]/i.test(text)) return { problem: 'it names no host' }
  if (/^https?:\/\/[^/?#\\]*@/i.test(text)) return { problem: 'it holds a user name or password' }
  if (text.includes('#')) return { problem: 'it has a fragment, which no redirect URL may have (RFC 6749 §3.1.2)' }
  return { value: text }
}

/** Fit to stand in a message: no control or invisible characters, not endless. */
function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?').slice(0, 60)
}
