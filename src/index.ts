export { type Connected, type ConnectOptions, connect } from './connect.ts'
export { integrate } from './integrate.ts'
export { type Located, locate } from './locate.ts'
export type { Given, Preset } from './look-up.ts'
export type { Connection, Credential, Snapshot } from './model/connection.ts'
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
export type { Integration } from './model/integration.ts'
export type { Prompt, Provider, Template } from './model/provider.ts'
export type { World } from './model/world.ts'
export { realWorld, type Terms } from './node/world.ts'
export { type RefreshOptions, refresh } from './refresh.ts'
export { type Rehearsal, rehearse } from './rehearse.ts'
export { type ApiAnswer, type ApiCall, request } from './request.ts'
