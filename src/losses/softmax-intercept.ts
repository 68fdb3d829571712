import type { Loss, Vector } from '../types.ts'
import { exponentials } from './exponential.ts'
import { withIntercept } from './intercept.ts'

/**
 * The cross-entropy with an intercept per class minimised out, those of sum zero: adding the same to all changes nothing.
 *
 * `weights` are one per row, the mean's 1/n included. Damped Newton; where the fit is large the loss is nearly piecewise
 * linear, and the fit is approached from fractions of it.
 */
export function softmaxWithIntercept(loss: Loss, weights: Vector, columns: number): Loss {
  const scaledFit = new Float64Array(loss.size)
  const newton = newtonOf(loss, weights, columns)
  return withIntercept(loss, {
    columns,
    best(fit, out, near) {
      out.fill(0)
      const widest = near ? 1 : spread(fit, columns)
      // No intercept is best for a fit that is not finite: that is for the loss's value to report.
      if (!Number.isFinite(widest)) return
      for (let heat = Math.max(1, widest / 30); ; heat = Math.max(1, heat / 2)) {
        for (let k = 0; k < fit.length; k++) scaledFit[k] = fit[k]! / heat
        for (let k = 0; k < columns; k++) out[k]! /= heat
        newton(scaledFit, out, heat > 1)
        for (let k = 0; k < columns; k++) out[k]! *= heat
        if (heat === 1) return
      }
    },
    // The same taken from all entries of a row changes nothing: the largest becomes 0, and what ties with it small.
    ground(fit) {
      for (let start = 0; start < fit.length; start += columns) {
        let most = fit[start]!
        for (let k = start + 1; k < start + columns; k++) most = Math.max(most, fit[k]!)
        for (let k = start; k < start + columns; k++) fit[k]! -= most
      }
    },
    rounding: 1e-14 * weights.reduce((total, weight) => total + weight, 0),
  })
}

/** b <- argmin_b F(Z + 1b') from the b given; `roughly`, to about a tenth. */
function newtonOf(loss: Loss, weights: Vector, columns: number) {
  const at = new Float64Array(loss.size)
  const slopes = new Float64Array(loss.size)
  const sums = new Float64Array(columns)
  const sizes = new Float64Array(columns)
  const step = new Float64Array(columns)
  const pairs = new Float64Array(columns * columns)

  return (fit: Vector, b: Vector, roughly: boolean): void => {
    for (let round = 0; round < 100; round++) {
      for (let k = 0; k < at.length; k++) at[k] = fit[k]! + b[k % columns]!
      loss.gradient(at, slopes)
      sums.fill(0)
      sizes.fill(0)
      for (let k = 0; k < slopes.length; k++) {
        sums[k % columns]! += slopes[k]!
        sizes[k % columns]! += Math.abs(slopes[k]!)
      }
      const size = sizes.reduce((total, part) => total + part, 0)
      if (sums.every((sum) => Math.abs(sum) <= 2 ** -51 * size)) return
      couplings(at, weights, step, pairs)
      for (let k = 0; k < columns; k++) step[k] = -sums[k]!
      laplacianSolve(pairs, step, sizes)
      const range = Math.max(...step) - Math.min(...step)
      // Along a step the third derivative is at most `range` times the second, so that this length descends from anywhere,
      // however flat, and the full step from nearby (Bach 2010, Electron. J. Stat. 4).
      const length = range > 1 ? Math.log1p(range) / range : 1
      for (let k = 0; k < columns; k++) b[k]! += length * step[k]!
      if (roughly && range <= 0.1) return
      // Convergence is quadratic: another step would be of the size of this one's square, and leave as little of the sums.
      if (range <= 2 ** -28 && sums.every((sum) => Math.abs(sum) <= 2 ** -24 * size)) return
    }
  }
}

/**
 * out[j, k] <- sum_r a_r q_rj q_rk for j != k, q the probabilities at a fit: minus the Hessian in b off its diagonal.
 *
 * The smallest probability counts: it may be all that couples a class to the others. Overwrites `q`.
 */
function couplings(fit: Vector, weights: Vector, q: Vector, out: Vector): void {
  const columns = q.length
  out.fill(0)
  for (let r = 0; r < weights.length; r++) {
    if (!(weights[r]! > 0)) continue
    const total = exponentials(fit, r * columns, columns, q)
    const scale = weights[r]! / (total * total)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < j; k++) {
        const pair = scale * q[j]! * q[k]!
        out[j * columns + k]! += pair
        out[k * columns + j]! += pair
      }
  }
}

/** Longer than any step that is taken whole, and far from overflow. */
const LONGEST = 1e100

/**
 * v <- x of sum zero with L x = v for the Laplacian L of the graph with these edge weights, v of sum zero.
 *
 * Gaussian elimination, one node after another, which leaves a Laplacian; with every diagonal taken as the sum of its
 * edges nothing is subtracted, and weights may differ by any factor (Grassmann, Taksar and Heyman 1985, Oper. Res. 33).
 * Entries of x end at `LONGEST`, where weights underflow. `sizes` are
 * what the entries of v are sums of: what is rounding of those is zero, or small weights would make it long steps.
 * Overwrites `edges` and `sizes`.
 */
function laplacianSolve(edges: Vector, v: Vector, sizes: Vector): void {
  const count = v.length
  const degrees = new Float64Array(count)
  for (let last = count - 1; last > 0; last--) {
    let degree = 0
    for (let j = 0; j < last; j++) degree += edges[last * count + j]!
    degrees[last] = degree
    if (Math.abs(v[last]!) <= 2 ** -50 * sizes[last]!) v[last] = 0
    if (!(degree > 0)) continue
    for (let i = 0; i < last; i++) {
      const share = edges[last * count + i]! / degree
      v[i]! += share * v[last]!
      sizes[i]! += share * sizes[last]!
      for (let j = 0; j < last; j++) if (j !== i) edges[i * count + j]! += share * edges[last * count + j]!
    }
  }
  let mean = 0
  v[0] = 0
  for (let k = 1; k < count; k++) {
    let total = v[k]!
    for (let j = 0; j < k; j++) total += edges[k * count + j]! * v[j]!
    v[k] = total === 0 ? 0 : Math.max(-LONGEST, Math.min(LONGEST, total / degrees[k]!))
    mean += v[k]! / count
  }
  for (let k = 0; k < count; k++) v[k]! -= mean
}

/** The largest difference within a row. */
function spread(fit: Vector, columns: number): number {
  let widest = 0
  for (let start = 0; start < fit.length; start += columns) {
    let low = fit[start]!
    let high = low
    for (let k = start + 1; k < start + columns; k++) {
      low = Math.min(low, fit[k]!)
      high = Math.max(high, fit[k]!)
    }
    const difference = high - low
    if (!(difference <= widest)) widest = difference
  }
  return widest
}
