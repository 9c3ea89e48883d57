import type { Dialect, Mended } from '../model/dialect.ts'
import type { Template } from '../model/provider.ts'

const documented = 'https://docs.certn.co/api/guides/use-the-api/authorization-header'

/**
 * Certn's partners. The entry asks for client credentials, but says neither where nor how, and has its calls carry a key,
 * which this mode does not have: that is of Certn's other way in. What is documented stands instead.
 */
export const certnPartner: Dialect = { mends }

function mends(template: Template): Mended | undefined {
  if (template.auth_mode !== 'OAUTH2_CC' || template.token_url !== undefined) return undefined
  const headers = Object.entries(template.proxy?.headers ?? {}).filter(
    ([, text]) => !String(text).includes('${apiKey}'),
  )
  return {
    template: {
      ...template,
      token_url: 'https://api.certn.co/token/',
      token_request_auth_method: 'basic',
      token_params: { grant_type: 'client_credentials', ...template.token_params },
      proxy: { ...template.proxy, headers: Object.fromEntries(headers) },
    },
    says: `its entry names no token_url and has calls carry an API key, which client credentials do not bring; used instead is what Certn documents (${documented}): https://api.certn.co/token/ with HTTP Basic, and the token in calls`,
  }
}
