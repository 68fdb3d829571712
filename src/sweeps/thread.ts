import type { MessagePort } from 'node:worker_threads'
import type { SharedRows } from '../estimators/content-hash.ts'
import { type FoldJob, type FoldOutcome, runFoldJob } from '../estimators/fold-job.ts'
import { turn } from '../numerics/turn.ts'

/** A job as the pool hands it to one of its threads. */
export interface ThreadTask {
  readonly job: FoldJob
  /** In memory that all threads share. */
  readonly data: SharedRows
  /** Points are reported here as they are done; whatever comes back calls the job off. */
  readonly port: MessagePort
}

/** What a thread of the pool does; undefined when it was called off. */
export default async function runTask({ job, data, port }: ThreadTask): Promise<FoldOutcome | undefined> {
  const stop = new AbortController()
  port.on('message', () => stop.abort())
  // What was called off before it began is heard of now.
  await turn()
  try {
    if (stop.signal.aborted) return undefined
    return await runFoldJob(job, data, { signal: stop.signal, onPoint: (...point) => port.postMessage(point) })
  } finally {
    port.close()
  }
}
