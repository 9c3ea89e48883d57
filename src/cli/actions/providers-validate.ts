import { relative } from 'node:path'
import { type Problem, TemplateError } from '../../model/errors.ts'
import { type Verdict, validate } from '../../validate.ts'
import { problemLines } from '../output/failure.ts'
import type { Style } from '../output/style.ts'
import { type Given, openSession } from '../session.ts'

/** The problems are the result, on stdout; that there are errors among them is the failure. */
export async function run(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const verdict = await validate(world, given.arguments)
  const problems = verdict.problems.map((problem) => ({ ...problem, file: nearName(problem.file, world.cwd) }))
  await print.value(problems, (style) => screen({ ...verdict, problems }, given.options['verbose'] === true, style))
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const files = new Set(errors.map(({ file }) => file))
  throw new TemplateError('TEMPLATE_INVALID', `${counted(errors.length, 'error')} in ${named(files)}.`, {
    hint: 'Mend what is listed, and run this again. Templates beside a broken one go on working.',
  })
}

/** Notes among many templates would hide what has to be mended. */
const fewTemplates = 10

function screen({ problems, files, templates }: Verdict, isVerbose: boolean, style: Style): string {
  const count = (severity: Problem['severity']): number => problems.filter((one) => one.severity === severity).length
  const [errors, warnings, notes] = [count('error'), count('warning'), count('note')]
  const areNotesShown = isVerbose || templates <= fewTemplates
  const lines = problems
    .filter(({ severity }) => severity !== 'note' || areNotesShown)
    .flatMap((problem) => problemLines(problem, style))
  const looked = `${counted(templates, 'template')} in ${counted(files, 'file')}`
  const found = [
    errors > 0 ? counted(errors, 'error') : '',
    warnings > 0 ? counted(warnings, 'warning') : '',
    notes > 0 ? `${counted(notes, 'note')}${areNotesShown ? '' : ' (-v shows them)'}` : '',
  ]
  const sum = found.filter((part) => part !== '').join(', ')
  const sign = errors > 0 ? style.bad(style.symbols.failed) : style.good(style.symbols.done)
  const gap = lines.length > 0 ? [''] : []
  return [...lines.slice(1), ...gap, `${sign} ${looked}: ${sum || 'nothing to mend'}`].join('\n')
}

/** As an editor's terminal makes it a link: relative where that is shorter. */
function nearName(file: Problem['file'], cwd: string): string {
  const near = relative(cwd, file)
  return near === '' || near.startsWith('..') ? file : near
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function named(files: ReadonlySet<string>): string {
  const [only = ''] = files
  return files.size === 1 ? only : counted(files.size, 'file')
}
