import { dialectOf } from './dialects/index.ts'
import { authorizeIn, hearCallback, speak, tokensIn } from './dialects/speak.ts'
import type { Remark, Send, Setting } from './model/dialect.ts'
import type { Tell } from './model/event.ts'
import type { World } from './model/world.ts'
import type { Speech } from './modes/mode.ts'
import { randomUuid } from './wire/authorization.ts'
import { type Received, record, type Transmit } from './wire/record.ts'

/**
 * Strings the line to a provider: the recorder innermost, so that the log shows what truly crossed; the dialect outermost.
 * `names`: the provider's and those that its alias stands for.
 */
export function speechOf(world: World, tell: Tell, names: string | readonly string[]): Speech {
  const accent = dialectOf(names)
  const remark: Remark = (quirk) => tell({ type: 'quirk', quirk })
  return {
    authorize: (url, setting) => authorizeIn(accent, url, setting, remark),
    hear: (params, setting) => hearCallback(accent, params, setting, remark),
    line: (purpose, setting, certificate) => {
      const tokens = (answer: Received): readonly string[] => tokensIn(accent, answer, setting)
      const withCertificate = (transmit: Transmit): Transmit =>
        certificate === undefined ? transmit : (request) => transmit({ ...request, certificate })
      const send: Send = (own, { body, ...request }) =>
        withCertificate(record(world, tell, own, tokens))({ ...request, ...(body === undefined ? {} : { body }) })
      return speak(accent, withCertificate(record(world, tell, purpose, tokens)), dated(setting, world), remark, send)
    },
    renewsWithoutToken: accent.renewsWithoutToken === true,
    forgets: accent.forgets ?? [],
    transmit: (purpose, secretsIn) => record(world, tell, purpose, secretsIn),
  }
}

/** The setting with an instant and a random value, made at first use and the same from then on. */
function dated(setting: Setting, { clock, random }: Pick<World, 'clock' | 'random'>): Setting {
  let now: Date | undefined
  let value: string | undefined
  return {
    ...setting,
    get now() {
      now ??= clock.now()
      return now
    },
    get random() {
      value ??= randomUuid(random)
      return value
    },
  }
}
