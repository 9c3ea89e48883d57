import { describe, expect, it } from 'vitest'
import { width } from '../../../src/cli/output/style.ts'
import { labelled, table } from '../../../src/cli/output/table.ts'
import { drawn, hostile, isHarmless, pipe } from './samples.ts'

const columns = [
  { title: 'name', cell: (row: readonly string[]) => row[0] ?? '', kept: true },
  { title: 'what', cell: (row: readonly string[]) => row[1] ?? '' },
  { title: 'took', cell: (row: readonly string[]) => row[2] ?? '', right: true },
]
const rows = [
  ['short', 'a description that goes on for quite a while and then some more', '1.9 s'],
  ['a-rather-long-name-indeed', '東京', '12.0 s'],
]

describe('a table', () => {
  it('cuts the widest column to the width of the terminal', async () => {
    expect(table(rows, columns, await drawn(64))).toBe(
      [
        '  name                       what                           took\n',
        '  short                      a description that goes on…   1.9 s\n',
        '  a-rather-long-name-indeed  東京                         12.0 s\n',
      ].join(''),
    )
  })

  it('cuts nothing in a pipe', async () => {
    expect(table(rows, columns, await drawn(pipe))).toContain('quite a while and then some more   1.9 s\n')
  })

  it.each([20, 40, 80])('has no line wider than %i columns', async (room) => {
    const lines = table(rows, columns, await drawn(room)).split('\n')
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(room)
  })

  it('ends no line in spaces and holds no tab', async () => {
    expect(table([['a', '', '']], columns, await drawn(pipe))).not.toMatch(/[ \t]\n|\t/)
  })

  it('colours the text and not the space around it', async () => {
    const style = await drawn(80, { color: true })
    const painted = table(
      [['x']],
      [
        { title: 'name', cell: ([name]) => name ?? '', paint: style.good },
        { title: 'more', cell: () => 'y' },
      ],
      style,
    )
    expect(painted.split('\n')[1]).toBe('  \x1b[32mx\x1b[39m     y')
  })

  it('lets nothing through that acts on a terminal', async () => {
    expect(isHarmless(table([[hostile, hostile, hostile]], columns, await drawn(pipe)))).toBe(true)
  })
})

describe('labelled lines', () => {
  it('align their values, wrap them, and put further ones below', async () => {
    expect(
      labelled(
        [
          ['a', 'one two three four five six'],
          ['label', ['x', 'y']],
        ],
        await drawn(32),
      ),
    ).toEqual(['  a       one two three four', '          five six', '  label   x', '          y'])
  })

  it('stand under their labels where there is no room beside', async () => {
    expect(labelled([['a rather long label', 'value']], await drawn(30))).toEqual([
      '  a rather long label',
      '    value',
    ])
  })

  it('keep a command whole', async () => {
    const [line] = labelled([['Try', 'auth-cli connect zendesk --subdomain acme --client-secret -']], await drawn(40))
    expect(line).toBe('  Try   auth-cli connect zendesk --subdomain acme --client-secret -')
  })
})
