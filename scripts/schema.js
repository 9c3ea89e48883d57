// Writes schema/provider.schema.json from the table of fields in dist/. Run by `npm run schema` after the fields change;
// a test fails where the two differ.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const { providerSchema } = await import('../dist/catalog/schema.js')
const folder = fileURLToPath(new URL('../schema', import.meta.url))
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}/provider.schema.json`, `${JSON.stringify(providerSchema(), null, 2)}\n`)
