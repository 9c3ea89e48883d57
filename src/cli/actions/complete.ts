import type { Command, Option } from 'commander'
import { asksOf } from '../../asks.ts'
import { listProviders } from '../../catalog/sources.ts'
import { locate } from '../../locate.ts'
import type { World } from '../../model/world.ts'
import { settingKeys } from '../../node/settings.ts'
import { catalogOf } from '../../sources.ts'
import { takenFlags } from '../questions.ts'
import { type Given, openSession } from '../session.ts'

/** Where the cursor stands: in which command, after which of its words, in the middle of what. */
interface Cursor {
  readonly command: Command
  /** Names of the command and its groups, `connections show`. */
  readonly path: string
  readonly operands: readonly string[]
  /** The option whose value is being typed. */
  readonly option?: string | undefined
  readonly partial: string
}

/** What the shells' completion asks: the words so far, the last one unfinished; an answer is a line. */
export async function run(given: Given): Promise<void> {
  const { world, print } = await openSession(given, { settings: false })
  const cursor = cursorIn(given.command.parent ?? given.command, given.arguments)
  const found = await candidates(world, cursor).catch(() => [])
  const fitting = [...new Set(found)].filter((word) => word.startsWith(cursor.partial) && /^[\x21-\x7e]+$/.test(word))
  await print.value(fitting, () => fitting.map((word) => `${word}\n`).join(''))
}

function cursorIn(program: Command, words: readonly string[]): Cursor {
  let command = program
  const path: string[] = []
  const operands: string[] = []
  let option: string | undefined
  for (const word of words.slice(0, -1)) {
    const takesValue = option !== undefined
    option = undefined
    if (takesValue) continue
    if (word.startsWith('-')) {
      const known = optionsOf(command).find(({ long, short }) => word === long || word === short)
      option = known?.required === true ? (known.long ?? undefined) : undefined
      continue
    }
    const inner = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (inner === undefined) operands.push(word)
    else {
      command = inner
      path.push(inner.name())
    }
  }
  return { command, path: path.join(' '), operands, option, partial: words.at(-1) ?? '' }
}

async function candidates(world: World, { command, path, operands, option, partial }: Cursor): Promise<string[]> {
  if (option !== undefined) return valuesOf(world, path, option)
  if (partial.startsWith('-')) return [...flagsOf(command), ...(await ownFlags(world, path, operands))]
  const inner = command.commands.map((one) => one.name()).filter((name) => name !== 'complete')
  if (inner.length > 0) return operands.length === 0 ? inner : []
  return operandsOf(world, path, operands)
}

/** A group's own options, and those of the `list` that it stands for. */
function optionsOf(command: Command): readonly Option[] {
  const list = command.commands.find((one) => one.name() === 'list')
  return [...command.options, ...(list?.options ?? [])]
}

function flagsOf(command: Command): string[] {
  return optionsOf(command)
    .flatMap(({ long, hidden }) => (long == null || hidden ? [] : [long]))
    .concat('--help')
}

/** A template's questions are flags of `connect` once its name is there. */
async function ownFlags(world: World, path: string, [name]: readonly string[]): Promise<string[]> {
  if (path !== 'connect' || name === undefined) return []
  const { provider } = await locate(world, name)
  return asksOf(provider.template, takenFlags()).flatMap(({ flags }) => flags.slice(0, 1))
}

async function valuesOf(world: World, path: string, option: string): Promise<string[]> {
  if (option === '--provider' || (option === '--as' && path === 'sandbox')) return providerNames(world)
  if (option === '--connection' || option === '--as') return connectionNames(world)
  if (option === '--client-auth')
    return ['post', 'basic', 'basic-raw', 'basic+post', 'custom', 'private_key_jwt', 'none']
  if (option === '--format') return ['json', 'env', 'header', 'curl', 'nango']
  if (option === '--state') return ['running', 'success', 'failed', 'cancelled', 'timeout']
  if (option !== '--fault') return []
  const { faults } = await import('../../sandbox/index.ts')
  return faults.map(({ name }) => name)
}

async function operandsOf(world: World, path: string, operands: readonly string[]): Promise<string[]> {
  const first = operands.length === 0
  if (path === 'connect' && first) return [...(await providerNames(world)), ...(await integrationNames(world))]
  if (path === 'providers show' && first) return providerNames(world)
  if (path === 'connections delete') return connectionNames(world)
  if (/^(connections )?(token|request|refresh|verify|revoke|inspect|show|export|rename)$/.test(path) && first)
    return connectionNames(world)
  if (/^integrations (show|check|delete)$/.test(path) && first) return integrationNames(world)
  if (/^config (get|set|unset)$/.test(path) && first) return Object.keys(settingKeys)
  if (path === 'logs show' && first) return ['last']
  return path === 'completion' && first ? ['bash', 'zsh', 'fish'] : []
}

async function connectionNames({ store }: World): Promise<string[]> {
  return (await store.lines()).map(({ name }) => name)
}

async function providerNames(world: World): Promise<string[]> {
  const { sources } = await catalogOf(world)
  return (await listProviders(sources)).map(({ name }) => name)
}

async function integrationNames(world: World): Promise<string[]> {
  const saved = await world.store.integrations.list()
  return [...((await catalogOf(world)).project?.integrations ?? []), ...saved.map(({ name }) => name)]
}
