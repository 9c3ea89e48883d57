import type { Secrets } from '../model/secret.ts'

let secrets: (() => Secrets) | undefined

/** The secrets of this run, known from when its World was made: what fails later is scrubbed of them. */
export function rememberSecrets(of: () => Secrets): void {
  secrets = of
}

export function scrubWithRun(): (text: string) => string {
  return (text) => secrets?.().scrub(text) ?? text
}
