import { asksOf } from '../asks.ts'
import { findProvider } from '../catalog/find.ts'
import { givenSource } from '../catalog/given.ts'
import { type Located, locate } from '../locate.ts'
import type { Given } from '../look-up.ts'
import type { Connection } from '../model/connection.ts'
import type { LogEvent } from '../model/event.ts'
import type { Template } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { catalogOf } from '../sources.ts'

/** What every call takes. */
export interface CallOptions {
  /** Told everything that happens, as it happens; no secret stands in it. */
  readonly onEvent?: ((event: LogEvent) => void) | undefined
  /** Ends what is under way: it rejects with `Cancelled`. */
  readonly signal?: AbortSignal | undefined
}

/** A template as one writes it, in the format of the template files. */
export type TemplateInput = Partial<Template> & Pick<Template, 'auth_mode'>

export interface ConnectOptions extends CallOptions {
  /** Name of the connection; the provider's where absent. A second connect under a name re-authorizes it. */
  readonly as?: string | undefined
  /** Answers to the provider's questions (`connection_config`): `{ subdomain: 'acme' }`. */
  readonly params?: Readonly<Record<string, string>> | undefined
  /**
   * `clientId` and `clientSecret`; or what the mode asks for: `apiKey`, `username`, `password`, … by the template's names.
   * Without a secret the client is a public one.
   */
  readonly credentials?: Readonly<Record<string, string>> | undefined
  /** Scopes to ask for, instead of the template's. */
  readonly scopes?: readonly string[] | undefined
  /** Adds or overrides parameters of the authorization request; null removes one. */
  readonly authorizationParams?: Readonly<Record<string, string | null>> | undefined
  /** The same for the token request. */
  readonly tokenParams?: Readonly<Record<string, string | null>> | undefined
  readonly clientAuth?: 'post' | 'basic' | 'basic-raw' | 'basic+post' | 'none' | undefined
  readonly pkce?: boolean | undefined
  /** Sent as `redirect_uri`; default `http://localhost:8749/oauth/callback`. */
  readonly callbackUrl?: string | undefined
  /** Where we listen; 0 takes any free port. */
  readonly port?: number | undefined
  /**
   * Sends somebody, or a program, to this URL. It is not waited for; where it fails, so does `connect`. Default: `$BROWSER`,
   * else the system's browser.
   */
  readonly browse?: ((url: string) => unknown) | undefined
  /** Seconds until it gives up; default 300. */
  readonly timeout?: number | undefined
  readonly allowHttp?: boolean | undefined
  /** Lets the templates and hosts of an `auth-cli.yaml` have secrets of the environment. */
  readonly trustProject?: boolean | undefined
  /** Put it in the place of a connection of that name, made with other answers. */
  readonly replace?: boolean | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** False: the connection is returned and not kept. */
  readonly save?: boolean | undefined
  /** The provider described here, instead of by a template file. */
  readonly template?: TemplateInput | undefined
}

/** Who is meant: the template that was given, else an integration or a template of that name. */
export async function locatedBy(world: World, name: string, template: TemplateInput | undefined): Promise<Located> {
  if (template === undefined) return locate(world, name)
  const { sources } = await catalogOf(world)
  const fields = { display_name: name, docs: 'https://example.com', ...template }
  const provider = await findProvider(name, [await givenSource(name, fields, 'connect({ template })'), ...sources])
  return { name, provider }
}

/** The options as the verbs take them. */
export function givenBy({ provider }: Located, options: ConnectOptions): Given {
  const { credentials = {}, scopes, as, clientAuth, pkce, callbackUrl, port } = options
  const { clientId, client_id = clientId, clientSecret, client_secret = clientSecret, ...others } = credentials
  const asked = asksOf(provider.template)
  const takes = (name: string): string | undefined =>
    asked.find((one) => one.section !== 'connection_config' && one.name === name)?.key
  const params = { ...options.params }
  for (const [name, value] of Object.entries(others)) params[takes(name) ?? name] = value
  return {
    as,
    params,
    clientId: client_id,
    // Nobody is asked whether there is none: an id without a secret is a public client.
    clientSecret: client_secret ?? (client_id === undefined ? undefined : publicSecret(provider.template)),
    clientAuth,
    scopes,
    authorizationParams: options.authorizationParams,
    tokenParams: options.tokenParams,
    pkce,
    callbackUrl,
    port,
    allowHttp: options.allowHttp,
    trustProject: options.trustProject,
    replace: options.replace,
    save: options.save,
  }
}

function publicSecret({ client_secret_required: isRequired }: Template): string | undefined {
  return isRequired === true ? undefined : ''
}

/** A connection by its name, or itself: then it is kept where it is not yet, or is younger than what is kept. */
export async function nameOf(world: World, which: string | Connection): Promise<string> {
  if (typeof which === 'string') return which
  await world.store.connections.update(which.name, (current) =>
    current === undefined || current.updatedAt < which.updatedAt ? which : undefined,
  )
  return which.name
}
