import type { Located } from './locate.ts'
import { UsageError } from './model/errors.ts'
import type { Template } from './model/provider.ts'

/** What the owner of an integration says of an API that its template does not know. */
const parts = ['baseUrl', 'keyName', 'valueTemplate'] as const

/**
 * A template that leaves to the owner of the integration where the API is (`baseUrl`) and how a key is carried (`keyName`,
 * `valueTemplate`, `keyPlacement`): its address is then that answer. Any other is returned as it is.
 */
export function withOwnedAddress(located: Located): Located {
  const { provider } = located
  const { template } = provider
  if (!isOwned(template)) return located
  const proxy = { ...template.proxy, base_url: '${credentials.baseUrl}' }
  return { ...located, provider: { ...provider, template: { ...template, proxy } } }
}

/** The same with the key's place and wording, once the owner has answered. Throws UsageError `BAD_FLAG`. */
export function withOwnedKey(located: Located, answers: Readonly<Record<string, string>>): Located {
  const { provider } = located
  const { template } = provider
  if (!isOwned(template)) return located
  const { keyPlacement, keyName = '', valueTemplate = '' } = answers
  if (keyPlacement !== 'query' && !/^[!#$%&'*+.^_`|~\w-]+$/.test(keyName))
    throw new UsageError('BAD_FLAG', '--key-name cannot be the name of a header.', {
      hint: 'Use letters, digits and hyphens, for example Authorization or X-Api-Key.',
    })
  const place = keyPlacement === 'query' ? 'query' : 'headers'
  const proxy = { ...template.proxy, [place]: { ...template.proxy?.[place], [keyName]: valueTemplate } }
  return { ...located, provider: { ...provider, template: { ...template, proxy } } }
}

function isOwned({ integration_config: owned = {} }: Template): boolean {
  return parts.every((part) => Object.hasOwn(owned, part))
}
