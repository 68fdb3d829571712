import { inline } from '../estimators/executor.ts'
import type { FoldJob } from '../estimators/fold-job.ts'
import type { HeldOutPoint } from '../estimators/held-out-path.ts'
import type { SweepData } from './sweep-data.ts'
import { type Place, type SweepGridOptions, type SweepPlan, sweepPlan } from './sweep-plan.ts'

/** One setting on one fold of one seed: a point a lambda. Plain JSON but for numbers that are not finite. */
export interface SweepResult {
  /** Name of the work, by its content: the same in every run. */
  readonly id: string
  /** Places in the settings, seeds and folds given. */
  readonly setting: number
  readonly seed: number
  readonly fold: number
  readonly points: readonly HeldOutPoint[]
  /** How long it took where it ran; the only figure that is another in every run. */
  readonly seconds: number
}

/**
 * Settings x seeds x folds, each a path of lambdas trained without a fold's rows and judged by them: yields the results as
 * they come, in any order.
 *
 * Each is a job of its own; all are the same, to the last bit, wherever they run. Sweeping again with the results that are
 * `known`, or on an executor that keeps them (`bullmq`), goes on where an earlier sweep ended.
 *
 * @throws RangeError naming the option, its value and what was expected.
 */
export async function* sweepGrid(data: SweepData, options: SweepGridOptions = {}): AsyncGenerator<SweepResult, void> {
  yield* runPlan(await sweepPlan(data, options, 'sweepGrid'), options)
}

/** The results of a plan as they come. */
export async function* runPlan(
  { places, data }: SweepPlan,
  { executor = inline(), known = [], signal, onProgress }: SweepGridOptions,
): AsyncGenerator<SweepResult, void> {
  // Settings that are equal are one job.
  const placesOf = new Map<string, Place[]>()
  for (const place of places) placesOf.set(place.job.id, [...(placesOf.get(place.job.id) ?? []), place])
  const before = new Map([...known].map((result) => [result.id, result]))
  const total = places.reduce((sum, { job }) => sum + job.lambdas.length, 0)
  const counts = new Map<string, number>()
  const count = ({ id, lambdas }: FoldJob, points: number, lambda = lambdas.at(-1)!): void => {
    if (points <= (counts.get(id) ?? 0)) return
    counts.set(id, points)
    let done = 0
    for (const [one, upTo] of counts) done += upTo * placesOf.get(one)!.length
    onProgress?.({ share: done / total, lambda })
  }
  const jobs: FoldJob[] = []
  for (const [id, [first, ...others]] of placesOf) {
    const { job } = first!
    const found = before.get(id)
    if (!found || found.points.length !== job.lambdas.length) jobs.push(job)
    else {
      count(job, job.lambdas.length)
      for (const place of [first!, ...others]) yield resultAt(place, found)
    }
  }
  if (jobs.length === 0 || signal?.aborted) return
  const watch = {
    ...(signal && { signal }),
    onPoint: (id: string, index: number, { lambda }: HeldOutPoint) =>
      count(placesOf.get(id)![0]!.job, index + 1, lambda),
  }
  for await (const outcome of executor.run(jobs, data, watch)) {
    const all = placesOf.get(outcome.id)!
    count(all[0]!.job, outcome.points.length)
    for (const place of all) yield resultAt(place, outcome)
  }
}

function resultAt(
  { job: { id }, setting, seed, fold }: Place,
  { points, seconds }: Pick<SweepResult, 'points' | 'seconds'>,
): SweepResult {
  return { id, setting, seed, fold, points, seconds }
}
