import { UsageError } from '../../model/errors.ts'
import { setSetting, settingKeys, unsetSetting } from '../../node/settings.ts'
import { pad } from '../output/style.ts'
import { type Given, openSession, type Session } from '../session.ts'

/** `config list`: every preference, what it is now and who decided it. */
export async function list(given: Given): Promise<void> {
  const session = await openSession(given)
  const { settings, settingsFrom } = session.world
  const rows = Object.entries(settingKeys).map(([key, { description }]) => ({
    key,
    value: settings[key as keyof typeof settings] ?? null,
    from: settingsFrom[key] ?? null,
    description,
  }))
  await session.print.value(rows, (style) =>
    rows
      .map(({ key, value, from, description }) => {
        const shown =
          value === null ? style.dim('not set') : `${style.bold(style.text(String(value)))}${style.dim(` (${from})`)}`
        return `  ${pad(key, 14)} ${shown}\n  ${' '.repeat(14)} ${style.dim(description)}`
      })
      .join('\n'),
  )
}

/** `config get <key>`: its value alone on stdout. */
export async function print(given: Given): Promise<void> {
  const session = await openSession(given)
  const key = known(given.arguments[0] ?? '')
  const value = session.world.settings[key]
  if (value === undefined)
    throw new UsageError('NOT_SET', `${key} is not set.`, { hint: `Set it: auth-cli config set ${key} <value>` })
  await session.print.value({ key, value }, () => String(value))
}

export async function set(given: Given): Promise<void> {
  const session = await openSession(given, { settings: false })
  const [key = '', value = ''] = given.arguments
  const kept = await setSetting(session.paths, key, value)
  await printChange(session, { key, value: kept }, `${key} is ${kept}`)
}

export async function unset(given: Given): Promise<void> {
  const session = await openSession(given, { settings: false })
  const [key = ''] = given.arguments
  const was = await unsetSetting(session.paths, key)
  if (!was) return session.print.value({ key, value: null }, () => `${key} was not set`)
  await printChange(session, { key, value: null }, `${key} is no longer set`)
}

/** A redirect URL that changes has to be registered at every provider first. */
async function printChange(
  { world, print }: Session,
  change: { readonly key: string; readonly value: string | number | null },
  says: string,
): Promise<void> {
  if (change.key !== 'callback-url') return print.value(change, () => says)
  const { loopbackRedirectUri, registrationsFor } = await import('../../registrations.ts')
  const url = String(change.value ?? loopbackRedirectUri)
  const register = await registrationsFor(world, url)
  const { registrationsScreen } = await import('../output/registrations.ts')
  await print.value({ ...change, register }, (style) =>
    [says, ...registrationsScreen(register, url, change.value !== null, style)].join('\n'),
  )
}

function known(key: string): keyof typeof settingKeys {
  if (Object.hasOwn(settingKeys, key)) return key as keyof typeof settingKeys
  throw new UsageError('BAD_SETTING', `There is no preference called "${key}".`, {
    hint: `There are ${Object.keys(settingKeys).join(', ')}.`,
  })
}
