import { absorbLms } from './absorb-lms.ts'
import type { Accent } from './accent.ts'
import { agiloft } from './agiloft.ts'
import { braintree } from './braintree.ts'
import { bullhorn } from './bullhorn.ts'
import { certnPartner } from './certn-partner.ts'
import { clover } from './clover.ts'
import { coros } from './coros.ts'
import { facebook } from './facebook.ts'
import { fanvue } from './fanvue.ts'
import { figma } from './figma.ts'
import { followUpBoss } from './followupboss.ts'
import { instagram, threads } from './instagram.ts'
import { jobber } from './jobber.ts'
import { mercury } from './mercury.ts'
import { microsoftFiles, microsoftTeamsBot } from './microsoft.ts'
import { microsoftAdmin } from './microsoft-admin.ts'
import { privateApiGeneric } from './private-api-generic.ts'
import { publicClient } from './public-client.ts'
import { revolutBusiness } from './revolut-business.ts'
import { sage200 } from './sage-200.ts'
import { shoplineOAuth } from './shopline-oauth.ts'
import { slack } from './slack.ts'
import { stripeApp } from './stripe-app.ts'
import { tiktokAccounts, tiktokAds, tiktokPersonal } from './tiktok.ts'
import { walmart } from './walmart.ts'
import { workdayOAuth } from './workday-oauth.ts'

/** A provider that differs from its mode, by its name. A new one is one file and one line. */
export const accents: Readonly<Record<string, Accent>> = {
  'absorb-lms': absorbLms,
  agiloft,
  braintree,
  'braintree-sandbox': braintree,
  bullhorn,
  'certn-partner': certnPartner,
  clover,
  coros,
  'coros-sandbox': coros,
  facebook,
  fanvue,
  figjam: figma,
  figma,
  followupboss: followUpBoss,
  heygen: publicClient,
  instagram,
  jobber,
  mercury,
  'meta-marketing-api': facebook,
  'microsoft-admin': microsoftAdmin,
  'microsoft-teams-bot': microsoftTeamsBot,
  'one-drive': microsoftFiles,
  'posthog-oauth': publicClient,
  'private-api-generic': privateApiGeneric,
  'revolut-business': revolutBusiness,
  'sage-200': sage200,
  'sharepoint-online': microsoftFiles,
  'shopline-oauth': shoplineOAuth,
  slack,
  'stripe-app': stripeApp,
  'stripe-app-sandbox': stripeApp,
  threads,
  'tiktok-accounts': tiktokAccounts,
  'tiktok-ads': tiktokAds,
  'tiktok-personal': tiktokPersonal,
  walmart,
  'workday-oauth': workdayOAuth,
}

/** The accent of a provider, by its own name or one that its alias stands for. */
export function accentOf(names: readonly string[]): Accent | undefined {
  return names.map((name) => (Object.hasOwn(accents, name) ? accents[name] : undefined)).find(Boolean)
}
