import { backend } from '../../numerics/backends/index.ts'
import type { Random } from '../../numerics/random.ts'
import type { Matrix, Vector } from '../../types.ts'
import type { Priced } from './neuron-ascent.ts'

/** Starts that are moved together: products become those of matrices. */
const BATCH = 64
/** Moves at most. */
const MOVES = 40
/** A move gains at least this, relative to the price. */
const GAIN = 1e-6

/**
 * Local search for high prices  f(u) = r'(Xu)_+ , |u| = 1, from many starts at once: u moves to the direction of X'(D r),
 * D the pattern of Xu, or part of the way where that gains nothing. Returns where each start ended, which is near a local
 * maximum but for what lies on the boundary there (see `neuronAscent`). Yields after each batch.
 *
 * `given` starts come first; the others are random: normal, or the row or the sum of two rows of X, up to sign.
 * A move costs 4 n d flops a start.
 */
export function* searchNeurons(
  X: Matrix,
  r: Vector,
  { count, draws, given = [] }: { count: number; draws: Random; given?: readonly Vector[] },
): Generator<undefined, Priced[]> {
  const ended: Priced[] = []
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first)
    const starts = new Float64Array(size * X.columns)
    for (let s = 0; s < size; s++) starts.set(given[first + s] ?? randomStart(X, draws), s * X.columns)
    ended.push(...moved(X, r, starts, size))
    yield undefined
  }
  return ended
}

function randomStart({ rows, columns: d, data }: Matrix, draws: Random): Vector {
  const kind = draws.below(3)
  if (kind === 0) return Float64Array.from({ length: d }, () => draws.normal())
  const u = new Float64Array(d)
  for (let term = 0; term < kind; term++) {
    const row = draws.below(rows) * d
    const sign = draws.uniform() < 0.5 ? -1 : 1
    for (let j = 0; j < d; j++) u[j]! += sign * data[row + j]!
  }
  return u
}

function moved(X: Matrix, r: Vector, starts: Vector, count: number): Priced[] {
  const { rows: n, columns: d, data } = X
  const compute = backend()
  // u, slopes: the points and X'(D r) there, a row a start · next: where to go · share: how much of the way, 0 at rest
  const u = starts
  const slopes = new Float64Array(count * d)
  const next = new Float64Array(count * d)
  const products = new Float64Array(count * n)
  const prices = new Float64Array(count).fill(-1)
  const share = new Float64Array(count).fill(1)
  next.set(u)
  for (let s = 0; s < count; s++) normalise(next, s * d, d)
  for (let move = 0; move < MOVES; move++) {
    compute.gemm(false, true, count, n, d, 1, next, d, data, d, 0, products, n)
    const reached = new Float64Array(count)
    for (let s = 0; s < count; s++) {
      let total = 0
      for (let k = 0, at = s * n; k < n; k++, at++) {
        const on = products[at]! > 0
        if (on) total += r[k]! * products[at]!
        products[at] = on ? r[k]! : 0
      }
      reached[s] = total
    }
    const ahead = new Float64Array(count * d)
    compute.gemm(false, false, count, d, n, 1, products, n, data, d, 0, ahead, d)
    let moving = 0
    for (let s = 0; s < count; s++) {
      const start = s * d
      if (share[s] === 0) continue
      if (reached[s]! > prices[s]! + GAIN * Math.abs(prices[s]!)) {
        prices[s] = reached[s]!
        u.set(next.subarray(start, start + d), start)
        slopes.set(ahead.subarray(start, start + d), start)
        normalise(slopes, start, d)
        share[s] = Math.min(1, 2 * share[s]!)
      } else share[s] = share[s]! > 1 / 16 ? share[s]! / 2 : 0
      if (share[s] === 0) continue
      moving++
      const part = share[s]!
      for (let j = 0; j < d; j++) next[start + j] = (1 - part) * u[start + j]! + part * slopes[start + j]!
      normalise(next, start, d)
    }
    if (moving === 0) break
  }
  return Array.from(prices, (price, s) => ({ direction: u.slice(s * d, (s + 1) * d), price }))
}

/** u / |u| for the `size` entries at `start`; zero stays zero. */
function normalise(u: Vector, start: number, size: number): void {
  let total = 0
  for (let j = start; j < start + size; j++) total += u[j]! ** 2
  const length = Math.sqrt(total)
  if (length > 0) for (let j = start; j < start + size; j++) u[j]! /= length
}
