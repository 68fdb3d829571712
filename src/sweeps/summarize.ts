import type { HeldOutPoint } from '../estimators/held-out-path.ts'

/** One lambda of one setting over all folds of all seeds. */
export interface SweepPoint {
  readonly lambda: number
  /** Of the held-out losses: error rate for classes, mean squared error over the targets' variance for regression. */
  readonly mean: number
  /** Sample standard deviation of the losses; NaN of a single one. */
  readonly standardDeviation: number
  /** standardDeviation / sqrt(count): as if the folds were independent, as the one-standard-error rule has it. */
  readonly standardError: number
  /** One a fold, seed after seed. */
  readonly losses: readonly number[]
  /** Mean number of neurons. */
  readonly neurons: number
  /** Largest relative duality gap that a fold was left with. */
  readonly relativeGap: number
}

/** The folds of one setting, taken together. */
export interface PathSummary {
  /** From the largest lambda down. */
  readonly points: readonly SweepPoint[]
  /** The lambda of the smallest mean loss, the larger one of equals. */
  readonly lambdaMin: number
  /**
   * The largest lambda whose mean loss is at most one standard error above the smallest: the simplest model that is not
   * clearly worse (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3; `lambda.1se` of glmnet).
   */
  readonly lambda1se: number
  /** Held-out losses at lambdaMin, one a fold, seed after seed: what `pairedTest` compares settings by. */
  readonly lossesAtMin: readonly number[]
}

/** Means and deviations over paths with the same lambdas: one path a fold, seed after seed. */
export function summarizePaths(paths: readonly (readonly HeldOutPoint[])[]): PathSummary {
  const points = (paths[0] ?? []).map(({ lambda }, k) =>
    pointOf(
      lambda,
      paths.map((path) => path[k]!),
    ),
  )
  let least: SweepPoint | undefined
  for (const point of points) if (!least || point.mean < least.mean) least = point
  if (!least) return { points, lambdaMin: Number.NaN, lambda1se: Number.NaN, lossesAtMin: [] }
  // Of a single fold there is no deviation, and the rule chooses the smallest mean.
  const bound = least.mean + (least.standardError || 0)
  const lambda1se = Math.max(...points.filter(({ mean }) => mean <= bound).map(({ lambda }) => lambda))
  return { points, lambdaMin: least.lambda, lambda1se, lossesAtMin: least.losses }
}

function pointOf(lambda: number, folds: readonly HeldOutPoint[]): SweepPoint {
  const losses = folds.map(({ loss }) => loss)
  const { mean, standardDeviation } = moments(losses)
  return {
    ...{ lambda, mean, standardDeviation, losses },
    standardError: standardDeviation / Math.sqrt(losses.length),
    neurons: folds.reduce((sum, { neurons }) => sum + neurons, 0) / folds.length,
    relativeGap: Math.max(...folds.map(({ relativeGap }) => relativeGap)),
  }
}

/** Mean and sample standard deviation (over n - 1). */
export function moments(values: readonly number[]): { mean: number; standardDeviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0)
  return { mean, standardDeviation: Math.sqrt(squares / (values.length - 1)) }
}
