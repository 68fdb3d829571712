import type { FlowProducer, Job, Queue, QueueEvents } from 'bullmq'
import type { Redis } from 'ioredis'
import { hashOf, type SharedRows } from '../estimators/content-hash.ts'
import type { Executor } from '../estimators/executor.ts'
import type { FoldJob, FoldOutcome, JobWatch } from '../estimators/fold-job.ts'
import type { HeldOutPoint } from '../estimators/held-out-path.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { CANCEL, type Envelope, groupsOf, type PointReport, PREFIX, parseOutcome, resultKey } from './envelope.ts'
import { parseExact } from './exact-json.ts'
import { loadBullmq, packageVersion, reachRedis, requireRedisUrl, withinSeconds } from './redis.ts'
import { shipRows } from './redis-rows.ts'

/** Where the queue is, and how jobs go through it. */
export interface BullmqOptions {
  /** Address of Redis or Valkey, `redis://[user:password@]host:port[/database]`; `rediss://` for TLS. */
  redis: string
  /** Name of the queue (default `sweeps`): that of the workers. */
  queue?: string
  /** How often a job is tried that fails for want of its surroundings (default 3); wrong input fails at once. */
  attempts?: number
  /** Seconds that results and rows are kept for, for a sweep to go on with (default a week). */
  keep?: number
  /** Seconds without Redis after which the sweep gives up (default 60). */
  patience?: number
  /** Told in one sentence what holds the work up: no worker, no Redis. */
  onNotice?: (sentence: string) => void
}

/**
 * Jobs on the workers of a BullMQ queue on Redis or Valkey: `cvxnn worker --redis URL`, on as many machines as there are.
 * bullmq and ioredis are optional peers.
 *
 * - The rows go to Redis once under their content's hash, and from there to every worker once.
 * - A job that its worker was killed at is given to another when its lease ends; a result is kept under the content of its
 *   job, so that what is done twice counts once. What Redis has forgotten is asked for again.
 * - Workers of another version of cvxnn refuse the work. Give them the same Node too: another may round exp and log otherwise.
 * - A sweep that is run again finds the results of the last; what was called off or failed is done anew.
 * - The jobs are the children of a flow whose parent holds the summary of their results.
 *
 * @throws RangeError when options are out of range; when it runs, Error when Redis does not answer.
 */
export function bullmq(options: BullmqOptions): Executor {
  requireOptions(options, optionNames, 'bullmq')
  const { redis, queue = 'sweeps', attempts = 3, keep = 7 * 24 * 3600, patience = 60 } = options
  requireRedisUrl(redis, 'bullmq')
  requireQueueName(queue, 'bullmq')
  for (const [name, value] of Object.entries({ attempts, keep }))
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new RangeError(
        `bullmq: ${name} is ${value}, expected a positive whole number; leave it out for the default.`,
      )
  if (!(patience > 0)) throw new RangeError(`bullmq: patience is ${patience}, expected seconds above 0; pass 60.`)
  let opened: Promise<Engine> | undefined
  return {
    name: 'bullmq',
    async *run(jobs, data, watch = {}) {
      if (jobs.length === 0) return
      opened ??= openEngine(redis, queue)
      // Where it did not answer, the next run asks again.
      opened.catch(() => (opened = undefined))
      yield* follow(await opened, jobs, data, watch, { attempts, keep, patience, ...options })
    },
    async close() {
      const engine = await opened
      opened = undefined
      await engine?.close()
    },
  }
}

const optionNames: OptionKinds<BullmqOptions> = {
  redis: true,
  queue: true,
  attempts: 'number',
  keep: 'number',
  patience: 'number',
  onNotice: true,
}

/** @throws RangeError when BullMQ does not take the name. */
export function requireQueueName(queue: string, caller: string): void {
  if (queue === '' || queue.includes(':'))
    throw new RangeError(`${caller}: queue is "${queue}", expected a name without ":"; pass for example "sweeps".`)
}

interface Engine {
  readonly version: string
  readonly client: Redis
  readonly queue: Queue<Envelope, string>
  readonly flows: FlowProducer
  readonly events: QueueEvents
  /** Rows on their way to Redis, by their hash: sweeps at the same time send them once. */
  readonly shipping: Map<string, Promise<void>>
  close(): Promise<void>
}

