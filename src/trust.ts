import { asksOf } from './asks.ts'
import { type Project, referencesIn } from './catalog/project.ts'
import type { Question } from './catalog/questions.ts'
import { endpointsOf, originsOf } from './endpoints.ts'
import { placeholders } from './fill/placeholders.ts'
import type { Located } from './locate.ts'
import { type Answer, environmentName, type Found, type Given, textOf } from './look-up.ts'
import type { Connection } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import type { AnswerSource, Endpoints } from './model/integration.ts'
import type { Template } from './model/provider.ts'
import type { World } from './model/world.ts'
import { traitsOf } from './modes/index.ts'

/** Secrets of the person's that a project file would send somewhere. */
export interface Exposure {
  /** Variables of the environment, or the saved secret in words. */
  readonly what: readonly string[]
  /** Hosts that would receive them. */
  readonly to: readonly string[]
}

/**
 * Asks once per content whether a project file may have what it wants; a cloned repository is a stranger. Throws
 * UsageError `PROJECT_UNTRUSTED` where the answer is no, or nobody can be asked.
 */
export async function assertTrusted(
  world: World,
  project: Project,
  exposures: readonly Exposure[],
  isGiven: boolean,
): Promise<void> {
  const hash = await project.hash()
  if (hash !== undefined && (await world.store.trust.read(hash)) !== undefined) return
  const lines = exposures.map(({ what, to }) => `${what.join(', ')} would go to ${to.join(', ')}`)
  if (!isGiven) {
    const question = `${project.file} wants secrets of yours: ${lines.join('; ')}. Trust this file?`
    if ((await world.confirm(question, world.signal)) !== true) {
      throw new UsageError(
        'PROJECT_UNTRUSTED',
        `${project.file} is not trusted with secrets of yours: ${lines.join('; ')}.`,
        {
          hint: 'Read the file. If it is yours, say so with --trust-project; it is remembered until the file changes.',
        },
      )
    }
  }
  const at = world.clock.now().toISOString()
  if (hash !== undefined) await world.store.trust.update(hash, () => ({ hash, file: project.file, at }))
}

