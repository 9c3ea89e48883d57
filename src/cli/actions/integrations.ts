import {
  addIntegration,
  deleteIntegration,
  dependentsOf,
  type KnownIntegration,
  knownIntegration,
  knownIntegrations,
} from '../../integrations.ts'
import { UsageError } from '../../model/errors.ts'
import type { SavedIntegration } from '../../model/integration.ts'
import { isSecretName } from '../../model/secret.ts'
import { checkIntegration, type Finding } from '../../readiness.ts'
import { catalogOf } from '../../sources.ts'
import { plain, type Style } from '../output/style.ts'
import { type Labelled, labelled, table } from '../output/table.ts'
import { secretFlag } from '../secret-flag.ts'
import { type Given, openSession, readPairs, type Session } from '../session.ts'
import { scopesOf } from './connect.ts'

/** `auth-cli integrations [list]`: those of the project file and those that are saved. */
export async function list(given: Given): Promise<void> {
  const session = await openSession(given)
  const { world, print } = session
  const all = (await knownIntegrations(world)).map((one) => masked(one, session))
  const { project } = await catalogOf(world)
  if (!session.quiet)
    for (const { file, line, message } of project?.warnings ?? [])
      process.stderr.write(`! ${plain(line === undefined ? file : `${file}:${line}`)}  ${plain(message)}\n`)
  await print.value(all, (style) => {
    if (all.length === 0)
      return style.terminal
        ? 'No integrations yet. To add one:\n\n  auth-cli integrations add <name> --provider <provider>\n'
        : ''
    return table(
      all,
      [
        { title: 'name', cell: ({ name }) => name, paint: style.bold, kept: true },
        { title: 'provider', cell: ({ provider }) => provider },
        { title: 'client id', cell: ({ clientId = '' }) => clientId },
        { title: 'secret', cell: ({ hasSecret }) => (hasSecret ? 'yes' : 'no') },
        { title: 'from', cell: ({ from }) => from },
      ],
      style,
    )
  })
}

export async function add(given: Given): Promise<void> {
  const { options } = given
  const session = await openSession(given)
  const { world, print } = session
  const seen = new Set<string>()
  const params = readPairs('--param', options['param'])
  for (const [key, value] of Object.entries(params)) {
    if (isSecretName(key)) params[key] = (await secretFlag(`--param ${key}`, value, session, seen)) ?? ''
  }
  const saved = await addIntegration(world, {
    name: given.arguments[0] ?? '',
    provider: options['provider'] as string | undefined,
    clientId: options['clientId'] as string | undefined,
    clientSecret: await secretFlag('--client-secret', options['clientSecret'], session, seen),
    scopes: scopesOf(options['scope']),
    params,
    replace: options['replace'] === true,
  })
  await print.value(maskedSaved(saved, session), (style) =>
    [
      `${style.good(style.symbols.done)} Kept ${style.bold(style.text(saved.name))}, an integration of ${style.text(saved.provider)}.`,
      `  ${style.bold(style.text(`auth-cli connect ${saved.name}`))}`,
    ].join('\n'),
  )
}

export async function show(given: Given): Promise<void> {
  const session = await openSession(given)
  const { world, print } = session
  const found = masked(await knownIntegration(world, given.arguments[0] ?? ''), session)
  const connections = await dependentsOf(world, found.name)
  await print.value({ ...found, connections }, (style) => screen(found, connections, style))
}

function screen(found: KnownIntegration, connections: readonly string[], style: Style): string {
  const pairs: Labelled[] = [
    ['name', style.bold(style.text(found.name))],
    ['provider', style.text(found.provider)],
    ...(found.clientId === undefined ? [] : [['client id', style.text(found.clientId)] as const]),
    ['client secret', found.hasSecret ? 'yes' : 'none'],
    ...(found.scopes === undefined ? [] : [['scopes', style.text(found.scopes.join(', '))] as const]),
    ...Object.entries(found.params).map(([key, value]): Labelled => [style.text(key), style.text(value)]),
    ['from', style.text(found.file ?? 'saved')],
    ['connections', connections.length === 0 ? 'none' : style.text(connections.join(', '))],
  ]
  return labelled(pairs, style)
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

export async function remove(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const [name = ''] = given.arguments
  const found = await knownIntegration(world, name)
  if (given.options['yes'] !== true && (await dependentsOf(world, found.name)).length === 0) {
    const sure = await world.confirm(`Delete the integration ${found.name}?`, world.signal)
    if (sure === undefined) {
      throw new UsageError('MISSING_INPUT', 'Deleting wants a yes.', {
        hint: `Say it with --yes: auth-cli integrations delete ${found.name} --yes`,
      })
    }
    if (!sure) return print.value({ deleted: [] }, () => 'Nothing was deleted.')
  }
  await deleteIntegration(world, name)
  await print.value(
    { deleted: [found.name] },
    () => `Deleted ${found.name}. Its client is still registered at ${found.provider}.`,
  )
}

/** `auth-cli integrations check <name>`: exits 2 where a flow would find something missing. */
export async function check(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const [name = ''] = given.arguments
  const findings = await checkIntegration(world, name)
  const missing = findings.filter(({ state }) => state === 'missing')
  await print.value({ name, isReady: missing.length === 0, findings }, (style) => findingsScreen(findings, style))
  if (missing.length === 0) return
  throw new UsageError(
    'NOT_READY',
    `"${name}" cannot be connected yet: ${missing.map(({ what }) => what).join(', ')}.`,
    {
      hint: missing[0]?.fix,
    },
  )
}

function findingsScreen(findings: readonly Finding[], style: Style): string {
  const { symbols } = style
  const signs = {
    ready: style.good(symbols.done),
    missing: style.bad(symbols.failed),
    told: style.warn(symbols.warning),
  }
  return findings
    .flatMap(({ what, state, says, fix }) => [
      `${signs[state]} ${style.bold(style.text(what))}   ${style.text(says)}`,
      ...(fix === undefined || state === 'ready' ? [] : [`  ${style.text(fix)}`]),
    ])
    .map((line) => `${line}\n`)
    .join('')
}

/** A secret answer is masked; one that names a variable of the environment is none. */
function masked(one: KnownIntegration, { world, reveal }: Session): KnownIntegration {
  if (reveal) return one
  const params = Object.entries(one.params).map(([key, value]) => [
    key,
    isSecretName(key) && !/^\$\{\w+\}$/.test(value) ? world.secrets.mask(value) : value,
  ])
  return { ...one, params: Object.fromEntries(params) }
}

function maskedSaved(saved: SavedIntegration, { world, reveal }: Session): SavedIntegration {
  if (reveal) return saved
  const { mask } = world.secrets
  const params = Object.entries(saved.params ?? {}).map(([key, value]) => [
    key,
    isSecretName(key) ? mask(value) : value,
  ])
  return {
    ...saved,
    ...(saved.clientSecret === undefined ? {} : { clientSecret: mask(saved.clientSecret) }),
    ...(saved.params === undefined ? {} : { params: Object.fromEntries(params) }),
  }
}