async function openEngine(url: string, name: string): Promise<Engine> {
  const reached = await reachRedis(url, 'bullmq')
  const { FlowProducer, Queue, QueueEvents } = await loadBullmq('bullmq')
  const client = reached.connect()
  const queue = new Queue<Envelope, string>(name, { connection: client, prefix: PREFIX })
  const flows = new FlowProducer({ connection: reached.connect(), prefix: PREFIX })
  const events = new QueueEvents(name, { connection: reached.connect(), prefix: PREFIX })
  // An outage is noticed by its length.
  for (const one of [queue, flows, events]) (one as Queue).on('error', () => {})
  await events.waitUntilReady()
  return {
    ...{ version: await packageVersion(), client, queue, flows, events, shipping: new Map() },
    close: () => reached.leave([events.close(), flows.close(), queue.close()]),
  }
}

type Policy = Required<Pick<BullmqOptions, 'attempts' | 'keep' | 'patience'>> & Pick<BullmqOptions, 'onNotice'>

/** Seconds between two looks at everything, whatever the events say; more where there are more than 500 jobs. */
const LOOK = 1

/** Submits what has no result, and yields results as they appear. */
async function* follow(
  engine: Engine,
  jobs: readonly FoldJob[],
  data: SharedRows,
  { signal, onPoint }: JobWatch,
  policy: Policy,
): AsyncGenerator<FoldOutcome, void> {
  const { client, events, version } = engine
  const sweep = (await hashOf(jobs.map(({ id }) => id).join(' '))).slice(0, 16)
  const pending = new Map(jobs.map((job) => [queueId(sweep, job), job]))
  const bell = doorbell()
  let nextLook = 0
  const onCompleted = ({ jobId }: { jobId: string }): void => {
    if (pending.has(jobId)) bell.ring()
  }
  const onFailed = ({ jobId }: { jobId: string }): void => {
    if (!pending.has(jobId)) return
    nextLook = 0
    bell.ring()
  }
  const onProgress = ({ jobId, data: report }: { jobId: string; data: unknown }): void => {
    const job = pending.get(jobId)
    if (!job) return
    const { index, point } = report as PointReport
    onPoint?.(job.id, index, parseExact(point) as HeldOutPoint)
  }
  events.on('completed', onCompleted).on('failed', onFailed).on('progress', onProgress)
  signal?.addEventListener('abort', bell.ring)
  const outage = watchOutage(client, policy, signal)
  let submitted = false
  try {
    while (pending.size > 0 && !signal?.aborted) {
      for (const [id, outcome] of await outage.during(results(client, version, pending))) {
        pending.delete(id)
        yield outcome
      }
      if (pending.size === 0 || signal?.aborted) break
      if (performance.now() >= nextLook) {
        // What Redis had to make room for is sent again.
        await outage.during(ship(engine, data, policy))
        const lost = await outage.during(withoutHope(engine, pending, submitted))
        if (lost) await outage.during(submit(engine, sweep, jobs, policy))
        submitted = true
        await outage.during(tellOfWorkers(engine, policy))
        nextLook = performance.now() + 1000 * Math.max(LOOK, pending.size / 500)
      }
      await bell.within(1000 * LOOK)
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    events.off('completed', onCompleted).off('failed', onFailed).off('progress', onProgress)
    signal?.removeEventListener('abort', bell.ring)
    outage.end()
    // What is not to be waited for need not be done.
    if (pending.size > 0 && client.status === 'ready') await withinSeconds(5, callOff(engine, sweep, pending))
  }
}

/** The job of one sweep: no other sweep's flow holds it. */
function queueId(sweep: string, { id }: FoldJob): string {
  return `${sweep}-${id}`
}

async function results(
  client: Redis,
  version: string,
  pending: ReadonlyMap<string, FoldJob>,
): Promise<[string, FoldOutcome][]> {
  const ids = [...pending.keys()]
  const texts = await client.mget(ids.map((id) => resultKey(version, pending.get(id)!.id)))
  return texts.flatMap((text, k) => (text === null ? [] : [[ids[k]!, parseOutcome(text)] as [string, FoldOutcome]]))
}

/**
 * Whether a job that is waited for is not in the queue and has to be put there. One that has ended without a result is
 * taken out first.
 *
 * @throws Error when a job of this run has failed.
 */
async function withoutHope(
  { queue, client, version }: Engine,
  pending: ReadonlyMap<string, FoldJob>,
  submitted: boolean,
): Promise<boolean> {
  let lost = false
  for (const [id, { id: content }] of pending) {
    const job = (await queue.getJob(id)) as Job<Envelope, string> | undefined
    if (!job) lost = true
    if (!job?.finishedOn) continue
    // It may have ended since the results were read.
    if (await client.exists(resultKey(version, content))) continue
    if (submitted && job.failedReason && job.failedReason !== CANCEL) throw new Error(job.failedReason)
    await job.remove()
    lost = true
  }
  return lost
}

/** Sees to it that the rows are in Redis. */
async function ship({ client, shipping }: Engine, data: SharedRows, { keep }: Policy): Promise<void> {
  const { hash } = data
  if (!shipping.has(hash))
    shipping.set(
      hash,
      shipRows(client, data, keep).finally(() => shipping.delete(hash)),
    )
  await shipping.get(hash)
}

/** All jobs of a sweep as the children of its summary; those that are there already stay as they are. */
async function submit(
  { flows, queue, version }: Engine,
  sweep: string,
  jobs: readonly FoldJob[],
  { attempts, keep }: Policy,
): Promise<void> {
  const parent = (await queue.getJob(sweep)) as Job | undefined
  if (parent?.finishedOn) await parent.remove({ removeChildren: false })
  const common = { removeOnComplete: { age: keep }, removeOnFail: { age: keep } }
  await flows.add({
    name: 'summary',
    queueName: queue.name,
    data: { kind: 'summary', version, groups: groupsOf(jobs) } satisfies Envelope,
    opts: { ...common, jobId: sweep },
    children: jobs.map((job) => ({
      name: 'fold',
      queueName: queue.name,
      data: { kind: 'fold', version, keep, job } satisfies Envelope,
      opts: {
        ...common,
        jobId: queueId(sweep, job),
        attempts,
        backoff: { type: 'exponential', delay: 500 },
        failParentOnFailure: true,
      },
    })),
  })
}

/** Takes out what no worker has begun, and tells those that have. */
async function callOff({ queue, client }: Engine, sweep: string, pending: ReadonlyMap<string, FoldJob>): Promise<void> {
  // The summary first: without its last child it would begin.
  const quietly = (job: Job | undefined): Promise<void> =>
    job?.remove({ removeChildren: false }).catch(() => {}) ?? Promise.resolve()
  await quietly((await queue.getJob(sweep)) as Job | undefined)
  for (const id of pending.keys()) await quietly((await queue.getJob(id)) as Job | undefined)
  await client.publish(CANCEL, JSON.stringify([...pending.keys()]))
}

const told = new WeakMap<Engine, number>()

/** Says once in a while that nobody is there to work. */
async function tellOfWorkers(engine: Engine, { onNotice }: Policy): Promise<void> {
  if (!onNotice || performance.now() - (told.get(engine) ?? Number.NEGATIVE_INFINITY) < 30_000) return
  if ((await engine.queue.getWorkersCount()) > 0) return
  told.set(engine, performance.now())
  onNotice(`No worker is at the queue "${engine.queue.name}" yet; start one with cvxnn worker --redis <url>.`)
}

interface Doorbell {
  readonly ring: () => void
  /** Resolves at the next ring, or after so many milliseconds; at once when it has rung since. */
  within(milliseconds: number): Promise<void>
}

function doorbell(): Doorbell {
  let rung = false
  let open: (() => void) | undefined
  return {
    ring() {
      rung = true
      open?.()
    },
    async within(milliseconds) {
      if (!rung) {
        let timer: ReturnType<typeof setTimeout> | undefined
        await new Promise<void>((resolve) => {
          open = resolve
          timer = setTimeout(resolve, milliseconds)
        })
        clearTimeout(timer)
        open = undefined
      }
      rung = false
    },
  }
}

/** Ends what waits for Redis when that has been away for too long, or the signal fires. */
function watchOutage(
  client: Redis,
  { patience, onNotice }: Policy,
  signal: AbortSignal | undefined,
): { during<T>(work: Promise<T>): Promise<T>; end(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let giveUp: (error: Error) => void = () => {}
  const givenUp = new Promise<never>((_, reject) => (giveUp = reject))
  givenUp.catch(() => {})
  const onClose = (): void => {
    if (timer) return
    onNotice?.('The connection to Redis is lost; waiting for it to come back.')
    timer = setTimeout(
      () =>
        giveUp(
          new Error(`bullmq: Redis has been away for ${patience} s; start it and sweep again: its results are kept.`),
        ),
      1000 * patience,
    )
  }
  const onReady = (): void => {
    if (timer) onNotice?.('Redis is back.')
    clearTimeout(timer)
    timer = undefined
  }
  const onAbort = (): void => giveUp(new Error('bullmq: the sweep was aborted.'))
  client.on('close', onClose).on('ready', onReady)
  signal?.addEventListener('abort', onAbort)
  return {
    during: (work) => Promise.race([work, givenUp]),
    end() {
      clearTimeout(timer)
      client.off('close', onClose).off('ready', onReady)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}
