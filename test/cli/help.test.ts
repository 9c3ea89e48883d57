import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { declare } from '../../src/cli/program.ts'

const { program } = declare()

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)]
}

/** As `--help` prints it, what is added before and after included. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (chunk) => {
      text += chunk
    },
    getOutHelpWidth: () => 80,
  })
  command.outputHelp()
  return text
}

describe('the help', () => {
  it.each(all(program).map((command): [string, Command] => [command.name(), command]))(
    'of %s is no wider than 80 columns and says what it is for',
    (_, command) => {
      const text = helpOf(command)
      expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
      expect(text).toContain(command.description().split(' ')[0])
      expect(command.description()).not.toBe('')
    },
  )
})
