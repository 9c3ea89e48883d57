import { declaredKeys } from '../fill/flaw.ts'
import { placeholders } from '../fill/placeholders.ts'
import type { Problem } from '../model/errors.ts'
import { templateFields } from './fields.ts'
import { checkHarm } from './harm.ts'
import { checkAgainst, isMapping } from './hold.ts'
import { checkEffect, checkParams, checkQuestions } from './lint.ts'
import { nearest } from './nearest.ts'
import type { Checked } from './problem.ts'

/**
 * Everything wrong with a template whose aliases are resolved, each with its place, what was expected and the fix: wrong
 * types and values, missing fields, endpoints that are not http(s), texts that cannot be filled. What stops nothing, such
 * as an unknown field, is a warning.
 */
export function check(checked: Checked): readonly Problem[] {
  return [
    ...checkAgainst(templateFields, checked),
    ...checkMode(checked),
    ...checkDeclarations(checked),
    ...checkParams(checked),
    ...checkQuestions(checked),
    ...checkEffect(checked),
    ...checkHarm(checked),
  ]
}

function checkMode({ name, fields, placeOf }: Checked): readonly Problem[] {
  const problems: Problem[] = []
  const lack = (field: string, fix: string, severity: Problem['severity']): void => {
    problems.push({ ...placeOf([]), field: `${name}.${field}`, message: 'this field is missing', fix, severity })
  }
  if (fields['display_name'] === undefined) lack('display_name', 'Add the name people know it by.', 'error')
  if (fields['docs'] === undefined) lack('docs', "Add the address of the provider's documentation.", 'warning')
  const mode = fields['auth_mode']
  if (mode === undefined) lack('auth_mode', 'Add auth_mode: OAUTH2, or the mode it needs.', 'error')
  if (mode === 'TWO_STEP' && fields['token_url'] === undefined)
    lack('token_url', 'Add the URL where somebody logs in.', 'error')
  if (mode === 'JWT' && !isMapping(fields['token'])) lack('token', 'Add signing_key, header and payload.', 'error')
  if ((mode !== 'OAUTH2' && mode !== 'MCP_OAUTH2') || fields['issuer'] !== undefined) return problems
  if (fields['authorization_url'] === undefined && fields['installation'] === undefined)
    lack('authorization_url', 'Add the URL that the browser is sent to, or the issuer.', 'error')
  if (fields['token_url'] === undefined)
    lack('token_url', 'Add the URL where codes become tokens, or the issuer.', 'error')
  if (fields['client_registration'] === 'dynamic' && fields['registration_url'] === undefined)
    lack('registration_url', 'Add the URL where clients register themselves, or the issuer.', 'error')
  return problems
}

const endpointFields = [
  'authorization_url',
  'token_url',
  'refresh_url',
  'issuer',
  'device_authorization_url',
  'revocation_url',
  'introspection_url',
  'userinfo_url',
]

/** Every `${connectionConfig.x}` of the endpoints should be asked for, or brought by the callback or the token answer. */
function checkDeclarations({ name, fields, placeOf }: Checked): readonly Problem[] {
  const declared = declaredKeys(fields)
  const problems: Problem[] = []
  for (const field of endpointFields) {
    const text = fields[field]
    if (typeof text !== 'string') continue
    for (const path of placeholders(text)) {
      const key = /^connectionConfig\.(.+)$/s.exec(path)?.[1]
      if (key === undefined || declared.has(key)) continue
      const [meant] = nearest(key, declared, 1)
      const fix = meant === undefined ? `Declare ${key} under connection_config.` : `Did you mean ${meant}?`
      const message = `nothing asks for \${${path}}`
      problems.push({ ...placeOf([field], 'value'), field: `${name}.${field}`, message, fix, severity: 'warning' })
    }
  }
  return problems
}
