import { startPace } from '../../solvers/turn.ts'
import type { SharedRows } from './content-hash.ts'
import { type FoldJob, type FoldOutcome, type JobWatch, runFoldJob } from './fold-job.ts'

/**
 * Where the jobs of a cross-validation or a sweep run: `inline()`, `threads()`, `bullmq()`, or an engine of one's own.
 *
 * Jobs are plain data and carry all that their results depend on, so that these are the same wherever they run.
 */
export interface Executor {
  readonly name: string
  /**
   * Runs jobs on these rows and yields each outcome once, as they come. Ends early when the signal fires or the loop is
   * left, and what has not ended by then is stopped.
   *
   * @throws the error of a job that cannot be done.
   */
  run(jobs: readonly FoldJob[], data: SharedRows, watch?: JobWatch): AsyncGenerator<FoldOutcome, void>
  /** Gives back what it holds: threads, connections. */
  close(): Promise<void>
}

/** One job after the other, here, while the event loop breathes. */
export function inline(): Executor {
  return {
    name: 'inline',
    async *run(jobs, data, watch = {}) {
      const pace = startPace()
      for (const job of jobs) {
        const outcome = await runFoldJob(job, data, watch, pace)
        if (!outcome) return
        yield outcome
      }
    },
    close: async () => {},
  }
}
