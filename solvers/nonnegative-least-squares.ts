import { activeSpan, multiply } from '../src/numerics/active-span.ts'
import { blockNorm } from '../src/numerics/blocks.ts'
import type { Vector } from '../src/types.ts'

/** What a step along a row must promise, relative to the row's length one and the target's: less is rounding. */
const ROUNDING = 1e-13

/**
 * argmin over x >= 0 of |B'x - f|, for B of m rows of d entries.
 *
 * An active-set method: the row that promises most enters, the least squares of the rows that are in are solved by an
 * updated orthogonal factorisation, and rows whose entry would become negative leave. Nothing is squared, so that dependent
 * rows and distances of rounding are told from others. About 2 m d flops a round. Lawson and Hanson 1974, chapter 23.
 */
export function nonnegativeLeastSquares(B: Vector, m: number, d: number, f: Vector): Vector {
  const lengths = Float64Array.from({ length: m }, (_, i) => blockNorm(B, i * d, d))
  const unit = B.map((value, k) => value / (lengths[Math.floor(k / d)]! || 1))
  const span = activeSpan(d, Math.min(m, d))
  const target = f.map((value) => -value)
  const tolerance = ROUNDING * blockNorm(f, 0, d)
  const residual = new Float64Array(d)
  const slopes = new Float64Array(m)
  const useless = new Uint8Array(m)
  const inside = (): Vector => {
    const x = new Float64Array(m)
    const weights = span.solve(target, 0)
    for (let k = 0; k < span.size; k++) x[span.rows[k]!] = Math.max(0, weights[k]!) / lengths[span.rows[k]!]!
    return x
  }
  if (!(tolerance > 0)) return new Float64Array(m)
  for (let round = 0; round < MOST * (m + 1); round++) {
    span.residual(target, 0, residual)
    multiply(unit, m, d, residual, 0, slopes)
    let best = -1
    for (let i = 0; i < m; i++)
      if (lengths[i]! > 0 && !useless[i] && !(slopes[i]! >= -tolerance) && !(best >= 0 && slopes[i]! >= slopes[best]!))
        if (!span.has(i)) best = i
    if (best < 0) {
      if (!span.refresh(unit)) break
      continue
    }
    const before = span.size
    if (before === Math.min(m, d) || !span.add(unit, best, 1)) {
      useless[best] = 1
      continue
    }
    let weights = span.solve(target, 0)
    // Where rounding says that the row does not help after all, it leaves as it came.
    if (!(weights[before]! > 0)) {
      span.remove(before)
      useless[best] = 1
      continue
    }
    while (span.walk(weights)) weights = span.solve(target, 0)
    useless.fill(0)
  }
  return inside()
}

/** Rounds for each row; a few tenths are usual. */
const MOST = 10
