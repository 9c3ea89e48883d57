import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Cancelled, MachineError, TransportError, UsageError } from '../model/errors.ts'
import { type Packed, unpack } from './tar.ts'

/** Bytes that a package of templates may unpack to. */
const largestPackage = 64 * 1024 * 1024
/** Milliseconds that npm may take. */
const patience = 120_000

/** Whether a word can be a package of a registry, with or without a version: no path, no URL, no flag. */
export function isPackageSpec(spec: string): boolean {
  return spec.length <= 214 && /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*(?:@[\w.^~+-]+)?$/i.test(spec)
}

/**
 * The files of a package, fetched by the person's own npm with its registry settings, as seen from `cwd`. Nothing in the
 * package is run. Throws UsageError `UNKNOWN_PACKAGE`, TransportError `UNREACHABLE`, MachineError `NPM_MISSING`,
 * `NPM_FAILED`, and the signal's reason.
 */
export async function fetchPackage(spec: string, cwd: string, signal: AbortSignal): Promise<readonly Packed[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'auth-cli-package-'))
  try {
    await npmPack(spec, folder, cwd, signal)
    const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))
    if (archive === undefined) throw new MachineError('NPM_FAILED', `npm brought nothing for ${spec}.`)
    return unpacked(readFileSync(path.join(folder, archive)), spec)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function unpacked(archive: Uint8Array, spec: string): readonly Packed[] {
  try {
    return unpack(archive, largestPackage)
  } catch (cause) {
    throw new MachineError('NPM_FAILED', `What npm brought for ${spec} cannot be unpacked.`, {
      hint: 'Look at it yourself: npm pack, then auth-cli providers add <folder>.',
      cause,
    })
  }
}

function npmPack(spec: string, folder: string, cwd: string, signal: AbortSignal): Promise<void> {
  const isWindows = process.platform === 'win32'
  const args = ['pack', spec, '--ignore-scripts', '--loglevel', 'error', '--pack-destination', folder]
  return new Promise((resolve, reject) => {
    // npm is a script of the shell on Windows; the words are ours, and the spec is held to a pattern.
    const quoted = isWindows ? args.map((arg) => `"${arg}"`) : args
    const options = { cwd, signal, timeout: patience, shell: isWindows, windowsHide: true, maxBuffer: 4 * 1024 * 1024 }
    execFile(isWindows ? 'npm.cmd' : 'npm', quoted, options, (error, _, stderr) => {
      if (error === null) resolve()
      else reject(signal.aborted ? (signal.reason ?? new Cancelled()) : explained(error, stderr, spec))
    })
  })
}

function explained(error: Error & { code?: unknown; killed?: boolean }, stderr: string, spec: string): Error {
  if (error.code === 'ENOENT')
    return new MachineError('NPM_MISSING', 'npm was not found, and it is what fetches packages.', {
      hint: 'Install npm, or download the package yourself and add its folder: auth-cli providers add <folder>',
      cause: error,
    })
  const code = /npm (?:ERR!|error) code (\w+)/.exec(stderr)?.[1] ?? ''
  const facts: readonly [string, string][] = [['npm said', wordsOf(stderr)]]
  if (code === 'E404' || code === 'ETARGET')
    return new UsageError('UNKNOWN_PACKAGE', `Your registry has no package ${spec}, and there is no such file here.`, {
      hint: 'Check the spelling; a folder or file is given by its path.',
      facts,
      cause: error,
    })
  if (
    error.killed === true ||
    /^E(?:NOTFOUND|CONNREFUSED|CONNRESET|TIMEDOUT|AI_AGAIN|SOCKETTIMEOUT)|^E401|^E403/.test(code)
  )
    return new TransportError('UNREACHABLE', `npm could not fetch ${spec}.`, {
      hint: 'Check the network and the registry settings: npm config get registry',
      facts,
      cause: error,
    })
  return new MachineError('NPM_FAILED', `npm could not fetch ${spec}.`, {
    hint: 'Run it yourself to see more: npm pack ' + spec,
    facts,
    cause: error,
  })
}

/** npm's first complaints, without its prefix and without the path of its log. */
function wordsOf(stderr: string): string {
  const lines = stderr
    .split(/\r?\n/)
    .filter((line) => /^npm (?:ERR!|error)/.test(line) && !/complete log|_logs/.test(line))
    .map((line) => line.replace(/^npm (?:ERR!|error) ?/, '').trim())
    .filter((line) => line !== '')
  return lines.slice(0, 3).join('\n') || 'nothing'
}
