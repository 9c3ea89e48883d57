import { type Fields, fieldsOf, textOf } from '../fields.ts'
import type { Accent } from './accent.ts'

const tokenUrl = 'https://api.certn.co/token/'

/** Hands out tokens to clients that show themselves by HTTP Basic, which its entry in the catalogue does not say. */
export const certnPartner: Accent = {
  retold(template: Fields): Fields {
    const url = textOf(template['token_url'])
    const isKnown = template['auth_mode'] === 'OAUTH2_CC' && (url === undefined || url === tokenUrl)
    if (!isKnown) return template
    const { authorization: _, ...headers } = fieldsOf(fieldsOf(template['proxy'])['headers'])
    return {
      ...template,
      token_url: tokenUrl,
      token_request_auth_method: 'basic',
      token_params: { grant_type: 'client_credentials' },
      proxy: { ...fieldsOf(template['proxy']), headers },
    }
  },
}
