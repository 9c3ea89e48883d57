import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEnvFiles } from '../../src/node/env-file.ts'
import { freshFolder } from '../support/disk.ts'

describe('a .env file', () => {
  it('is read as dotenv has it, a later file over an earlier one', () => {
    const folder = freshFolder()
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    writeFileSync(one, '\uFEFFA=1\n# a comment\nexport B=\'two words\' # said\r\nC="line\\nbreak"\nD=\n')
    writeFileSync(two, 'A=2\n')
    expect(readEnvFiles([one, two])).toEqual({ A: '2', B: 'two words', C: 'line\nbreak', D: '' })
  })

  it('that is not there is a usage error', () => {
    expect(() => readEnvFiles([join(freshFolder(), 'none')])).toThrow(
      expect.objectContaining({ code: 'NO_SUCH_FILE', exitCode: 2 }),
    )
  })
})
