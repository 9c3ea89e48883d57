/** A whole catalogue of templates that the person added: where it came from, and on which terms. */
export interface Catalogue {
  /** What it is called: `@nangohq/providers`, `acme-templates`. */
  readonly name: string
  readonly kind: 'package' | 'folder' | 'file'
  /** The package's name, or the absolute path that was copied. */
  readonly origin: string
  readonly version?: string | undefined
  /** As it is stated, by its package.json where it has one. */
  readonly licence?: string | undefined
  readonly homepage?: string | undefined
  /** Number of templates. */
  readonly count: number
  /** ISO 8601. */
  readonly addedAt: string
}

/** A catalogue that was read from disk. */
export interface AddedCatalogue extends Catalogue {
  /** Folder of its templates, one file each. */
  readonly path: string
  /** What is told of each without reading it; made anew where it is lost or stale. */
  readonly index: string
}

/** The folder that a catalogue is kept in: one name, good on any disk, `@nangohq+providers`. */
export function folderOf(name: string): string {
  const safe = name
    .replaceAll('/', '+')
    .replace(/[^\w@+.-]+/g, '-')
    .replace(/^[.-]+/, '')
  return safe.slice(0, 100) || 'templates'
}
