import type { Accent } from './accent.ts'
import { privateApiGeneric } from './private-api-generic.ts'

/** Providers whose token requests no template tells. One that has an entry below is played by it instead. */
const untold = new Set([
  'absorb-lms',
  'agiloft',
  'attio-mcp',
  'braintree',
  'braintree-sandbox',
  'bullhorn',
  'clover',
  'coros',
  'coros-sandbox',
  'facebook',
  'fanvue',
  'figjam',
  'figma',
  'followupboss',
  'heygen',
  'instagram',
  'jobber',
  'mercury',
  'microsoft-admin',
  'microsoft-teams-bot',
  'one-drive',
  'posthog-oauth',
  'revolut-business',
  'sentry-oauth',
  'sharepoint-online',
  'shopline-oauth',
  'slack',
  'stripe-app',
  'stripe-app-sandbox',
  'threads',
  'tiktok-accounts',
  'tiktok-ads',
  'tiktok-personal',
  'walmart',
  'workday-oauth',
])

/** A provider that differs from its mode, by its name. A new one is one file and one line. */
export const accents: Readonly<Record<string, Accent>> = {
  'private-api-generic': privateApiGeneric,
}

/** The accent of a provider, by its own name or one that its alias stands for. */
export function accentOf(names: readonly string[]): Accent | undefined {
  return names.map((name) => (Object.hasOwn(accents, name) ? accents[name] : undefined)).find(Boolean)
}

/** The name of a provider that its template does not tell how to play, and that nobody has written yet. */
export function unplayable(names: readonly string[]): string | undefined {
  return names.find((name) => untold.has(name) && !Object.hasOwn(accents, name))
}
