import type { Tell } from '../model/event.ts'
import type { World } from '../model/world.ts'
import { readPaste, type Verdict } from '../wire/callback.ts'
import type { Loopback } from '../wire/loopback.ts'
import type { Request } from './talk.ts'

/** What came back: from a browser, which is held, or from a paste. */
export interface Homecoming {
  readonly via: 'GET' | 'POST' | 'paste'
  readonly verdict: Exclude<Verdict, { readonly kind: 'stray' }>
  /** As they came, before any dialect. */
  readonly params: URLSearchParams
}

export async function firstAnswer(
  world: World,
  loopback: Loopback,
  request: Pick<Request, 'state' | 'codeVerifier'>,
  judged: (params: URLSearchParams) => Verdict,
  tell: Tell,
  answers?: readonly string[],
): Promise<Homecoming> {
  const enough = new AbortController()
  try {
    return await Promise.race([
      loopback.visit,
      pasted(world, request, judged, tell, AbortSignal.any([world.signal, enough.signal]), answers),
    ])
  } finally {
    enough.abort()
    loopback.settle()
  }
}

/** Resolves with the first paste that answers the request; never, when there is none. */
async function pasted(
  world: World,
  request: Pick<Request, 'state' | 'codeVerifier'>,
  judged: (params: URLSearchParams) => Verdict,
  tell: Tell,
  signal: AbortSignal,
  answers?: readonly string[],
): Promise<Homecoming> {
  for await (const line of world.paste(signal)) {
    const paste = readPaste(line, answers)
    const ignored = (reason: 'body unusable', detail: string) =>
      tell({ type: 'callback.ignored', reason, method: 'paste', path: '', detail })
    if (paste.kind === 'junk') {
      ignored('body unusable', paste.why)
    } else if (paste.kind === 'bare code' && request.codeVerifier === undefined) {
      ignored('body unusable', 'A bare code is taken only with PKCE; paste the whole address you landed on.')
    } else {
      const bare = paste.kind === 'bare code'
      const params = bare ? new URLSearchParams({ code: paste.code, state: request.state }) : paste.params
      const verdict: Verdict = bare ? { kind: 'code', code: paste.code } : judged(params)
      if (verdict.kind !== 'stray') {
        if (bare) {
          const message = 'A bare code does not show that it answers this very request; only PKCE ties it to us.'
          tell({ type: 'warning', code: 'BARE_CODE', message })
        }
        return { via: 'paste', verdict, params }
      }
      tell({ type: 'callback.ignored', reason: verdict.reason, method: 'paste', path: '', detail: verdict.detail })
    }
  }
  return new Promise<never>(() => {})
}
