// Builds dist/ from src/. Run by `prepare` (npm ci, npm pack) and before the tests.
//
// The TypeScript compiler writes the library and its types. The command is bundled besides into dist/bin, because a
// hundred small files cost a command line more than its work does; packages that bring files of their own along, or
// that few commands load, stay outside.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundled = ['chalk', 'commander', 'js-yaml', 'oauth4webapi']

const sessionFiles =
  /[\\/]src[\\/](model[\\/]|saved\.ts|refresh\.ts|token\.ts|cli[\\/](session|run|awake)\.ts|cli[\\/]output[\\/](print|style|table|time)\.ts|node[\\/](world|crypto|paths|store|intents|digest|disk|names|lock|processes|settings)\.ts)/
// commander can run a command as a program of its own; ours are none, and the module for it is dear.
const isForPrograms = (id, importer) => /child_process$/.test(id) && /[\\/]commander[\\/]/.test(importer ?? '')
const withoutPrograms = {
  name: 'without-programs',
  resolveId: (id, importer) => (isForPrograms(id, importer) ? '\0programs' : undefined),
  load: (id) => (id === '\0programs' ? 'export const spawn = undefined; export default { spawn }' : undefined),
}

const tsc = `${root}node_modules/typescript/bin/tsc`
if (!existsSync(tsc)) {
  console.error('auth-cli: dist/ was not built: the development packages are missing. Run: npm ci')
  process.exit(existsSync(`${root}dist/bin/main.cjs`) ? 0 : 1)
}
rmSync(`${root}dist`, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const { shippedIndex } = await import('../dist/catalog/shipped.js')
writeFileSync(`${root}dist/templates.json`, shippedIndex(`${root}templates`))

const { rolldown } = await import('rolldown')
const bundle = await rolldown({
  input: { main: `${root}src/cli/main.ts` },
  platform: 'node',
  plugins: [withoutPrograms],
  // What begins with # is a bundled package's own file by another name (package.json `imports`).
  external: (id, importer) =>
    !/^[./#\0]/.test(id) && !bundled.includes(id.split('/')[0]) && !isForPrograms(id, importer),
})
await bundle.write({
  dir: `${root}dist/bin`,
  // CommonJS starts faster than modules do; the doorstep's package.json says so.
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
  // Names stay readable, so that the stack of a bug does too.
  minify: { compress: false, mangle: false, codegen: true },
  // Every file costs start-up time of its own: what nearly every command loads comes as two.
  codeSplitting: {
    groups: [
      { name: 'errors', test: /[\\/]model[\\/]errors\.ts/, priority: 1 },
      { name: 'command', test: /[\\/](commander[\\/]|cli[\\/](program|connect-options)\.ts)/ },
      { name: 'session', test: sessionFiles },
    ],
  },
})
await bundle.close()

const licence = (name) => {
  const { version } = JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8'))
  const file = ['LICENSE', 'license', 'LICENSE.md'].map((one) => `${root}node_modules/${name}/${one}`).find(existsSync)
  return `${name} ${version}\n\n${file === undefined ? '' : readFileSync(file, 'utf8').trim()}\n`
}
writeFileSync(`${root}dist/bin/THIRD-PARTY-LICENSES.txt`, bundled.map(licence).join(`\n${'-'.repeat(80)}\n\n`))
