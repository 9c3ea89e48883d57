import { workingFolder } from './paths.ts'

/** What this process was started with: the library's default, and nobody else's business. */
export function here(): {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly platform: NodeJS.Platform
  readonly isTerminal: boolean
} {
  return {
    env: process.env,
    cwd: workingFolder(),
    platform: process.platform,
    isTerminal: process.stdin.isTTY === true,
  }
}
