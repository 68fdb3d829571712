import type { Job } from 'bullmq'
import type { Redis } from 'ioredis'
import type { SharedRows } from '../estimators/content-hash.ts'
import type { Executor } from '../estimators/executor.ts'
import type { FoldOutcome } from '../estimators/fold-job.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { requireQueueName } from './bullmq.ts'
import {
  CANCEL,
  type Envelope,
  type PointReport,
  PREFIX,
  parseOutcome,
  resultKey,
  summarizeGroups,
} from './envelope.ts'
import { exactJson } from './exact-json.ts'
import { loadBullmq, packageVersion, reachRedis } from './redis.ts'
import { fetchRows } from './redis-rows.ts'
import { threads } from './threads.ts'

/** Which queue a worker takes jobs from, and how many at a time. */
export interface SweepWorkerOptions {
  /** Address of Redis or Valkey, as `bullmq` takes it. */
  redis: string
  /** Name of the queue (default `sweeps`). */
  queue?: string
  /** Jobs at a time, each on a thread of its own (default 1). */
  concurrency?: number
  /** Seconds without a sign of life after which a job is given to another worker (default 30). */
  lease?: number
  /** Told in one line what happens: rows fetched, jobs done, outages. */
  onNotice?: (line: string) => void
}

const optionNames: OptionKinds<SweepWorkerOptions> = {
  redis: true,
  queue: true,
  concurrency: 'number',
  lease: 'number',
  onNotice: true,
}

/** A worker at its queue. */
export interface SweepWorker {
  /** Takes no more jobs, puts back those that it has begun, and goes. */
  close(): Promise<void>
}

/** How often a job may lose its worker: as often as workers are killed. */
const STALLS = 1_000_000
/** How many data sets a worker keeps in memory. */
const KEPT = 4

/**
 * Does the jobs of `bullmq` until it is closed: what `cvxnn worker` runs. Needs the optional peers bullmq, ioredis and
 * tinypool.
 *
 * @throws RangeError when options are out of range, Error when Redis does not answer.
 */
