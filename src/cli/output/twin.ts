import type { Twin } from '../../sandbox/index.ts'
import { plain, type Style } from './style.ts'

/** What a twin issued is made up, so it is shown as it is. */
export function twinShown(
  provider: string,
  fault: string | undefined,
  { origin, port, issued, places, address }: Twin,
) {
  const { clientId, clientSecret, params } = issued
  return {
    origin,
    port,
    provider,
    fault: fault ?? null,
    client: clientId === undefined ? null : { id: clientId, secret: clientSecret ?? null },
    params,
    places: places.map(({ what, url }) => ({ what, url, served: address(url) })),
  }
}

/** The same for a person; each secret on one line, as it can be typed. */
export function twinCard(style: Style, title: string, fault: string | undefined, twin: Twin): string {
  const { clientId, clientSecret, params } = twin.issued
  const rows: (readonly [string, string])[] = [
    ...(clientId === undefined ? [] : [['client id', clientId] as const]),
    ...(clientSecret === undefined ? [] : [['client secret', clientSecret] as const]),
    ...Object.entries(params).map(([key, value]) => [plain(key), plain(value.replaceAll('\n', '\\n'))] as const),
    ...(fault === undefined ? [] : [['fault', fault] as const]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length), 0) + 2
  return [
    `${style.good(style.symbols.done)} A twin of ${plain(title)} listens at ${style.bold(twin.origin)}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`),
    ...twin.places.map(({ what, url }) => `  ${what}\n    ${plain(twin.address(url))}`),
    '  Ctrl-C here to stop',
  ].join('\n')
}
