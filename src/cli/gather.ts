import { basename, dirname, join, resolve } from 'node:path'
import { namesIn, readBytes, realPath, statOf } from '../catalog/files.ts'
import { isYaml, stem } from '../catalog/names.ts'
import type { CatalogueFile } from '../catalog/split.ts'
import type { Catalogue } from '../model/catalogue.ts'
import { TemplateError, UsageError } from '../model/errors.ts'
import type { World } from '../model/world.ts'

/** A catalogue as it was found: what there is to say of it, and its files, not yet taken apart. */
export interface Gathered {
  readonly about: Pick<Catalogue, 'name' | 'kind' | 'origin' | 'version' | 'licence' | 'homepage'>
  readonly files: readonly CatalogueFile[]
}

/** The catalogue in a file, a folder or else a package of the person's registry. Throws UsageError, TransportError, MachineError. */
export async function gather(world: Pick<World, 'cwd' | 'signal'>, what: string): Promise<Gathered> {
  const path = resolve(world.cwd, what)
  const stats = statOf(path)
  if (stats !== undefined) return stats.isFolder ? fromFolder(path) : fromFile(path)
  const { fetchPackage, isPackageSpec } = await import('../node/npm.ts')
  if (!isPackageSpec(what) || isYaml(what)) {
    throw new UsageError('NO_SUCH_FILE', `There is no file or folder ${what}, and no package can be called that.`, {
      hint: 'Give a file, a folder, or the name of a package: auth-cli providers add @nangohq/providers',
    })
  }
  const packed = await fetchPackage(what, world.cwd, world.signal)
  const files = new Map(packed.map(({ name, bytes }) => [name.replace(/^[^/]*\//, ''), bytes]))
  const text = (name: string): string | undefined => files.get(name)?.toString('utf8')
  const about = manifestIn(text('package.json'))
  const named = what.replace(/(?!^)@[^/]*$/, '')
  return {
    about: { kind: 'package', origin: named, ...about, name: about.name ?? named },
    files: chosen([...files.keys()]).map((name) => ({ file: `${named}/${name}`, text: text(name) ?? '' })),
  }
}

function fromFile(path: string): Gathered {
  const { name: _, ...about } = manifestIn(readBytes(join(dirname(path), 'package.json'))?.toString('utf8'))
  return {
    about: { kind: 'file', origin: realPath(path) ?? path, ...about, name: stem(basename(path)) },
    files: [{ file: path, text: readBytes(path)?.toString('utf8') ?? '' }],
  }
}

function fromFolder(path: string): Gathered {
  const about = manifestIn(readBytes(join(path, 'package.json'))?.toString('utf8'))
  const names = chosen(namesIn(path).filter((name) => statOf(join(path, name))?.isFolder === false))
  return {
    about: { kind: 'folder', origin: realPath(path) ?? path, ...about, name: about.name ?? basename(path) },
    files: names.map((name) => ({ file: join(path, name), text: readBytes(join(path, name))?.toString('utf8') ?? '' })),
  }
}

/** `providers.yaml` where there is one; else every YAML file at the top, or in `templates`. */
function chosen(names: readonly string[]): readonly string[] {
  const whole = names.filter((name) => /^providers\.ya?ml$/i.test(name))
  if (whole.length > 0) return whole
  return names.filter((name) => isYaml(name) && !/^auth-cli\.yaml$/i.test(name) && /^(?:templates\/)?[^/]+$/.test(name))
}

/** Licences of packages that do not state theirs in the package. */
const statedElsewhere: Readonly<Record<string, string>> = {
  '@nangohq/providers': 'Elastic License 2.0 (ELv2), as its repository states',
}

/** What a package says of itself; nothing of it is trusted to be text of any length. */
function manifestIn(json: string | undefined): Partial<Pick<Catalogue, 'name' | 'version' | 'licence' | 'homepage'>> {
  const manifest = parsed(json)
  const { license, repository } = manifest
  const repo =
    typeof repository === 'object' && repository !== null ? (repository as { url?: unknown }).url : repository
  const known = {
    name: short(manifest['name']),
    version: short(manifest['version']),
    licence:
      short(typeof license === 'object' && license !== null ? (license as { type?: unknown }).type : license) ??
      statedElsewhere[short(manifest['name']) ?? ''],
    homepage:
      short(manifest['homepage']) ??
      short(repo)
        ?.replace(/^git\+/, '')
        .replace(/\.git$/, ''),
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

function parsed(json: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (cause) {
    throw new TemplateError('TEMPLATE_INVALID', 'Its package.json is not JSON.', { cause })
  }
}

function short(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined
}
