import { dialectOf } from './dialects/index.ts'
import { authorizeIn, hearCallback, speak, tokensIn } from './dialects/speak.ts'
import type { Remark } from './model/dialect.ts'
import type { Tell } from './model/event.ts'
import type { World } from './model/world.ts'
import type { Speech } from './modes/mode.ts'
import { type Received, record } from './wire/record.ts'

/** Strings the line to a provider: the recorder innermost, so that the log shows what truly crossed; the dialect outermost. */
export function speechOf(world: World, tell: Tell, provider: string): Speech {
  const accent = dialectOf(provider)
  const remark: Remark = (quirk) => tell({ type: 'quirk', quirk })
  return {
    authorize: (url, setting) => authorizeIn(accent, url, setting, remark),
    hear: (params, setting) => hearCallback(accent, params, setting, remark),
    line: (purpose, setting) => {
      const tokens = (answer: Received): readonly string[] => tokensIn(accent, answer, setting)
      return speak(accent, record(world, tell, purpose, tokens), setting, remark)
    },
    transmit: (purpose) => record(world, tell, purpose),
  }
}
