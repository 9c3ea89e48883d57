import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { unpack } from '../../src/node/tar.ts'
import { freshFolder } from '../support/disk.ts'

const most = 1024 * 1024
const long = `${'deep/'.repeat(30)}${'long'.repeat(20)}.yaml`

/** An archive as the system's own tar makes it. */
function archive(format: string): Buffer {
  const folder = freshFolder()
  mkdirSync(join(folder, 'package', ...long.split('/').slice(0, -1)), { recursive: true })
  writeFileSync(join(folder, 'package', 'a.yaml'), 'a: 1\n')
  writeFileSync(join(folder, 'package', long), 'x'.repeat(1000))
  writeFileSync(join(folder, 'package', 'empty'), '')
  symlinkSync('/etc/passwd', join(folder, 'package', 'link.yaml'))
  execFileSync('tar', ['-czf', 'a.tgz', `--format=${format}`, 'package'], { cwd: folder })
  return readFileSync(join(folder, 'a.tgz'))
}

describe('an archive', () => {
  it.each(['pax', 'gnu'])('gives its regular files, links left out: %s', (format) => {
    const files = unpack(archive(format), most)
    expect(files.map(({ name, bytes }) => [name, bytes.length]).sort()).toEqual([
      ['package/a.yaml', 5],
      [`package/${long}`, 1000],
      ['package/empty', 0],
    ])
  })

  it('is refused where it is none, is cut short, or is larger than it may be', () => {
    const whole = archive('pax')
    expect(() => unpack(Buffer.from('hello'), most)).toThrow()
    expect(() => unpack(gzipSync('hello'.repeat(500)), most)).toThrow('not a tar archive')
    const cut = unzipped(whole).indexOf('xxxx') + 10
    expect(() => unpack(gzipSync(unzipped(whole).subarray(0, cut - (cut % 512) + 512)), most)).toThrow('cut short')
    expect(() => unpack(gzipSync(Buffer.alloc(most + 1)), most)).toThrow()
  })
})

function unzipped(bytes: Buffer): Buffer {
  return execFileSync('gzip', ['-dc'], { input: bytes })
}
