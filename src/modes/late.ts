import { contextOf } from '../fill/flaw.ts'
import { fillUrl } from '../fill/url.ts'
import { AuthCliError } from '../model/errors.ts'
import type { Tell } from '../model/event.ts'
import type { Provider } from '../model/provider.ts'
import { assertSecure } from '../wire/secure.ts'

/** A URL that waited for what the callback or the token answer brings; without it the connection is good all the same. */
export function lateEndpoint(
  { provider, allowHttp }: { readonly provider: Pick<Provider, 'name' | 'template'>; readonly allowHttp: boolean },
  field: string,
  text: string | undefined,
  answers: Readonly<Record<string, string>>,
  tell: Tell,
): string | undefined {
  if (text === undefined) return undefined
  try {
    const context = contextOf(provider.name, provider.template)
    const url = fillUrl(field, text, { ...answers, connectionConfig: answers }, context).replace(/\/+$/, '')
    assertSecure(url, allowHttp, field)
    return url
  } catch (error) {
    if (!(error instanceof AuthCliError)) throw error
    tell({ type: 'warning', code: error.code, message: `${field} stays unknown: ${error.message}`, hint: error.hint })
    return undefined
  }
}
