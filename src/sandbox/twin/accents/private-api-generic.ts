import { type Fields, fieldsOf } from '../fields.ts'
import type { Issued } from '../issue.ts'
import type { Accent } from './accent.ts'

/** Whose address, and the place and wording of whose key, are answers of the integration. */
export const privateApiGeneric: Accent = {
  retold(template: Fields, { params }: Issued): Fields {
    const { keyPlacement, keyName = 'Authorization', valueTemplate = '${apiKey}', baseUrl } = params
    const place = keyPlacement === 'query' ? 'query' : 'headers'
    const proxy = { ...fieldsOf(template['proxy']), [place]: { [keyName]: valueTemplate } }
    return { ...template, proxy: baseUrl ? { ...proxy, base_url: baseUrl } : proxy }
  },
}
