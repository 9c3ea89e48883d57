import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { MachineError, TransportError } from '../../src/model/errors.ts'
import { diskTrouble, isTemporary, makeFolder, placeOnce, replaceWhole, temporaryBeside } from '../../src/node/disk.ts'
import { freshFolder } from '../support/disk.ts'

const failed = (code: string) => Object.assign(new Error('failed'), { code, syscall: 'write' })

test.each([
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['EFBIG', 'DISK_FULL'],
  ['EROFS', 'NOT_WRITABLE'],
  ['EACCES', 'NOT_WRITABLE'],
  ['EIO', 'NOT_WRITABLE'],
])('%s is told as %s, with what did not happen and where', (system, code) => {
  const trouble = diskTrouble(failed(system), '"acme" was not saved', '/home/ada/x')
  expect(trouble).toBeInstanceOf(MachineError)
  expect(trouble).toMatchObject({
    code,
    message: expect.stringContaining('"acme" was not saved'),
    hint: expect.stringContaining('/home/ada/x'),
    facts: [['System', system]],
  })
})

test('what is not the system’s doing stays what it is', () => {
  for (const error of [new TypeError('bug'), new TransportError('TIMEOUT', 'late'), undefined, 'text']) {
    expect(diskTrouble(error, 'x', '/')).toBe(error)
  }
})

test('a replaced file is a new file, and a failed replacement leaves the old one alone', () => {
  const folder = freshFolder()
  const file = path.join(folder, 'file')
  writeFileSync(file, 'old', { mode: 0o644 })
  replaceWhole(file, 'new')
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(() => replaceWhole(folder, 'x')).toThrow()
  expect(readdirSync(folder)).toEqual(['file'])
  expect(readdirSync(path.dirname(folder)).filter((name) => name.startsWith(path.basename(folder)))).toHaveLength(1)
})

test('only the first to place a file has placed it', () => {
  const file = path.join(freshFolder(), 'file')
  expect(placeOnce(file, 'one')).toBe(true)
  expect(placeOnce(file, 'two')).toBe(false)
  expect(readFileSync(file, 'utf8')).toBe('one')
  expect(readdirSync(path.dirname(file))).toEqual(['file'])
})

test('a temporary name is known again, and no other', () => {
  expect(isTemporary(temporaryBeside('acme.json'))).toBe(true)
  for (const name of ['acme.json', 'x.tmp', 'config.json.tmp', 'a.1.0123456789ab.tmp.json']) {
    expect(isTemporary(name)).toBe(false)
  }
})

test('a folder is made with those above it, and made again without harm', () => {
  const folder = path.join(freshFolder(), 'a', 'b', 'c')
  makeFolder(folder)
  makeFolder(folder)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(path.dirname(folder)).mode & 0o777).toBe(0o700)
})

test('a folder that cannot be made is an error at once: under a file, behind a link to nowhere', () => {
  const home = freshFolder()
  writeFileSync(path.join(home, 'file'), '')
  symlinkSync(path.join(home, 'nowhere', 'at-all'), path.join(home, 'link'))
  expect(() => makeFolder(path.join(home, 'file'))).toThrow('EEXIST')
  expect(() => makeFolder(path.join(home, 'file', 'x', 'y'))).toThrow('ENOTDIR')
  expect(() => makeFolder(path.join(home, 'link', 'x'))).toThrow('EEXIST')
})

// Node's own recursive mkdir never returns here.
test.runIf(process.platform === 'linux')('a folder that takes no folders is an error at once', () => {
  expect(() => makeFolder('/proc/auth-cli/x')).toThrow('ENOENT')
})