/** What this run would hand to whom because a project file says so; the person is asked, once per content. */
export async function trustFor(
  world: World,
  located: Located,
  given: Given,
  found: Found,
  asked: readonly Question[],
  secretKeys: ReadonlySet<string>,
): Promise<void> {
  const { project, provider } = located
  if (project === undefined) return
  const { kind } = provider.source
  // A URL in the place of a provider's name is a host that the file chose.
  const ofProject = kind === 'project' || (kind === 'address' && located.entry !== undefined)
  const hostKeys = hostAnswers(provider.template)
  const chosen = [...found.params].some(([key, { from }]) => from === 'project file' && hostKeys.has(key))
  const values: [string, Answer | undefined][] = [
    ...found.params,
    ['client-id', found.clientId],
    ['client-secret', found.clientSecret],
  ]
  const names = values.flatMap(([label, answer]) => secretNames(label, answer, located, secretKeys))
  const extra = [
    ...Object.values(located.entry?.authorizationParams ?? {}),
    ...Object.values(located.entry?.tokenParams ?? {}),
    ...(located.entry?.scopes ?? []),
  ]
  const spelled = extra.flatMap((one) => referencesIn(one).map(({ name }) => name))
  const inParams = [...found.params].flatMap(([, { written: text }]) =>
    text === undefined ? [] : referencesIn(text).map(({ name }) => name),
  )
  // Beside the client's own fields a variable is out of place even at an honest provider, which may hand it on: `state`.
  const secrets = [...new Set([...(ofProject || chosen ? names : inParams), ...spelled])]
  const exposures: Exposure[] = []
  if (secrets.length > 0) exposures.push({ what: secrets, to: hostsFor(located, found, asked, world) })
  const foreign = located.entry?.callbackUrl ?? project.settings.callbackUrl
  if (foreign !== undefined && given.callbackUrl === undefined && /\$\{/.test(foreign.text)) {
    exposures.push({ what: [foreign.text], to: ['the redirect URL'] })
  }
  // Said without need it is remembered all the same: the file's `browser` waits for it too. A broken file has no content.
  const isGiven = given.trustProject === true && (await project.hash()) !== undefined
  if (exposures.length > 0 || isGiven) await assertTrusted(world, project, exposures, isGiven)
}

/** What a value would give away: the variables it reads, or the store it comes from. */
function secretNames(
  label: string,
  answer: Answer | undefined,
  { name }: Located,
  secretKeys: ReadonlySet<string>,
): string[] {
  if (answer === undefined || answer.value === '') return []
  const { from } = answer
  if (answer.written !== undefined) return referencesIn(answer.written).map((reference) => reference.name)
  if (from === 'environment') return [`${environmentName(name)}_${environmentName(label)}`]
  if (from !== 'saved connection' && from !== 'saved integration') return []
  if (label === 'client-secret') return [`the client secret of the ${from}`]
  return secretKeys.has(label) ? [`the ${label} of the ${from}`] : []
}

/** Answers that are secrets, by the template that was asked then or by the one that would get them now. */
export function secretParams(before: Connection | undefined, asked: readonly Question[]): Set<string> {
  const then =
    before === undefined ? [] : asksOf(before.snapshot.template).map(({ key, prompt }) => [key, prompt] as const)
  return new Set([
    ...then.flatMap(([key, { secret }]) => (secret === true ? [key] : [])),
    ...asked.flatMap(({ key, prompt }) => (prompt.secret === true ? [key] : [])),
  ])
}

/** The token endpoint, or one for each of several ways. */
function tokenUrlsOf({ token_url: written }: Template): string[] {
  const all: unknown[] = typeof written === 'object' && written !== null ? Object.values(written) : [written]
  return all.filter((url) => typeof url === 'string')
}

/** The answers that stand in the host of an endpoint. */
function hostAnswers(template: Template): Set<string> {
  const urls = [
    template.authorization_url,
    ...tokenUrlsOf(template),
    template.refresh_url,
    template.proxy?.base_url,
    template.issuer,
  ]
  const hosts = urls.flatMap((url) =>
    url === undefined
      ? []
      : [
          url
            .split('||')
            .map((part) => part.trim().replace(/^([a-z]+:\/\/[^/?#]*).*$/i, '$1'))
            .join(' || '),
        ],
  )
  const named = hosts
    .flatMap((host) => placeholders(host))
    .map((path) => path.replace(/^(?:connectionConfig|credentials)\./, ''))
  // Whom a server names as its authorization server is the server's choice, and so that of whoever chose the server.
  return new Set([...named, ...Object.keys(traitsOf(template.auth_mode).asksFirst ?? {})])
}

function hostsFor(located: Located, found: Found, asked: readonly Question[], world: World): string[] {
  const params = Object.fromEntries([...found.params].map(([key, answer]) => [key, textOf(answer, world.env, true)]))
  try {
    const own = originsOf(endpointsOf(located, { params }, asked)).map((origin) => new URL(origin).host)
    return [...new Set([...own, ...stepHosts(located.provider.template)])]
  } catch {
    return [`hosts that ${located.project?.file ?? 'the project file'} chooses`]
  }
}

/** Where the later steps of a log-in lead, as the template writes it. */
function stepHosts({ additional_steps: steps = [] }: Template): string[] {
  return steps.flatMap(
    ({ token_url: url = '' }) => /^\s*https?:\/\/([^/?#]+)/i.exec(url)?.[1] ?? 'wherever its answers lead',
  )
}

/**
 * A saved secret, the client's or an answer, goes only where it went before: the origins, where one is reused. Throws
 * UsageError `ORIGIN_CHANGED`.
 */
export function assertReusable(
  endpoints: Endpoints,
  before: Connection | undefined,
  { saved, name }: Located,
  answers: {
    readonly params: Readonly<Record<string, string>>
    readonly answeredBy: Readonly<Record<string, AnswerSource>>
    readonly clientSecret: string
    readonly secretFrom: AnswerSource
  },
  secretKeys: ReadonlySet<string>,
): readonly string[] | undefined {
  const sources = [...secretKeys].filter((key) => answers.params[key]).map((key) => answers.answeredBy[key])
  if (answers.clientSecret !== '') sources.push(answers.secretFrom)
  const bound = sources.includes('saved connection')
    ? before?.snapshot.origins
    : sources.includes('saved integration')
      ? saved?.origins
      : undefined
  if (bound === undefined) return undefined
  const other = originsOf(endpoints).filter((origin) => !bound.includes(origin))
  if (other.length === 0) return bound
  throw new UsageError(
    'ORIGIN_CHANGED',
    `What was saved as a secret of "${name}" belongs to ${bound.join(', ')}, but the template now names ${other.join(', ')}.`,
    {
      hint: 'If that is right, give the secrets again, for example --client-secret -. If not, look at the template: somebody has changed it.',
    },
  )
}
