import { walk } from '../../solvers/index.ts'
import type { Task } from '../data/dataset.ts'
import type { Fold } from '../data/split.ts'
import { unstandardize } from '../models/unstandardize.ts'
import { selectRows } from '../numerics/matrix.ts'
import { unitScale } from '../numerics/unit.ts'
import type { Iterate, Matrix, Status } from '../types.ts'
import type { FoldSettings } from './options.ts'
import { preparation, trainingProgram } from './prepare.ts'

/** One lambda of a path that was trained without the rows that judge it. */
export interface HeldOutPoint {
  readonly lambda: number
  /** On the held-out rows: error rate for classes, mean squared error over the targets' variance for regression. */
  readonly loss: number
  readonly status: Status
  readonly iterations: number
  /** Objective on the rows trained on, and its lower bound. */
  readonly primal: number
  readonly dual: number
  readonly relativeGap: number
  readonly neurons: number
}

/**
 * Trains along the lambdas on a fold's training rows, each started from the one before, and judges every network by the
 * rows held out. Everything is of these rows alone: standardisation, gates, programs.
 *
 * Yields a point per lambda and, between them, undefined once per solver iteration. Ends early when the signal fires.
 */
export function* heldOutPath(
  X: Matrix,
  Y: Matrix,
  task: Task,
  fold: Fold,
  lambdas: readonly number[],
  settings: FoldSettings,
  signal?: AbortSignal,
): Generator<HeldOutPoint | undefined, void> {
  const { gateOrder, tolerance, maxIterations } = settings
  const trainX = selectRows(X, fold.train)
  const trainY = selectRows(Y, fold.train)
  const prepared = preparation(trainX, trainY, settings, task)
  const program = trainingProgram(trainX, trainY, prepared, settings, { gateOrder })
  const validation = selectRows(X, fold.validation)
  const expected = selectRows(Y, fold.validation)
  // In one unit, so that squares of very large or small targets are numbers still.
  const scale = unitScale(Y.data)
  const variance = totalVariance(Y, scale)
  const lossOf = (predicted: Matrix): number =>
    variance > 0 ? squaredError(predicted, expected, scale) / variance : squaredError(predicted, expected, 1)
  // Gates were sampled: a breath.
  yield undefined
  let start: Iterate | undefined
  for (const lambda of lambdas) {
    const at = { ...program, lambda }
    const walking = walk(at, { tolerance, maxIterations, ...(signal && { signal }), ...(start && { start }) })
    let step = walking.next()
    while (!step.done) {
      yield undefined
      step = walking.next()
    }
    const { status, iterations, certificate, coefficients } = step.value
    if (status === 'aborted') return
    start = { coefficients }
    const network = unstandardize(program.recover(step.value), prepared.inputs, prepared.targets)
    const predicted = network.predict(validation)
    yield {
      lambda,
      loss: task === 'regression' ? lossOf(predicted) : errorRate(predicted, expected),
      status,
      iterations,
      primal: certificate.primal,
      dual: certificate.dual,
      relativeGap: certificate.relativeGap,
      neurons: network.width,
    }
  }
}

/** |scale (A - B)|_F^2 / rows */
function squaredError(A: Matrix, B: Matrix, scale: number): number {
  let total = 0
  for (let k = 0; k < A.data.length; k++) total += ((A.data[k]! - B.data[k]!) * scale) ** 2
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

/** Sum over the columns of their variances, in units of 1 / scale. */
function totalVariance(Y: Matrix, scale: number): number {
  let total = 0
  for (let k = 0; k < Y.columns; k++) {
    let mean = 0
    for (let r = 0; r < Y.rows; r++) mean += Y.data[r * Y.columns + k]! / Y.rows
    for (let r = 0; r < Y.rows; r++) total += ((Y.data[r * Y.columns + k]! - mean) * scale) ** 2 / Y.rows
  }
  return total
}
