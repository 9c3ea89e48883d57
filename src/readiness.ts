import { integrate } from './integrate.ts'
import { locate } from './locate.ts'
import { environmentName } from './look-up.ts'
import type { ConnectionLine } from './model/connection.ts'
import { AuthCliError } from './model/errors.ts'
import type { Need, World } from './model/world.ts'
import { assertPossible } from './needs.ts'

/** One thing that a flow needs, and whether it is there. */
export interface Finding {
  readonly what: string
  /** `told`: nothing is wrong as far as can be seen from here, but it has to be so at the provider. */
  readonly state: 'ready' | 'missing' | 'told'
  /** Where it comes from, or what is wrong. */
  readonly says: string
  readonly fix?: string | undefined
}

/**
 * What `connect` would find missing before a browser opens: variables of the project file, trust, answers, the client, a
 * redirect URL that suits. Opens nothing, sends nothing, keeps nothing. Throws UsageError `UNKNOWN_PROVIDER`; TemplateError.
 */
export async function checkIntegration(world: World, name: string): Promise<readonly Finding[]> {
  const located = await locate(world, name)
  const { provider, entry, project } = located
  const findings: Finding[] = [
    {
      what: 'template',
      state: 'ready',
      says: `${provider.title}, ${provider.template.auth_mode} (${provider.source.file})`,
    },
  ]
  await finding(findings, 'provider', async () => void assertPossible(provider))
  const variables = [...new Set((entry?.references ?? []).map(({ name: one }) => one))]
  for (const one of variables) {
    const isSet = (world.env[one] ?? '') !== ''
    findings.push({
      what: one,
      state: isSet ? 'ready' : 'missing',
      says: isSet ? 'set in the environment' : `not set; ${project?.file} reads it`,
      ...(isSet ? {} : { fix: `export ${one}=…, or --env-file with a file that has it` }),
    })
  }
  const given = { save: false } as const
  if (project !== undefined) {
    await finding(
      findings,
      'trust',
      () => integrate(dryWorld(world, variables, false), located, given),
      'PROJECT_UNTRUSTED',
    )
  }
  const dry = dryWorld(world, variables, true)
  const decided = await finding(findings, 'decisions', () => integrate(dry, located, given))
  for (const need of dry.missing) {
    findings.push({
      what: need.key,
      state: 'missing',
      says: `${need.label} is not known`,
      fix: `${need.flag}, ${environmentName(name)}_${environmentName(need.key)} in the environment, or auth-cli integrations add`,
    })
  }
  if (decided === undefined) return findings
  for (const [key, from] of Object.entries(decided.answeredBy)) {
    if (!dry.missing.some((need) => need.key === key)) findings.push({ what: key, state: 'ready', says: from })
  }
  if (decided.redirectUri !== '') {
    const where = decided.registerUrl === undefined || dry.missing.length > 0 ? '' : ` (${decided.registerUrl})`
    findings.push({
      what: 'redirect URL',
      state: 'told',
      says: decided.redirectUri.replace(/:0(?=\/)/, ':<any port>'),
      fix: `It must be registered at ${provider.title}${where}.`,
    })
  }
  return findings
}

/** Runs a part of the check; what it refuses is a finding. `only`: the one code that is looked for. */
async function finding<T>(
  findings: Finding[],
  what: string,
  act: () => Promise<T>,
  only?: string,
): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof AuthCliError)) throw error
    if (only !== undefined && error.code !== only) return undefined
    findings.push({
      what,
      state: 'missing',
      says: error.message,
      ...(error.hint === undefined ? {} : { fix: error.hint }),
    })
    return undefined
  }
}

/** A World in which nobody answers, nothing is kept, and whatever is missing is noted and stood in for. */
function dryWorld(
  world: World,
  variables: readonly string[],
  isTrusting: boolean,
): World & { readonly missing: Need[] } {
  const missing: Need[] = []
  const trusted = { hash: '', file: '', at: '' }
  const standIns = Object.fromEntries(variables.map((one) => [one, world.env[one] || 'stand-in']))
  return {
    ...world,
    env: { ...world.env, ...standIns },
    // What stands in for a secret is none.
    secrets: { ...world.secrets, learn: (value) => value },
    missing,
    emit: () => {},
    confirm: async () => undefined,
    ask: async (needs) => {
      const open = needs.filter(({ prompt }) => prompt.optional !== true && prompt.default_value === undefined)
      missing.push(...open)
      return Object.fromEntries(open.map(({ key, prompt }) => [key, prompt.example ?? prompt.enum?.[0] ?? 'stand-in']))
    },
    store: {
      connections: world.store.connections,
      integrations: world.store.integrations,
      clients: world.store.clients,
      intents: world.store.intents,
      lines: (onBroken?: Parameters<World['store']['lines']>[0]): Promise<ConnectionLine[]> =>
        world.store.lines(onBroken),
      trust: {
        ...world.store.trust,
        read: async (hash) => (isTrusting ? trusted : world.store.trust.read(hash)),
        update: async () => trusted,
      },
    },
  }
}
