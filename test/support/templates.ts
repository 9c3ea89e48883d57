import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { catalogueFile } from './catalogue.ts'

/** A whole OAUTH2 template as YAML, `more` in its fields (each line indented by two). */
export function templateText(name: string, more = '', fields: Readonly<Record<string, string>> = {}): string {
  const own = {
    display_name: 'Acme',
    docs: 'https://acme.example/docs',
    auth_mode: 'OAUTH2',
    authorization_url: 'https://acme.example/authorize',
    token_url: 'https://acme.example/token',
    ...fields,
  }
  const lines = Object.entries(own).map(([field, value]) => `  ${field}: ${value}\n`)
  return `${name}:\n${lines.join('')}${more}`
}

/** Writes files below a folder, their folders included; returns the folder. */
export function filesIn(folder: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

/** The catalogue of a thousand that others keep: the folder of its package, and its text. */
export function bigCatalogue(): { readonly folder: string; readonly file: string; readonly text: string } {
  return { folder: dirname(catalogueFile), file: catalogueFile, text: readFileSync(catalogueFile, 'utf8') }
}
