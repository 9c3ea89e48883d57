import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshFolder } from './disk.ts'

/** A new folder with a project file that brings these templates along. */
export function projectWith(
  templates: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const folder = freshFolder()
  // JSON is YAML.
  writeFileSync(join(folder, 'auth-cli.yaml'), JSON.stringify({ templates, ...more }, null, 2))
  return folder
}
