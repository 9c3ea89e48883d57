/** Keys that would reach into an object's innards, or mean something of their own in YAML. */
export const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype', '<<'])

/** Names that a template may have; anything else is never looked for on disk. */
export function isTemplateName(name: string): boolean {
  return name.length <= 100 && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) && !forbiddenKeys.has(name)
}

/** Whether a file is called as YAML files are. */
export function isYaml(path: string): boolean {
  return /\.ya?ml$/i.test(path)
}

/** `zendesk` of `zendesk.yaml`. */
export function stem(fileName: string): string {
  return fileName.replace(/\.ya?ml$/i, '')
}
