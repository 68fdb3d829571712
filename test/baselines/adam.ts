import { type ReluNetwork, reluNetwork } from '../../src/models/relu-network.ts'
import { matrix } from '../../src/numerics/matrix.ts'
import { type Random, random } from '../../src/numerics/random.ts'
import type { Matrix, Vector } from '../../src/types.ts'

/**
 * Non-convex training of f(x) = sum_j (x'w1_j)_+ w2_j, one output, no bias, as the world does it: what the convex programs
 * are compared with.
 *
 *     J(W1, w2) = |f(X) - y|^2 / 2n + lambda/2 (|W1|^2 + |w2|^2)
 */
export interface Training {
  readonly X: Matrix
  readonly y: Vector
  readonly lambda: number
}

/** The first layer, width x d, row-major, and behind it the second. */
export type Weights = Vector

/** J, with its (sub)gradient written to `gradient`; (t)_+ has slope 0 at 0. `rows` are the samples of a mini-batch. */
export function objective({ X, y, lambda }: Training, w: Weights, gradient?: Vector, rows?: ArrayLike<number>): number {
  const d = X.columns
  const width = w.length / (d + 1)
  const count = rows?.length ?? X.rows
  const hidden = new Float64Array(width)
  let loss = 0
  gradient?.fill(0)
  for (let q = 0; q < count; q++) {
    const r = rows ? rows[q]! : q
    let fit = 0
    for (let j = 0; j < width; j++) {
      let total = 0
      for (let f = 0; f < d; f++) total += X.data[r * d + f]! * w[j * d + f]!
      hidden[j] = Math.max(0, total)
      fit += hidden[j]! * w[width * d + j]!
    }
    const error = fit - y[r]!
    loss += error * error
    if (!gradient) continue
    for (let j = 0; j < width; j++)
      if (hidden[j]! > 0) {
        gradient[width * d + j]! += (error * hidden[j]!) / count
        const slope = (error * w[width * d + j]!) / count
        for (let f = 0; f < d; f++) gradient[j * d + f]! += slope * X.data[r * d + f]!
      }
  }
  let size = 0
  for (let k = 0; k < w.length; k++) {
    size += w[k]! * w[k]!
    if (gradient) gradient[k]! += lambda * w[k]!
  }
  return loss / (2 * count) + (lambda / 2) * size
}

export interface TrainingOptions {
  width: number
  steps: number
  /** First step size; it falls to 0 along a half cosine. */
  rate: number
  seed: number
  /** Rows per step of `trainSgd` (default: all). */
  batch?: number
}

/** A finished run. */
export interface Run {
  readonly weights: Weights
  /** J at the end. */
  readonly objective: number
  /** The lowest J on the way, the end included. */
  readonly lowest: number
}

/** Kingma and Ba 2015 on full gradients, with beta 0.9 and 0.999. */
export function trainAdam(training: Training, options: TrainingOptions): Run {
  const { steps, rate, seed } = options
  const w = initial(training, options.width, random(seed))
  const gradient = new Float64Array(w.length)
  const first = new Float64Array(w.length)
  const second = new Float64Array(w.length)
  let lowest = Number.POSITIVE_INFINITY
  for (let t = 1; t <= steps; t++) {
    lowest = Math.min(lowest, objective(training, w, gradient))
    const step = (rate * cosine(t, steps) * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t)
    for (let k = 0; k < w.length; k++) {
      const g = gradient[k]!
      first[k] = 0.9 * first[k]! + 0.1 * g
      second[k] = 0.999 * second[k]! + 0.001 * g * g
      w[k]! -= (step * first[k]!) / (Math.sqrt(second[k]!) + 1e-8)
    }
  }
  const last = objective(training, w)
  return { weights: w, objective: last, lowest: Math.min(lowest, last) }
}

/** Stochastic gradient descent with momentum 0.9, rows drawn without replacement epoch by epoch. */
export function trainSgd(training: Training, options: TrainingOptions): Run {
  const { steps, rate, seed, batch = training.X.rows } = options
  const draws = random(seed)
  const w = initial(training, options.width, draws)
  const gradient = new Float64Array(w.length)
  const velocity = new Float64Array(w.length)
  let order = draws.permutation(training.X.rows)
  let at = 0
  for (let t = 1; t <= steps; t++) {
    if (at >= order.length) {
      order = draws.permutation(training.X.rows)
      at = 0
    }
    objective(training, w, gradient, order.subarray(at, at + batch))
    at += batch
    const step = rate * cosine(t, steps)
    for (let k = 0; k < w.length; k++) {
      velocity[k] = 0.9 * velocity[k]! - step * gradient[k]!
      w[k]! += velocity[k]!
    }
  }
  const last = objective(training, w)
  return { weights: w, objective: last, lowest: last }
}

/** Runs from `starts` seeds in a row. */
export function multiStart(
  train: (training: Training, options: TrainingOptions) => Run,
  training: Training,
  options: TrainingOptions,
  starts: number,
): Run[] {
  return Array.from({ length: starts }, (_, k) => train(training, { ...options, seed: options.seed + k }))
}

/** The run's weights as a network. */
export function networkOf({ X }: Training, w: Weights): ReluNetwork {
  const d = X.columns
  const width = w.length / (d + 1)
  return reluNetwork({
    W1: matrix(width, d, w.slice(0, width * d)),
    b1: new Float64Array(width),
    W2: matrix(width, 1, w.slice(width * d)),
    intercept: new Float64Array(1),
  })
}

/** He et al. 2015: w1 ~ N(0, 2/d), w2 ~ N(0, 2/width). */
function initial({ X }: Training, width: number, draws: Random): Weights {
  const d = X.columns
  return Float64Array.from(
    { length: width * (d + 1) },
    (_, k) => draws.normal() * Math.sqrt(2 / (k < width * d ? d : width)),
  )
}

function cosine(t: number, steps: number): number {
  return (1 + Math.cos((Math.PI * (t - 1)) / steps)) / 2
}
