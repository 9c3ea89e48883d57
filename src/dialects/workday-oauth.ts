import type { Dialect } from '../model/dialect.ts'
import { membersIn, withLifetime } from './rewording.ts'

/** Workday: tokens of an hour that do not say so; a refresh token of one's own choosing may be kept. */
export const workdayOauth: Dialect = {
  response: (answer, { grant, params }, remark) => {
    const timed = withLifetime(answer, 3600, () =>
      remark('Workday does not say how long its token lives: taken for an hour'),
    )
    if (grant !== 'refresh_token' || params['overrideTokenRefresh'] !== 'true') return timed
    const { refresh_token: issued, ...rest } = membersIn(timed) ?? {}
    if (issued === undefined) return timed
    remark('Workday: the refresh token stays the one you gave (overrideTokenRefresh)')
    return { ...timed, json: rest }
  },
  says: 'its token lives an hour and does not say so',
}
