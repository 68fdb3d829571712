import { lambdaGrid, walk } from '../../solvers/index.ts'
import type { Task } from '../data/dataset.ts'
import type { Fold } from '../data/split.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import { unstandardize } from '../models/unstandardize.ts'
import { selectRows } from '../numerics/matrix.ts'
import type { ConvexProgram, Iterate, Matrix } from '../types.ts'
import type { TrainSettings } from './options.ts'
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
  /** The lambda of the smallest mean loss; the larger one of equals. */
  readonly selectedLambda: number
  /** How many features entered a gate, 0 for all: of those tried, the one with the smallest mean loss. */
  readonly gateOrder: number
}

/** Relative gap to which the folds are solved: far below what a held-out loss can tell apart. */
const FOLD_TOLERANCE = 1e-3
/** Lambdas in a row that must be worse by more than a standard error before the rest is left out. */
const PATIENCE = 3

interface Part {
  program: ConvexProgram<TwoLayerNetwork>
  network(program: ConvexProgram<TwoLayerNetwork>, at: Iterate): TwoLayerNetwork
  validation: Matrix
  expected: Matrix
  start?: Iterate
}

/**
 * Chooses lambda by k-fold cross-validation along one grid, from the full data's lambda_max down, warm started within
 * each fold. Yields the share done, once per solver iteration.
 */
export function* crossValidate(
  X: Matrix,
  Y: Matrix,
  settings: TrainSettings,
  gateOrder: number,
  task: Task,
  folds: readonly Fold[],
  signal?: AbortSignal,
): Generator<{ share: number; lambda: number }, CrossValidation> {
  const whole = trainingProgram(X, Y, preparation(X, Y, settings, task), settings, { gateOrder })
  const grid = lambdaGrid(whole, { count: settings.lambdaCount, ratio: settings.lambdaRatio })
  const variance = totalVariance(Y) || 1
  const parts: Part[] = []
  for (const fold of folds) {
    // Gates are sampled fold by fold, with a breath between.
    yield { share: 0, lambda: grid[0]! }
    const trainX = selectRows(X, fold.train)
    const trainY = selectRows(Y, fold.train)
    const prepared = preparation(trainX, trainY, settings, task)
    parts.push({
      program: trainingProgram(trainX, trainY, prepared, settings, { gateOrder }),
      network: (program, at) => unstandardize(program.recover(at), prepared.inputs, prepared.targets),
      validation: selectRows(X, fold.validation),
      expected: selectRows(Y, fold.validation),
    })
  }
  const points: CrossValidationPoint[] = []
  let best: CrossValidationPoint | undefined
  let worse = 0
  // An abort ends with what is known by then.
  const result = (): CrossValidation => ({ points, selectedLambda: best?.lambda ?? grid[0]!, gateOrder })
  for (const [k, lambda] of grid.entries()) {
    const losses: number[] = []
    for (const [f, part] of parts.entries()) {
      const program = { ...part.program, lambda }
      const options = { tolerance: FOLD_TOLERANCE, maxIterations: settings.maxIterations, ...(signal && { signal }) }
      const walking = walk(program, part.start ? { ...options, start: part.start } : options)
      let at = walking.next()
      while (!at.done) {
        yield { share: (k + f / parts.length) / grid.length, lambda }
        at = walking.next()
      }
      if (at.value.status === 'aborted') return result()
      part.start = { coefficients: at.value.coefficients }
      const predicted = part.network(program, at.value).predict(part.validation)
      losses.push(
        task === 'regression' ? squaredError(predicted, part.expected) / variance : errorRate(predicted, part.expected),
      )
    }
    const point = summarize(lambda, losses)
    points.push(point)
    if (!best || point.mean < best.mean) best = point
    worse = point.mean > best.mean + best.standardError ? worse + 1 : 0
    if (worse >= PATIENCE) break
  }
  return result()
}

function summarize(lambda: number, folds: readonly number[]): CrossValidationPoint {
  const mean = folds.reduce((a, b) => a + b, 0) / folds.length
  const variance = folds.reduce((a, b) => a + (b - mean) ** 2, 0) / (folds.length - 1)
  return { lambda, mean, standardError: Math.sqrt(variance / folds.length), folds }
}

/** |A - B|_F^2 / rows */
function squaredError(A: Matrix, B: Matrix): number {
  let total = 0
  for (let k = 0; k < A.data.length; k++) total += (A.data[k]! - B.data[k]!) ** 2
  return total / A.rows
}

/** Share of rows whose class, by largest score or by sign, differs. */
function errorRate(scores: Matrix, expected: Matrix): number {
  let wrong = 0
  for (let r = 0; r < scores.rows; r++) if (classOf(scores, r) !== classOf(expected, r)) wrong++
  return wrong / scores.rows
}

function classOf(scores: Matrix, row: number): number {
  const { columns, data } = scores
  if (columns === 1) return data[row]! > 0 ? 1 : 0
  let best = 0
  for (let k = 1; k < columns; k++) if (data[row * columns + k]! > data[row * columns + best]!) best = k
  return best
}

/** Sum over the columns of their variances. */
function totalVariance(Y: Matrix): number {
  let total = 0
  for (let k = 0; k < Y.columns; k++) {
    let mean = 0
    for (let r = 0; r < Y.rows; r++) mean += Y.data[r * Y.columns + k]! / Y.rows
    for (let r = 0; r < Y.rows; r++) total += (Y.data[r * Y.columns + k]! - mean) ** 2 / Y.rows
  }
  return total
}
