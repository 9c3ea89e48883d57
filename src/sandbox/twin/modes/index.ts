import type { TwinMode } from '../stage.ts'
import { app, appAndUser } from './app.ts'
import { awsSigV4 } from './aws-sigv4.ts'
import { bill } from './bill.ts'
import { installPlugin } from './install-plugin.ts'
import { jwt } from './jwt.ts'
import { apiKey, basic, open } from './key.ts'
import { mcp } from './mcp.ts'
import { oauth1 } from './oauth1.ts'
import { oauth2 } from './oauth2.ts'
import { oauth2ClientCredentials } from './oauth2-cc.ts'
import { signature } from './signature.ts'
import { tba } from './tba.ts'
import { twoStep } from './two-step.ts'

/** What a twin can play, by `auth_mode`. A new mode is one file and one line. */
export const twinModes: Readonly<Record<string, TwinMode>> = {
  MCP_OAUTH2: mcp,
  MCP_OAUTH2_GENERIC: mcp,
  OAUTH1: oauth1,
  OAUTH2: oauth2,
  OAUTH2_CC: oauth2ClientCredentials,
  TWO_STEP: twoStep,
  JWT: jwt,
  API_KEY: apiKey,
  BASIC: basic,
  NONE: open,
  TBA: tba,
  BILL: bill,
  SIGNATURE: signature,
  AWS_SIGV4: awsSigV4,
  APP: app,
  CUSTOM: appAndUser,
  INSTALL_PLUGIN: installPlugin,
}
