/** What a trial may know of a connection. */
export interface Known {
  /** What the person gave, by the template's names. */
  readonly given: Readonly<Record<string, string>>
  readonly now: Date
}

/** A call that shows whether credentials are good; the template's own headers and the mode's come on top. */
export interface Call {
  readonly method: string
  /** Under the API's base URL, or a whole URL. */
  readonly target: string
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined
  readonly body?: string | undefined
}

export interface Reply {
  readonly status: number
  readonly text: string
}

/** How a provider is asked whether it takes credentials, where the status of its answer alone would not tell. */
export interface Trial {
  readonly call: (known: Known) => Call | Promise<Call>
  /** Why an answer is no yes, whatever its status, as the end of "it …"; undefined where it is one. */
  readonly objection: (reply: Reply) => string | undefined | Promise<string | undefined>
}

export function isSuccess({ status }: Reply): boolean {
  return status >= 200 && status <= 299
}

/** The members of an answer in JSON; undefined where it is none. */
export function membersOf({ text }: Reply): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/** An objection to anything but a success in JSON, and to what `look` finds in one. */
export function objectionIn(look: (members: Readonly<Record<string, unknown>>) => string | undefined) {
  return (reply: Reply): string | undefined => {
    if (!isSuccess(reply)) return `answered ${reply.status}`
    const members = membersOf(reply)
    return members === undefined ? `answered ${reply.status} with something else than JSON` : look(members)
  }
}

/** An objection to any status but those. */
export function objectionUnless(...statuses: readonly number[]) {
  return ({ status }: Reply): string | undefined => (statuses.includes(status) ? undefined : `answered ${status}`)
}
