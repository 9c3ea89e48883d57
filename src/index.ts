import { type Library, libraryOn } from './library/library.ts'
import { quietWorld } from './library/world.ts'
import type { World } from './model/world.ts'

export type { ExportFormat } from './export.ts'
export type { ImportTerms } from './import.ts'
export { integrate } from './integrate.ts'
export type { ItemsOptions } from './library/items.ts'
export type { FreshOptions, Library, Which } from './library/library.ts'
export { memoryStore } from './library/memory-store.ts'
export type { CallOptions, ConnectOptions, TemplateInput } from './library/options.ts'
export type { RequestOptions } from './library/response.ts'
export { quietWorld, realWorld } from './library/world.ts'
export { type Located, locate } from './locate.ts'
export type { Given, Preset } from './look-up.ts'
export type { Connection, ConnectionLine, Credential, Snapshot } from './model/connection.ts'
export {
  AuthCliError,
  Cancelled,
  MachineError,
  type Problem,
  ProviderError,
  TemplateError,
  TransportError,
  UsageError,
} from './model/errors.ts'
export type { Exchange, LogEvent } from './model/event.ts'
export type { Integration, SavedIntegration } from './model/integration.ts'
export type { Prompt, Provider, Template } from './model/provider.ts'
export type { Answer, Outgoing, Shelf, Store, World } from './model/world.ts'
export { type Rehearsal, rehearse } from './rehearse.ts'
export type { Revoked } from './revoke.ts'
export type { Verified } from './verify.ts'

/**
 * The verbs on a World of your own: what is not given is as quiet as it is for the verbs themselves, and in memory.
 * `withWorld(realWorld())` works on the connections that the command keeps.
 */
export function withWorld(world: Partial<World>): Library {
  return libraryOn(() => quietWorld(world))
}

const quiet = libraryOn(quietWorld)

/** See `Library`, where each is described: quiet, in memory, nobody asked, nothing printed, nothing ended. */
export const {
  connect,
  connection,
  connections,
  exportConnection,
  forget,
  headers,
  importConnection,
  items,
  refresh,
  rename,
  request,
  revoke,
  token,
  verify,
} = quiet
