import { backend } from '../numerics/backends/index.ts'
import { sharedRows } from './content-hash.ts'
import { type CrossValidation, crossValidationOf, FOLD_TOLERANCE, gridOf } from './cross-validate.ts'
import type { Executor } from './executor.ts'
import { foldJob } from './fold-job.ts'
import { foldSettings, type TrainSettings } from './options.ts'
import type { TrainingData } from './training-data.ts'

/**
 * The same choice as `crossValidateTogether`, to the last bit, with every fold's path a job of its own. Paths that are
 * still going down when the others have made the end clear are stopped.
 */
export async function crossValidateApart(
  { X, Y, task, labels }: TrainingData,
  settings: TrainSettings,
  gateOrder: number,
  folds: number,
  executor: Executor,
  { signal, onShare }: { signal?: AbortSignal; onShare?: (share: number, lambda: number) => void },
): Promise<CrossValidation> {
  const grid = gridOf(X, Y, settings, gateOrder, task)
  const data = await sharedRows(task, X, Y)
  const jobs = await Promise.all(
    Array.from({ length: folds }, (_, index) =>
      foldJob({
        data: data.hash,
        fold: { index, count: folds, seed: settings.seed, stratified: labels !== undefined },
        lambdas: grid,
        settings: foldSettings(settings, gateOrder, FOLD_TOLERANCE),
        backend: backend().name,
      }),
    ),
  )
  const losses = jobs.map((): number[] => [])
  const placeOf = new Map(jobs.map(({ id }, k) => [id, k]))
  const enough = new AbortController()
  const ended = (): boolean => crossValidationOf(grid, losses, gateOrder, settings.lambdaRule).ended
  const watch = {
    signal: signal ? AbortSignal.any([signal, enough.signal]) : enough.signal,
    onPoint: (id: string, index: number, { loss, lambda }: { loss: number; lambda: number }) => {
      losses[placeOf.get(id)!]![index] = loss
      const done = losses.reduce((total, { length }) => total + length, 0)
      onShare?.(done / (jobs.length * grid.length), lambda)
      if (ended()) enough.abort()
    },
  }
  for await (const { id, points } of executor.run(jobs, data, watch))
    losses[placeOf.get(id)!] = points.map(({ loss }) => loss)
  const { ended: _, ...found } = crossValidationOf(grid, losses, gateOrder, settings.lambdaRule)
  return found
}
