import { isMembers } from '../answers/member.ts'
import { fillText } from '../fill/fill.ts'
import { contextOf } from '../fill/flaw.ts'
import type { Setting } from '../model/dialect.ts'

/** The texts of a value filled, however deep they stand; everything else as it is. */
export function filled(value: unknown, field: string, setting: Setting): unknown {
  if (typeof value === 'string') {
    const { params, template, given = {} } = setting
    const scope = {
      ...given,
      connectionConfig: params,
      credentials: given,
      get now() {
        return setting.now
      },
      get random() {
        return setting.random
      },
    }
    return fillText(field, value, scope, contextOf(template.display_name ?? 'template', template))
  }
  if (Array.isArray(value)) return value.map((item, index) => filled(item, `${field}[${index}]`, setting))
  if (!isMembers(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, filled(item, `${field}.${name}`, setting)]),
  )
}

/** As a form has it: a list repeats the name, fields are JSON. */
export function setParam(params: URLSearchParams, name: string, value: unknown): void {
  params.delete(name)
  for (const item of Array.isArray(value) ? value : [value])
    params.append(name, typeof item === 'object' ? JSON.stringify(item) : String(item))
}
