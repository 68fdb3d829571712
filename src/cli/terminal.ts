import { SingleBar } from 'cli-progress'

/** Where a command writes: results to stdout, everything else to stderr. */
export interface Terminal {
  /** One JSON object instead of text. */
  readonly json: boolean
  /** No progress. */
  readonly quiet: boolean
}

/** Prints a line of the result. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`)
}

/** Prints a remark that is no part of the result. */
export function remark(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Progress: a bar on a terminal, a line every two seconds elsewhere, nothing with --json or --quiet. */
export interface ProgressDisplay {
  update(share: number, text: string): void
  /** Takes the bar away, for good. */
  stop(): void
}

export function progressDisplay({ json, quiet }: Terminal): ProgressDisplay {
  if (json || quiet) return { update: () => {}, stop: () => {} }
  if (!process.stderr.isTTY) {
    let last = performance.now()
    return {
      update(share, text) {
        if (performance.now() - last < 2000) return
        last = performance.now()
        remark(`${percent(share)}  ${text}`)
      },
      stop: () => {},
    }
  }
  const bar = new SingleBar({
    format: '{bar} {percentage} %  {text}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    autopadding: true,
    fps: 8,
  })
  let state: 'waiting' | 'shown' | 'gone' = 'waiting'
  return {
    update(share, text) {
      if (state === 'shown') bar.update(Math.round(100 * share), { text })
      if (state !== 'waiting') return
      bar.start(100, Math.round(100 * share), { text })
      state = 'shown'
    },
    stop() {
      if (state === 'shown') bar.stop()
      state = 'gone'
    },
  }
}

/** 0.1234 -> "12 %" */
export function percent(share: number): string {
  return `${(100 * share).toFixed(0).padStart(3)} %`
}

/** A number as a person reads it: four significant digits, exponent only when it must be. */
export function brief(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(1)
}

/** Pairs of a name and a value, aligned. */
export function pairs(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}   ${value}`)
}

/** A table with a header, columns aligned: the first to the left, the others to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((name, k) => Math.max(name.length, ...rows.map((row) => row[k]!.length)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!))).join('  ')
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)]
}

/** A signal that fires at the first Ctrl-C, when the bar is gone; a second one ends the process as usual. */
export function interruptSignal(display: ProgressDisplay): AbortSignal {
  const controller = new AbortController()
  process.once('SIGINT', () => {
    display.stop()
    remark('Stopping; press Ctrl-C again to end at once.')
    controller.abort()
  })
  return controller.signal
}