export async function sweepWorker(options: SweepWorkerOptions): Promise<SweepWorker> {
  requireOptions(options, optionNames, 'worker')
  const { redis, queue = 'sweeps', concurrency = 1, lease = 30, onNotice = () => {} } = options
  requireQueueName(queue, 'worker')
  if (!(Number.isSafeInteger(concurrency) && concurrency >= 1))
    throw new RangeError(`worker: concurrency is ${concurrency}, expected a positive whole number; pass for example 1.`)
  if (!(lease >= 1 && lease <= 86_400))
    throw new RangeError(`worker: lease is ${lease}, expected seconds from 1 to 86400; pass for example 30.`)
  const reached = await reachRedis(redis, 'worker')
  const { UnrecoverableError, WaitingError, Worker } = await loadBullmq('worker')
  const version = await packageVersion()
  const [client, blocking, listening] = [reached.connect(), reached.connect(), reached.connect()]
  const pool = threads({ count: concurrency })
  const rows = rowsByHash(client, onNotice)
  const running = new Map<string, AbortController>()
  let closing = false

  const fold = async (job: Job<Envelope>, envelope: Envelope & { kind: 'fold' }): Promise<string> => {
    const key = resultKey(version, envelope.job.id)
    const known = await client.get(key)
    if (known !== null) return known
    const data = await rows(envelope.job.data)
    const stop = new AbortController()
    running.set(job.id!, stop)
    try {
      const outcome = await runOn(pool, envelope, data, job, stop.signal)
      if (!outcome) throw new UnrecoverableError(CANCEL)
      const text = exactJson(outcome)
      await client.set(key, text, 'EX', envelope.keep)
      onNotice(`fold ${brief(job.id)}: ${outcome.points.length} lambdas in ${outcome.seconds.toFixed(1)} s`)
      return text
    } finally {
      running.delete(job.id!)
    }
  }
  const summary = async ({ groups }: Envelope & { kind: 'summary' }): Promise<string> => {
    const ids = groups.flatMap((group) => group.ids)
    const texts = await client.mget(ids.map((id) => resultKey(version, id)))
    const outcomes = texts.map((text, k) => {
      if (text === null) throw new Error(`worker: the result of ${ids[k]} is no longer in Redis; sweep again.`)
      return parseOutcome(text)
    })
    return exactJson(summarizeGroups(groups, new Map(outcomes.map((outcome) => [outcome.id, outcome]))))
  }

  const worker = new Worker<Envelope, string>(
    queue,
    async (job, token) => {
      const { data: envelope } = job
      if (envelope.version !== version)
        throw new UnrecoverableError(
          `worker: the job is of cvxnn ${envelope.version} and this worker is ${version}; run the same version everywhere.`,
        )
      try {
        return await (envelope.kind === 'fold' ? fold(job, envelope) : summary(envelope))
      } catch (error) {
        if (closing) {
          await job.moveToWait(token)
          throw new WaitingError()
        }
        // Wrong input is as wrong elsewhere.
        const wrong = error instanceof RangeError || error instanceof TypeError
        throw wrong ? new UnrecoverableError(error.message) : error
      }
    },
    {
      ...{ connection: blocking, prefix: PREFIX, concurrency, maxStalledCount: STALLS },
      ...{ lockDuration: 1000 * lease, stalledInterval: 500 * lease },
    },
  )
  worker.on('failed', (job, { message }) => {
    if (message !== CANCEL) onNotice(`fold ${brief(job?.id)}: ${message}`)
  })
  worker.on('stalled', (id) => onNotice(`fold ${brief(id)}: its worker is gone; it is given to another`))
  // Connections tell of outages themselves.
  worker.on('error', () => {})
  let away = false
  client.on('close', () => {
    if (!away && !closing) onNotice('The connection to Redis is lost; waiting for it to come back.')
    away = true
  })
  client.on('ready', () => {
    if (away) onNotice('Redis is back.')
    away = false
  })
  listening.on('message', (_, ids: string) => {
    for (const id of JSON.parse(ids) as string[]) running.get(id)?.abort()
  })
  await listening.subscribe(CANCEL)
  await worker.waitUntilReady()
  return {
    async close() {
      closing = true
      for (const stop of running.values()) stop.abort()
      await reached.leave([worker.close()])
      await pool.close()
    },
  }
}

/** The outcome of a job on the pool; undefined when the signal ended it. */
async function runOn(
  pool: Executor,
  { job }: Envelope & { kind: 'fold' },
  data: SharedRows,
  reporting: Job<Envelope>,
  signal: AbortSignal,
): Promise<FoldOutcome | undefined> {
  const onPoint = (_: string, index: number, point: unknown): void => {
    const report: PointReport = { index, point: exactJson(point) }
    // A report that is lost is no harm.
    reporting.updateProgress(report).catch(() => {})
  }
  for await (const outcome of pool.run([job], data, { signal, onPoint })) return outcome
  return undefined
}

/** The beginning of a job's name, behind that of its sweep. */
function brief(id = ''): string {
  return id.slice(id.indexOf('-') + 1).slice(0, 12)
}

/** Rows by their hash, fetched once and kept while they are among the last few used. */
function rowsByHash(client: Redis, onNotice: (line: string) => void): (hash: string) => Promise<SharedRows> {
  const kept = new Map<string, Promise<SharedRows>>()
  return (hash) => {
    const rows = kept.get(hash) ?? fetchRows(client, hash)
    if (!kept.has(hash))
      rows.then(
        ({ X, Y }) =>
          onNotice(`rows ${hash.slice(0, 12)}: fetched, ${(8e-6 * (X.data.length + Y.data.length)).toPrecision(3)} MB`),
        () => kept.delete(hash),
      )
    // The last one used is the last one to go.
    kept.delete(hash)
    kept.set(hash, rows)
    for (const [oldest] of kept) if (kept.size > KEPT) kept.delete(oldest)
    return rows
  }
}
