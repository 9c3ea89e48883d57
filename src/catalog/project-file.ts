import { basename, dirname, join } from 'node:path'
import { realPath, statOf } from './files.ts'

const fileName = 'auth-cli.yaml'

/** Where the search begins and ends. `uid` of the person, where it is not the process's own. */
export interface ProjectSearch {
  readonly cwd: string
  readonly home: string
  readonly uid?: number | undefined
}

/** The nearest `auth-cli.yaml`, from the working folder upward to the repository's root or home, both included. */
export function nearestProjectFile({ cwd, home }: ProjectSearch): string | undefined {
  const end = realPath(home) ?? home
  for (let folder = realPath(cwd) ?? cwd; ; folder = dirname(folder)) {
    const file = join(folder, fileName)
    if (statOf(file)) return file
    if (statOf(join(folder, '.git')) || folder === end || folder === dirname(folder)) return undefined
  }
}

/** Whether a file is called as project files are. */
export function isProjectFile(file: string): boolean {
  return basename(file) === fileName
}
