import type { Dialect } from '../model/dialect.ts'
import { absorbLms } from './absorb-lms.ts'
import { agiloft } from './agiloft.ts'
import { braintree } from './braintree.ts'
import { bullhorn } from './bullhorn.ts'
import { certnPartner } from './certn-partner.ts'
import { clover } from './clover.ts'
import { coros } from './coros.ts'
import { facebook } from './facebook.ts'
import { figma } from './figma.ts'
import { followupboss } from './followupboss.ts'
import { jobber } from './jobber.ts'
import { longLived } from './long-lived.ts'
import { mercury } from './mercury.ts'
import { microsoftAdmin } from './microsoft-admin.ts'
import { publicClient } from './public-client.ts'
import { revolutBusiness } from './revolut-business.ts'
import { salesforce } from './salesforce.ts'
import { microsoftTeamsBot, sharepoint } from './second-token.ts'
import { sentryOauth } from './sentry-oauth.ts'
import { shoplineOauth } from './shopline-oauth.ts'
import { slack } from './slack.ts'
import { stripeApp } from './stripe-app.ts'
import { tiktokAccounts, tiktokAds, tiktokPersonal } from './tiktok.ts'
import { walmart } from './walmart.ts'
import { workdayOauth } from './workday-oauth.ts'

/** One line per provider that words in a template cannot express. */
const dialects: Readonly<Record<string, Dialect>> = {
  'absorb-lms': absorbLms,
  agiloft,
  'attio-mcp': publicClient('Attio'),
  braintree,
  'braintree-sandbox': braintree,
  bullhorn,
  'certn-partner': certnPartner,
  clover,
  coros,
  'coros-sandbox': coros,
  facebook,
  figjam: figma,
  figma,
  followupboss,
  heygen: publicClient('HeyGen'),
  instagram: longLived({
    title: 'Instagram',
    exchange: 'ig_exchange_token',
    refresh: 'ig_refresh_token',
    token: 'api.instagram.com/oauth/access_token',
    place: 'graph.instagram.com/access_token',
  }),
  jobber,
  mercury,
  'microsoft-admin': microsoftAdmin,
  'microsoft-teams-bot': microsoftTeamsBot,
  'one-drive': sharepoint,
  'posthog-oauth': publicClient('PostHog'),
  'revolut-business': revolutBusiness,
  salesforce,
  'salesforce-cc': salesforce,
  'salesforce-experience-cloud': salesforce,
  'salesforce-jwt': salesforce,
  'salesforce-sandbox': salesforce,
  'sentry-oauth': sentryOauth,
  'sharepoint-online': sharepoint,
  'shopline-oauth': shoplineOauth,
  slack,
  'stripe-app': stripeApp,
  'stripe-app-sandbox': stripeApp,
  threads: longLived({
    title: 'Threads',
    exchange: 'th_exchange_token',
    refresh: 'th_refresh_token',
    token: 'graph.threads.net/oauth/access_token',
    place: 'graph.threads.net/access_token',
  }),
  'tiktok-accounts': tiktokAccounts,
  'tiktok-ads': tiktokAds,
  'tiktok-personal': tiktokPersonal,
  walmart,
  'workday-oauth': workdayOauth,
}

/** The accent of a provider: that of the first of its names which has one, since an alias shares what it stands for. */
export function dialectOf(names: string | readonly string[]): Dialect {
  const known = [names].flat().find((name) => Object.hasOwn(dialects, name))
  return known === undefined ? {} : (dialects[known] ?? {})
}
