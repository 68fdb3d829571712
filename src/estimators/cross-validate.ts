import { lambdaGrid } from '../../solvers/index.ts'
import type { Task } from '../data/dataset.ts'
import type { Fold } from '../data/split.ts'
import { largestSize } from '../numerics/unit.ts'
import { dot } from '../numerics/vectors.ts'
import type { Matrix } from '../types.ts'
import { type HeldOutPoint, heldOutPath } from './held-out-path.ts'
import { foldSettings, type LambdaRule, type TrainSettings } from './options.ts'
import { preparation, trainingProgram } from './prepare.ts'

/** Loss on held-out rows at one lambda. */
export interface CrossValidationPoint {
  readonly lambda: number
  /** Mean over the folds: error rate for classes, mean squared error over the targets' variance for regression. */
  readonly mean: number
  /** Standard error of that mean over the folds. */
  readonly standardError: number
  /** One loss per fold. */
  readonly folds: readonly number[]
}

/** What cross-validation tried, and what it chose. */
export interface CrossValidation {
  /** From the largest lambda down; ends early when smaller ones had clearly become worse. */
  readonly points: readonly CrossValidationPoint[]
  /** The lambda of the smallest mean loss, or what the rule `'1se'` makes of it; the larger one of equals. */
  readonly selectedLambda: number
  /** How many features entered a gate, 0 for all: of those tried, the one with the smallest mean loss. */
  readonly gateOrder: number
}

/** Relative gap to which the folds are solved: far below what a held-out loss can tell apart. */
export const FOLD_TOLERANCE = 1e-3
/** Lambdas in a row that must be worse by more than a standard error before the rest is left out. */
const PATIENCE = 3

/**
 * Chooses lambda by k-fold cross-validation along one grid, from the full data's lambda_max down, warm started within
 * each fold; the folds go down the grid together. Yields the share done, once per solver iteration.
 */
export function* crossValidateTogether(
  X: Matrix,
  Y: Matrix,
  settings: TrainSettings,
  gateOrder: number,
  task: Task,
  folds: readonly Fold[],
  signal?: AbortSignal,
): Generator<{ share: number; lambda: number }, CrossValidation> {
  const grid = gridOf(X, Y, settings, gateOrder, task)
  const each = foldSettings(settings, gateOrder, FOLD_TOLERANCE)
  const paths = folds.map((fold) => heldOutPath(X, Y, task, fold, grid, each, signal))
  const points: CrossValidationPoint[] = []
  for (const [k, lambda] of grid.entries()) {
    const losses: number[] = []
    for (const [f, path] of paths.entries()) {
      const share = (k + f / paths.length) / grid.length
      const found: HeldOutPoint | undefined = yield* nextPoint(path, { share, lambda })
      // An abort ends with what is known by then.
      if (!found) return chosenFrom(points, grid, gateOrder, settings.lambdaRule)
      losses.push(found.loss)
    }
    points.push(summarize(lambda, losses))
    if (worseFor(points) >= PATIENCE) break
  }
  return chosenFrom(points, grid, gateOrder, settings.lambdaRule)
}

/**
 * The grid of an estimator's cross-validation: that of all rows.
 *
 * @throws RangeError when no feature varies and the targets do: no lambda is better than another; or when the squares of
 * targets that are not standardised are beyond float64, so that there is no largest lambda to begin from.
 */
export function gridOf(X: Matrix, Y: Matrix, settings: TrainSettings, gateOrder: number, task: Task): number[] {
  requireVariation(X, Y, settings)
  requireSquares(Y, settings)
  const whole = trainingProgram(X, Y, preparation(X, Y, settings, task), settings, { gateOrder })
  return lambdaGrid(whole, { count: settings.lambdaCount, ratio: settings.lambdaRatio })
}

/**
 * Standardised, columns that are the same in every row are zero, and what rounding leaves of the targets' mean would pass
 * for a gradient.
 *
 * @throws RangeError when there is no other column and the targets vary.
 */
export function requireVariation(X: Matrix, Y: Matrix, { standardize }: Pick<TrainSettings, 'standardize'>): void {
  if (standardize && !varies(X) && varies(Y))
    throw new RangeError(
      `train: no column of X varies over its ${X.rows} rows, so there is nothing to predict from and no lambda to choose; pass a feature that differs from row to row.`,
    )
}

/** @throws RangeError when targets are taken as they are, and the sum of their squares is no number. */
export function requireSquares({ data }: Matrix, { standardize }: Pick<TrainSettings, 'standardize'>): void {
  if (!standardize && !Number.isFinite(dot(data, data)))
    throw new RangeError(
      `train: the targets go up to ${largestSize(data)} in absolute value, whose squares are beyond float64, so there is no lambda to begin from; leave standardisation on, or pass the targets in a larger unit.`,
    )
}

/** Whether some row differs from the first. */
function varies({ columns, data }: Matrix): boolean {
  return data.some((value, k) => value !== data[k % columns])
}

/** The same answer from whole paths, one a fold: what comes after the end is left out. Losses that are not known yet are absent. */
export function crossValidationOf(
  grid: readonly number[],
  losses: readonly (readonly number[])[],
  gateOrder: number,
  rule: LambdaRule,
): CrossValidation & { readonly ended: boolean } {
  const points: CrossValidationPoint[] = []
  for (const [k, lambda] of grid.entries()) {
    const here = losses.map((fold) => fold[k])
    if (here.some((loss) => loss === undefined)) return { ...chosenFrom(points, grid, gateOrder, rule), ended: false }
    points.push(summarize(lambda, here as number[]))
    if (worseFor(points) >= PATIENCE) break
  }
  return { ...chosenFrom(points, grid, gateOrder, rule), ended: true }
}

function chosenFrom(
  points: readonly CrossValidationPoint[],
  grid: readonly number[],
  gateOrder: number,
  rule: LambdaRule,
): CrossValidation {
  const least = leastOf(points)
  const bound = least && least.mean + (rule === '1se' ? least.standardError : 0)
  // Lambdas go down: the first within the bound is the largest.
  const chosen = bound === undefined ? undefined : points.find(({ mean }) => mean <= bound)
  return { points, selectedLambda: chosen?.lambda ?? grid[0]!, gateOrder }
}

/** The point of the smallest mean, the first of equals. */
function leastOf(points: readonly CrossValidationPoint[]): CrossValidationPoint | undefined {
  let best: CrossValidationPoint | undefined
  for (const point of points) if (!best || point.mean < best.mean) best = point
  return best
}

/** How many of the last points in a row are worse than the best before them by more than its standard error. */
function worseFor(points: readonly CrossValidationPoint[]): number {
  let best: CrossValidationPoint | undefined
  let worse = 0
  for (const point of points) {
    if (!best || point.mean < best.mean) best = point
    worse = point.mean > best.mean + best.standardError ? worse + 1 : 0
  }
  return worse
}

/** Walks to the next point of a path; yields `progress` meanwhile. */
function* nextPoint<P>(
  path: Generator<HeldOutPoint | undefined, void>,
  progress: P,
): Generator<P, HeldOutPoint | undefined> {
  for (;;) {
    yield progress
    const at = path.next()
    if (at.done) return undefined
    if (at.value) return at.value
  }
}

function summarize(lambda: number, folds: readonly number[]): CrossValidationPoint {
  const mean = folds.reduce((a, b) => a + b, 0) / folds.length
  const variance = folds.reduce((a, b) => a + (b - mean) ** 2, 0) / (folds.length - 1)
  return { lambda, mean, standardError: Math.sqrt(variance / folds.length), folds }
}
