import { TemplateError } from '../model/errors.ts'
import type { Prompt, Prompts, Template } from '../model/provider.ts'
import type { Mode, Traits } from './mode.ts'

interface Registered extends Traits {
  readonly load: () => Promise<Mode>
}

const secret = (title: string): Prompt => ({ type: 'string', title, secret: true })
const plain = (title: string): Prompt => ({ type: 'string', title })
const username: Prompt = { ...plain('Username'), optional: true }
const password: Prompt = { ...secret('Password'), optional: true }
const serverUrl: Prompt = {
  ...plain('MCP server URL'),
  description: 'The whole URL of its endpoint',
  example: 'https://mcp.example.com/mcp',
  format: 'uri',
}

const appId: Prompt = { ...plain('App ID'), description: "the number on the app's settings page" }
const appKey: Prompt = { ...secret("App's private key (PEM)"), description: 'as it was downloaded, or in base64' }
const appLink: Prompt = {
  ...plain('Installation link'),
  description: 'by which people install your plugin',
  format: 'uri',
}

const hiddenSecret = (title: string): Prompt => ({ ...secret(title), hidden: true, optional: true })

/** A key or a certificate is asked for where the template wants one, and may be given where it does not. */
function clientKeyAsks(template: Template): Prompts {
  const wantsCertificate = template['require_client_certificate'] === true
  const wantsKey = wantsCertificate || template.token_request_auth_method === 'private_key_jwt'
  const ask = (wants: boolean): typeof secret => (wants ? secret : hiddenSecret)
  return {
    client_certificate: ask(wantsCertificate)('Client certificate (PEM)'),
    client_private_key: ask(wantsKey)('Client private key (PEM or JWK)'),
  }
}

/** One entry per mode. */
const modes: Readonly<Record<string, Registered>> = {
  OAUTH2: {
    load: () => import('./authorization-code.ts'),
    opensBrowser: true,
    client: 'maybe public',
    endpoints: ['authorization', 'token'],
  },
  MCP_OAUTH2: {
    load: () => import('./mcp.ts'),
    opensBrowser: true,
    client: 'may register',
    endpoints: ['authorization', 'token'],
    wantsPkce: true,
  },
  MCP_OAUTH2_GENERIC: {
    load: () => import('./mcp-generic.ts'),
    opensBrowser: true,
    client: 'may register',
    asksFirst: { mcp_server_url: serverUrl },
    wantsPkce: true,
  },
  OAUTH2_CC: {
    load: () => import('./client-credentials.ts'),
    client: 'confidential',
    authentications: ['post', 'basic', 'basic-raw', 'basic+post', 'custom', 'private_key_jwt'],
    endpoints: ['token'],
    asks: clientKeyAsks,
  },
  OAUTH1: {
    load: () => import('./oauth1.ts'),
    opensBrowser: true,
    client: 'confidential',
    authentications: ['signature'],
    endpoints: ['request', 'authorization', 'token'],
    isLasting: true,
  },
  TBA: {
    load: () => import('./tba.ts'),
    client: 'confidential',
    authentications: ['signature'],
    asks: { token_id: secret('Token ID'), token_secret: secret('Token secret') },
    isUnproved: true,
  },
  SIGNATURE: {
    load: () => import('./signature.ts'),
    asks: { username: plain('Username'), password: secret('Password') },
    isUnproved: true,
  },
  BILL: {
    load: () => import('./bill.ts'),
    endpoints: ['token'],
    asks: {
      username: plain('Username'),
      password: secret('Password'),
      organization_id: plain('Organization ID'),
      dev_key: secret('Developer key'),
    },
  },
  AWS_SIGV4: {
    load: () => import('./aws-sigv4.ts'),
    asks: {
      role_arn: plain('IAM role ARN'),
      external_id: { ...plain('External ID'), optional: true, description: 'Enter for a new one' },
    },
  },
  API_KEY: { load: () => import('./api-key.ts'), asks: { apiKey: secret('API key') }, isUnproved: true },
  BASIC: { load: () => import('./basic.ts'), asks: { username, password }, isUnproved: true },
  TWO_STEP: { load: () => import('./two-step.ts'), endpoints: ['token'] },
  JWT: { load: () => import('./jwt.ts'), isUnproved: true },
  NONE: { load: () => import('./none.ts') },
  APP: {
    load: () => import('./app.ts'),
    opensBrowser: true,
    client: 'confidential',
    clientAsks: { client_id: appId, client_secret: appKey },
    brings: ['installation_id'],
    endpoints: ['authorization', 'token'],
  },
  CUSTOM: {
    load: () => import('./custom.ts'),
    opensBrowser: true,
    client: 'confidential',
    asks: { appId, privateKey: appKey },
    brings: ['installation_id'],
    endpoints: ['authorization', 'token'],
  },
  INSTALL_PLUGIN: {
    load: () => import('./install-plugin.ts'),
    opensBrowser: true,
    asks: { username: plain('Plugin identifier'), password: secret('Plugin key'), appLink },
    isUnproved: true,
  },
}

export function isMode(authMode: string): boolean {
  return Object.hasOwn(modes, authMode)
}

/** What is known of a mode without loading it; nothing of one that cannot be done. */
export function traitsOf(authMode: string): Traits {
  return (isMode(authMode) ? modes[authMode] : undefined) ?? {}
}

/** Throws TemplateError `MODE_UNSUPPORTED`, before anything opens. */
export async function modeOf(authMode: string, provider: string): Promise<Mode> {
  assertMode(authMode, provider)
  const registered = modes[authMode]
  if (registered === undefined) throw new TypeError(`the mode ${authMode} is named and absent`)
  return registered.load()
}

/** The same refusal, without loading anything. */
export function assertMode(authMode: string, provider: string): void {
  if (!isMode(authMode)) {
    throw new TemplateError(
      'MODE_UNSUPPORTED',
      `${provider} authorizes by ${authMode}, which auth-cli cannot do yet.`,
      {
        hint: `What it can do now: ${Object.keys(modes).join(', ')}.`,
      },
    )
  }
}
