import type { Tinypool } from 'tinypool'
import type { SharedRows } from '../estimators/content-hash.ts'
import type { Executor } from '../estimators/executor.ts'
import type { FoldJob, FoldOutcome, JobWatch } from '../estimators/fold-job.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Matrix } from '../types.ts'
import { asTheyCome } from './as-they-come.ts'
import { optional } from './optional.ts'
import type { ThreadTask } from './thread.ts'

/** Settings of `threads`. */
export interface ThreadsOptions {
  /** Jobs at a time (default: one per core). */
  count?: number
}

/**
 * Jobs on a pool of threads of this process (tinypool, an optional peer), which starts with the first job.
 *
 * The rows lie once in memory that all threads share. `close` ends the threads; left open, idle ones do
 * not keep the process alive.
 *
 * @throws RangeError when the count is no positive whole number; when it runs, Error where tinypool is not installed.
 */
export function threads(options: ThreadsOptions = {}): Executor {
  requireOptions(options, { count: 'number' }, 'threads')
  const { count } = options
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1))
    throw new RangeError(`threads: count is ${count}, expected a positive whole number; leave it out for one per core.`)
  let pool: Promise<Pool> | undefined
  return {
    name: 'threads',
    async *run(jobs, data, { signal, onPoint } = {}) {
      const begun = await (pool ??= startPool(count))
      const shared = inSharedMemory(data)
      const left = new AbortController()
      const end = signal ? AbortSignal.any([signal, left.signal]) : left.signal
      if (end.aborted) return
      const calledOff = new Promise<undefined>((resolve) => end.addEventListener('abort', () => resolve(undefined)))
      const running = jobs.map((job) => runInThread(begun, job, shared, end, onPoint))
      try {
        for await (const outcome of asTheyCome(running.map((one) => Promise.race([calledOff, one])))) {
          if (!outcome) return
          yield outcome
        }
      } finally {
        left.abort()
      }
    },
    async close() {
      const open = pool
      pool = undefined
      await (await open)?.threads.destroy()
    },
  }
}

interface Pool {
  readonly threads: Tinypool
  /** Rejects when a thread cannot start. */
  readonly broken: Promise<never>
}

async function runInThread(
  { threads, broken }: Pool,
  job: FoldJob,
  data: SharedRows,
  end: AbortSignal,
  onPoint: JobWatch['onPoint'],
): Promise<FoldOutcome | undefined> {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = ({ data: point }) => {
    if (!end.aborted) onPoint?.(...(point as Parameters<NonNullable<JobWatch['onPoint']>>))
  }
  // A signal each: many listeners at one pass for a leak.
  const own = AbortSignal.any([end])
  own.addEventListener('abort', () => port1.postMessage('end'))
  try {
    const task = { job, data, port: port2 as unknown as ThreadTask['port'] } satisfies ThreadTask
    return await Promise.race([broken, threads.run(task, { transferList: [task.port] })])
  } finally {
    port1.close()
  }
}

async function startPool(count: number | undefined): Promise<Pool> {
  const { Tinypool } = await optional<typeof import('tinypool')>('tinypool').catch((cause: unknown) => {
    throw new Error('threads: the package tinypool is not installed; run npm install tinypool, or use inline().', {
      cause,
    })
  })
  // Asked for rather than imported: bundlers for browsers follow every import.
  const size = count ?? globalThis.process.getBuiltinModule('node:os').availableParallelism()
  const threads = new Tinypool({ filename: threadModule().href, minThreads: size, maxThreads: size })
  const broken = new Promise<never>((_, reject) => threads.on('error', reject))
  // It is heard where jobs are waiting.
  broken.catch(() => {})
  return { threads, broken }
}

/** The built file of a thread stands beside this one; from the sources a thread begins with what reads TypeScript. */
function threadModule(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./sweep-thread.js', import.meta.url)
  const thread = new URL('./thread.ts', import.meta.url).href
  const script = `
    import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))}
    register()
    export default (await import(${JSON.stringify(thread)})).default`
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`)
}

/** Copies in shared memory, for as long as somebody keeps what they are copies of. */
const copies = new WeakMap<SharedRows, SharedRows>()

function inSharedMemory(rows: SharedRows): SharedRows {
  const known = copies.get(rows)
  if (known) return known
  const copy = { ...rows, X: shared(rows.X), Y: shared(rows.Y) }
  copies.set(rows, copy)
  return copy
}

function shared({ rows, columns, data }: Matrix): Matrix {
  if (data.buffer instanceof SharedArrayBuffer) return { rows, columns, data }
  const copy = new Float64Array(new SharedArrayBuffer(data.byteLength))
  copy.set(data)
  return { rows, columns, data: copy as Float64Array }
}
