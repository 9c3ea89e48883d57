import type { World } from '../model/world.ts'
import { readPages, refusalOf } from '../pages.ts'
import type { ApiAnswer } from '../request.ts'
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

async function refuse(answer: ApiAnswer): Promise<void> {
  throw await refusalOf(answer)
}
