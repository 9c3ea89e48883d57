import { ProviderError } from '../../model/errors.ts'
import type { Store } from '../../model/world.ts'
import { type Refreshed, refreshAll } from '../../refresh-all.ts'
import { progressBar } from '../output/bar.ts'
import { plain, type Style } from '../output/style.ts'
import { relative } from '../output/time.ts'
import { type Given, openSession, type Session } from '../session.ts'

/** `auth-cli refresh --all`: a bar while it goes on, then what became of each. */
export async function run(given: Given): Promise<void> {
  const sandboxes = sandboxesFor()
  const session: Session = await openSession(given, {
    flows: true,
    reach: (url) => sandboxes.reach(url, session),
  })
  const { world, print, quiet } = session
  const bar = progressBar(process.stderr, await session.style())
  try {
    const results = await refreshAll(world, {
      force: given.options['force'] === true,
      onBroken: (_, why) => void process.stderr.write(`! ${plain(`Left out: ${why}`)}\n`),
      onProgress: ({ done, failed, total, waiting }) => {
        const pause = waiting === undefined ? '' : `${waiting.host} asks to wait ${Math.ceil(waiting.ms / 1000)} s`
        const fails = failed === 0 ? '' : `${failed} failed`
        if (!quiet) bar.show(done, total, [fails, pause].filter((text) => text !== '').join(', '))
      },
    })
    bar.stop()
    await print.value(results, (style) => summaryScreen(results, style, world.clock.now()))
    const failed = results.filter(({ outcome }) => outcome === 'failed').length
    if (failed > 0) throw someFailed(failed, results.length)
  } finally {
    bar.stop()
    await sandboxes.close()
  }
}

function someFailed(failed: number, total: number): ProviderError {
  return new ProviderError('NOT_ALL_RENEWED', `${failed} of ${total} could not be renewed.`, {
    hint: 'Each says why above; auth-cli logs show <flow> tells the whole story.',
  })
}

function summaryScreen(results: readonly Refreshed[], style: Style, now: Date): string {
  const count = (wanted: Refreshed['outcome']): number => results.filter(({ outcome }) => outcome === wanted).length
  const failures = results.flatMap(({ name, error }) =>
    error === undefined
      ? []
      : [
          `${style.bad(style.symbols.failed)} ${style.text(name)}   ${style.text(`${error.code}  ${error.message}`)}${error.flow === undefined ? '' : style.dim(`   ${style.text(error.flow)}`)}`,
        ],
  )
  const renewed = results.filter(({ outcome }) => outcome === 'renewed')
  const lines = renewed.length > 20 ? [] : renewed.map((one) => renewedLine(one, style, now))
  const summary = `Renewed ${count('renewed')}, still fresh ${count('fresh')}, nothing to renew ${count('lasting')}, failed ${count('failed')}.`
  return [...lines, ...failures, summary].join('\n')
}

function renewedLine({ name, expiresAt }: Refreshed, style: Style, now: Date): string {
  const until = expiresAt === undefined ? 'its expiry is not known' : `expires ${relative(expiresAt, now)}`
  return `${style.good(style.symbols.done)} ${style.text(name)}   ${style.dim(until)}`
}

/** The sandboxes that connections were made with, each woken before the first request to it. */
function sandboxesFor() {
  const woken = new Map<string, Promise<void>>()
  const closes: (() => Promise<void>)[] = []
  const wake = async (url: string, { world, paths }: Session): Promise<void> => {
    const names = await sandboxNames(world.store)
    if (names.length === 0) return
    const { sandboxWaker } = await import('../sandbox.ts')
    for (const name of names) {
      const waker = sandboxWaker(paths.sandbox, world.store, name)
      closes.push(waker.close)
      await waker.reach(url)
    }
  }
  return {
    async reach(url: string, session: Session): Promise<undefined> {
      const { origin } = new URL(url)
      const waking = woken.get(origin) ?? wake(url, session)
      woken.set(origin, waking)
      await waking
    },
    async close(): Promise<void> {
      for (const close of closes) await close()
    },
  }
}

async function sandboxNames(store: Store): Promise<string[]> {
  return (await store.lines()).filter(({ provider }) => provider === 'sandbox').map(({ name }) => name)
}
