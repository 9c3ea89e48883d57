/** `node:crypto`, loaded at first use: a command that makes no secret and masks none does without its start-up cost. */
export function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}
