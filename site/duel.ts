import { random } from '../src/numerics/random.ts'
import { turn } from '../src/numerics/turn.ts'
import type { Matrix } from '../src/types.ts'
import type { Duel } from './messages.ts'

const STARTS = 4
const STEPS = 1500
const WIDTH = 100

/**
 * Adam (Kingma and Ba, ICLR 2015) on the same objective from random starts:
 *
 *     | f(X) - y |^2 / (2 n) + lambda/2 ( |W1|^2 + |b1|^2 + |W2|^2 ),   f(x) = sum_j (x'w1_j + b1_j)_+ w2_j
 *
 * for 100 neurons, all rows in every step, the step size falling from 0.05 to 0 by a cosine. Tells the lowest objective of
 * all starts so far.
 */
export async function* duel(X: Matrix, y: Matrix, lambda: number, signal: AbortSignal): AsyncGenerator<Duel, void> {
  const best: { step: number; objective: number }[] = []
  const adam = start(X, y, lambda)
  let lowest = Number.POSITIVE_INFINITY
  let since = performance.now()
  for (let seed = 1; seed <= STARTS; seed++) {
    const walk = adam(seed)
    for (let step = 1; step <= STEPS; step++) {
      lowest = Math.min(lowest, walk(step))
      const total = (seed - 1) * STEPS + step
      if (step % 50 === 0 || total === 1) best.push({ step: total, objective: lowest })
      if (performance.now() - since < 100) continue
      yield { steps: total, width: WIDTH, best, done: false }
      await turn()
      if (signal.aborted) return
      since = performance.now()
    }
  }
  yield { steps: STARTS * STEPS, width: WIDTH, best, done: true }
}

/** For a seed, a function that takes one step and returns the objective before it. */
function start(X: Matrix, y: Matrix, lambda: number): (seed: number) => (step: number) => number {
  const { rows: n, columns: d } = X
  const size = d + 2
  return (seed) => {
    const draws = random(seed)
    // theta: per neuron its d weights, its bias and its output weight · m, v: the moments of its gradient
    const theta = Float64Array.from({ length: WIDTH * size }, (_, k) =>
      k % size === d ? 0 : (draws.normal() * Math.sqrt(2 / (k % size === d + 1 ? WIDTH : d + 1))) / 2,
    )
    const m = new Float64Array(theta.length)
    const v = new Float64Array(theta.length)
    const hidden = new Float64Array(n * WIDTH)
    const residual = new Float64Array(n)
    const gradient = new Float64Array(theta.length)
    return (step) => {
      let error = 0
      for (let i = 0; i < n; i++) {
        let fit = 0
        for (let j = 0; j < WIDTH; j++) {
          let value = theta[j * size + d]!
          for (let f = 0; f < d; f++) value += X.data[i * d + f]! * theta[j * size + f]!
          hidden[i * WIDTH + j] = value
          if (value > 0) fit += value * theta[j * size + d + 1]!
        }
        residual[i] = fit - y.data[i]!
        error += residual[i]! ** 2
      }
      let weights = 0
      for (let k = 0; k < theta.length; k++) {
        weights += theta[k]! ** 2
        gradient[k] = lambda * theta[k]!
      }
      for (let i = 0; i < n; i++)
        for (let j = 0; j < WIDTH; j++) {
          const value = hidden[i * WIDTH + j]!
          if (value <= 0) continue
          const at = j * size
          const slope = (residual[i]! * theta[at + d + 1]!) / n
          for (let f = 0; f < d; f++) gradient[at + f]! += slope * X.data[i * d + f]!
          gradient[at + d]! += slope
          gradient[at + d + 1]! += (residual[i]! * value) / n
        }
      const rate = 0.025 * (1 + Math.cos((Math.PI * (step - 1)) / STEPS))
      for (let k = 0; k < theta.length; k++) {
        m[k] = 0.9 * m[k]! + 0.1 * gradient[k]!
        v[k] = 0.999 * v[k]! + 0.001 * gradient[k]! ** 2
        theta[k]! -= (rate * (m[k]! / (1 - 0.9 ** step))) / (Math.sqrt(v[k]! / (1 - 0.999 ** step)) + 1e-8)
      }
      return error / (2 * n) + (lambda / 2) * weights
    }
  }
}
