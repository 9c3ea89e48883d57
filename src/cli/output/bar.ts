import { cut, type Style, width } from './style.ts'

/** What a bar is drawn on; `process.stderr` fits. */
export interface Canvas {
  write(text: string): unknown
}

export interface Bar {
  /** Draws anew, at most ten times a second. */
  show(done: number, total: number, note: string): void
  /** Takes the bar away. */
  stop(): void
}

const wipe = '\r\x1b[2K'
const cells = 30
const redraw = 100

/** `[##########----------]  412/1000  3 failed`: where a line may be redrawn; elsewhere nothing. */
export function progressBar(stream: Canvas, style: Style): Bar {
  if (!style.animated) return { show() {}, stop() {} }
  let drawn = Number.NEGATIVE_INFINITY
  return {
    show(done, total, note) {
      const now = performance.now()
      if (now - drawn < redraw && done < total) return
      drawn = now
      const full = total === 0 ? cells : Math.floor((done / total) * cells)
      const [on, off] = style.unicode ? ['█', '░'] : ['#', '-']
      const line = `  ${on.repeat(full)}${off.repeat(cells - full)}  ${done}/${total}${note === '' ? '' : `  ${style.text(note)}`}`
      stream.write(wipe + (width(line) < style.columns ? line : cut(line, style.columns - 1, style.symbols.more)))
    },
    stop() {
      if (drawn !== Number.NEGATIVE_INFINITY) stream.write(wipe)
    },
  }
}
