import { cpus, totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a figure was measured on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly platform: string
}

export function machine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
}

/** Bytes in the typed arrays that are still in use: garbage is collected first. */
export function arrayBytes(): number {
  collect()
  return process.memoryUsage().arrayBuffers
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

function collect(): void {
  // The memory behind an array is given back after the collection that finds it unused.
  gc()
  gc()
}

/** Seconds that a piece of work took: by the clock on the wall, and of processor time in this process. */
export interface Took {
  readonly wall: number
  /** What the wall clock would show on an idle machine: nothing here runs on a second thread, garbage collection aside. */
  readonly cpu: number
}

/** A stopwatch, started now. */
export function stopwatch(): () => Took {
  const begun = performance.now()
  const used = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(used)
    return { wall: (performance.now() - begun) / 1000, cpu: (user + system) / 1e6 }
  }
}

/** Median processor seconds of one call, over calls for about `span` seconds and at least three. */
export function secondsOf(call: () => void, span = 1): number {
  const times: number[] = []
  const all = stopwatch()
  call()
  while (times.length < 3 || all().cpu < span) {
    const took = stopwatch()
    call()
    times.push(took().cpu)
  }
  return median(times)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
