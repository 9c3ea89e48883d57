import { ProviderError, UsageError } from '../../model/errors.ts'
import { type CallbackReport, type Parameter, probe } from '../../probe.ts'
import type { Style } from '../output/style.ts'
import { type Labelled, labelled, table } from '../output/table.ts'
import { type Given, openSession, readNumber } from '../session.ts'

/** The report is the result, on stdout; that the URL does not forward as it must is the failure. */
export async function run(given: Given): Promise<void> {
  const { world, print, limit } = await openSession(given)
  const url = given.arguments[0] ?? world.settings['callback-url']
  if (url === undefined) {
    throw new UsageError('MISSING_INPUT', 'Missing: the URL to check.', {
      hint: 'auth-cli callback check https://your-domain/oauth-callback; without one, what config set callback-url keeps is checked.',
    })
  }
  limit(readNumber('--timeout', given.options['timeout'], 1, 3600) ?? 30, () => `${url} did not answer in time`)
  const port = readNumber('--port', given.options['port'], 0, 65_535) ?? world.settings.port
  const report = await probe(world, url, port)
  await print.value(report, (style) => screen(report, style))
  if (report.verdict !== 'broken') return
  throw new ProviderError(
    'CALLBACK_BROKEN',
    `${report.url} does not forward as it must: ${report.errors.join('; ')}.`,
    {
      hint: `It must answer 308 to ${report.forwardsTo} with the query as it came; a ready forwarder stands above.`,
    },
  )
}

function screen(report: CallbackReport, style: Style): string {
  const { url, forwardsTo, get, post, errors, warnings, verdict, forwarders } = report
  const sign = verdict === 'broken' ? style.bad(style.symbols.failed) : style.good(style.symbols.done)
  const words = { good: 'forwards as it must', works: 'forwards, with a remark', broken: 'does not forward as it must' }
  const hops = get.hops.map(({ status, to }) => `${status} ${style.symbols.out} ${style.text(to)}`)
  const rows: Labelled[] = [
    ['must reach', forwardsTo],
    [
      'GET',
      hops.length > 0 ? hops : [`${get.status}${get.way === 'tunnel' ? ', passed on by itself (a tunnel)' : ''}`],
    ],
    [
      'form POST',
      post.faults.length === 0
        ? `${post.status}, arrives whole`
        : `${post.status}, ${style.text(post.faults.join('; '))}`,
    ],
  ]
  const remarks = [
    ...errors.map((one) => `  ${style.bad(style.symbols.failed)} ${style.text(one)}`),
    ...warnings.map((one) => `  ${style.warn(style.symbols.warning)} ${style.text(one)}`),
  ]
  return [
    `${sign} ${style.text(url)} ${words[verdict]}`,
    ...labelled(rows, style),
    '',
    parameterTable(get.parameters, style),
    ...(remarks.length > 0 ? [...remarks, ''] : []),
    '  nginx',
    ...forwarders.nginx.split('\n').map((line) => `    ${line}`),
    '  Express',
    ...forwarders.express.split('\n').map((line) => `    ${line}`),
  ].join('\n')
}

function parameterTable(parameters: readonly Parameter[], style: Style): string {
  const values = (all: readonly string[]): string => all.map((value) => (value === '' ? '(empty)' : value)).join(' | ')
  return table(
    parameters,
    [
      { title: 'parameter', cell: ({ name }) => name, kept: true },
      { title: 'sent', cell: ({ sent }) => values(sent) },
      { title: 'arrived', cell: ({ arrived }) => values(arrived) },
      {
        title: '',
        cell: ({ fate }) => fate,
        paint: (text, { fate }) =>
          fate === 'intact' ? style.good(text) : fate === 'added' ? style.warn(text) : style.bad(text),
        kept: true,
      },
    ],
    style,
  )
}
