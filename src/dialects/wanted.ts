/** An accent that is known of and not written yet. */
export interface WantedAccent {
  /** What the provider does otherwise, as the end of "… is not understood yet: ". */
  readonly says: string
  /** Whether connecting in plain OAuth would fail, or bring home something else than was asked for. */
  readonly stops: boolean
}

const stops = (says: string): WantedAccent => ({ says, stops: true })
const tells = (says: string): WantedAccent => ({ says, stops: false })
const secondToken = 'a second token for its other API is not fetched'
const shortToken = 'its short-lived token is not exchanged for the long-lived one'

/** Providers whose speech no words of a template can express, less those that have an accent in this room. */
export const wantedAccents: Readonly<Record<string, WantedAccent>> = {
  'absorb-lms': stops('its token request wants headers of its own'),
  agiloft: tells('its refresh wants a part of the secret under a name of its own'),
  bullhorn: stops('its token is good only for a second log-in'),
  clover: tells('its lifetimes come under a name of their own'),
  coros: tells('its refresh answers with a result code instead of tokens'),
  'coros-sandbox': tells('its refresh answers with a result code instead of tokens'),
  facebook: tells('it may refuse PKCE (--no-pkce), and has long-lived tokens instead of refresh tokens'),
  followupboss: stops('its token request wants the state again'),
  instagram: tells(shortToken),
  jobber: tells('it does not say that its tokens live an hour'),
  mercury: tells('its token request names no client'),
  'microsoft-admin': stops('an administrator consents, and the token then comes by client credentials'),
  'microsoft-teams-bot': tells(secondToken),
  'one-drive': tells(secondToken),
  'revolut-business': stops('the client proves itself with a signed assertion'),
  'sentry-oauth': stops('its code comes to a webhook'),
  'sharepoint-online': tells(secondToken),
  'shopline-oauth': stops('its token request is signed'),
  'stripe-app': stops('the secret stands where the client id would'),
  'stripe-app-sandbox': stops('the secret stands where the client id would'),
  threads: tells(shortToken),
  'tiktok-accounts': stops('client, secret and code have other names, and the answer is wrapped'),
  'tiktok-ads': stops('client, secret and code have other names, and the answer is wrapped'),
  'tiktok-personal': stops('the client has another name in the token request'),
  walmart: stops('its token request wants headers of its own'),
  'workday-oauth': tells('it does not say that its tokens live an hour'),
}
