import { AuthCliError, Cancelled, TransportError } from './model/errors.ts'
import type { Deed, FlowEnd, Happening, LogEvent, Tell } from './model/event.ts'
import type { Secrets } from './model/secret.ts'
import type { World } from './model/world.ts'

/** One attempt: its id stands in every event, in every error, and in `logs`. */
export interface Flow {
  readonly id: string
  readonly tell: Tell
}

type Clocked = Pick<World, 'clock' | 'emit' | 'random' | 'secrets' | 'pid'>

/**
 * Runs one attempt from `flow.started` to `flow.ended`, which is told whatever happens; an error leaves with the flow's
 * id on it. Abandoned by Ctrl-C it ends as `cancelled`, by the time limit as `timeout`.
 */
export async function runFlow<T>(
  world: Clocked,
  what: { readonly deed: Deed; readonly provider: string; readonly connection: string },
  attempt: (flow: Flow) => Promise<T>,
): Promise<T> {
  const started = world.clock.monotonic()
  const id = flowId(world.random)
  const tell: Tell = (happening) => {
    const event = {
      flow: id,
      at: world.clock.now().toISOString(),
      ms: Math.round(world.clock.monotonic() - started),
      ...happening,
    }
    world.emit(scrubbed(event, world.secrets) as LogEvent)
  }
  const end = (state: FlowEnd, error?: { code: string; message: string; hint?: string | undefined }): void =>
    tell({
      type: 'flow.ended',
      state,
      duration: Math.round(world.clock.monotonic() - started),
      ...(error === undefined ? {} : { error }),
    })
  tell({ type: 'flow.started', ...what, pid: world.pid } satisfies Happening)
  try {
    const result = await attempt({ id, tell })
    end('success')
    return result
  } catch (error) {
    if (error instanceof AuthCliError) {
      error.flow = id
      end(endOf(error), { code: error.code, message: error.message, hint: error.hint })
    } else {
      end('failed', { code: 'BUG', message: 'A bug in auth-cli; its stack is on the terminal.' })
    }
    throw error
  }
}

function endOf(error: AuthCliError): FlowEnd {
  if (error instanceof Cancelled) return 'cancelled'
  return error instanceof TransportError && error.code === 'TIMEOUT' ? 'timeout' : 'failed'
}

/** Eight letters and digits without look-alikes: 40 bits, easy to say and to copy. */
function flowId(random: (bytes: number) => Uint8Array): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  return Array.from(random(8), (byte) => alphabet[byte % 32]).join('')
}

/** The last net: whatever an event says, no learned secret leaves in it. */
function scrubbed(value: unknown, secrets: Secrets): unknown {
  if (typeof value === 'string') return secrets.scrub(value)
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, secrets))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, scrubbed(member, secrets)]))
  }
  return value
}
