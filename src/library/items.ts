import { ProviderError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import { readPages } from '../pages.ts'
import type { ApiAnswer } from '../request.ts'
import { wordsIn } from '../wire/words.ts'
import { callOf, type RequestOptions } from './response.ts'

export interface ItemsOptions extends RequestOptions {
  /** Where in each page the items stand, `a.b.c`, instead of where the template says. */
  readonly items?: string | undefined
}

/** The items of a list, page by page; the next page is asked for once this one's items are taken. */
export async function* itemsOf(
  world: World,
  name: string,
  target: string,
  options: ItemsOptions,
): AsyncGenerator<unknown, void, undefined> {
  const { readable, writable } = new TransformStream<readonly unknown[], readonly unknown[]>()
  const writer = writable.getWriter()
  const onPage = ({ items }: { readonly items: readonly unknown[] }): Promise<boolean> =>
    // Rejects once nobody takes them any more.
    writer.write(items).then(
      () => true,
      () => false,
    )
  const reading = readPages(world, name, callOf(target, options), { items: options.items, onPage, onRefusal: refuse })
  reading.then(
    () => writer.close().catch(() => {}),
    (error: unknown) => writer.abort(error).catch(() => {}),
  )
  for await (const page of readable) yield* page
}

async function refuse({ status, body, connection }: ApiAnswer): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  const title = connection.snapshot.template.display_name ?? connection.provider
  throw new ProviderError(`HTTP_${status}`, `${title} answered ${status}.`, {
    status,
    words: wordsIn(Buffer.concat(chunks).toString('utf8')),
    hint: 'The body says what the API thinks of it; request() resolves with it.',
  })
}
