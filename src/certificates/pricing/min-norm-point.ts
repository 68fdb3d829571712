import type { Vector } from '../../types.ts'

/** The solver of one size, with its work space. */
export interface MinNormPoint {
  /**
   * The shortest w = c + sum_k alpha_k a_k + sum_i beta_i n_i with alpha in [0, 1] and beta >= 0; the a_k are rows
   * `chosen[0 .. count - 1]` of `generators`, the n_i rows of `rays`. `guess` is a direction near the answer.
   *
   * Ends early when |w| <= `low`, or once the shortest is known to be longer than `high` and |w| to be within a share
   * `enough` of it.
   */
  solve(problem: MinNormProblem): MinNorm
}

export interface MinNormProblem {
  readonly c: Vector
  readonly generators: Vector
  readonly chosen: Int32Array
  readonly count: number
  readonly rays?: Vector
  readonly guess: Vector
  readonly low?: number
  readonly high?: number
  readonly enough?: number
}

/** Lent: the next call overwrites it. */
export interface MinNorm {
  /** w, a point of the set: its length is an upper bound of the shortest. */
  readonly point: Vector
  readonly length: number
  /** No point of the set is shorter than this. */
  readonly bound: number
}

/** Of the squared length: when the oracle's vertex is no nearer than this, w is the shortest. */
const ROUNDING = 1e-13

/**
 * Wolfe's method for the point of least norm of a polytope given by its linear oracle (Wolfe 1976, Math. Program. 11),
 * for a sum of segments and rays in R^size: the dual of  max { c'u + sum_k min(0, a_k'u) : |u| <= 1, n_i'u >= 0 }.
 *
 * Keeps a few vertices and rays whose combination w is (at most size + 1, affinely independent), and each round takes in
 * the vertex that lies farthest against w, or the ray: w is a point of the set at every moment, so that |w| bounds the
 * maximum from above, and the oracle from below. Ends after finitely many rounds, usually a handful; a round costs
 * 2 size count flops.
 */
export function minNormPoint(size: number): MinNormPoint {
  const most = size + 2
  // corral: rows kept · isRay · weights (of vertices they sum to 1) · gram: products of the rows
  const corral = new Float64Array(most * size)
  const isRay = new Uint8Array(most)
  const weights = new Float64Array(most)
  const gram = new Float64Array(most * most)
  const system = new Float64Array(most * most)
  const trial = new Float64Array(most)
  const w = new Float64Array(size)
  const vertex = new Float64Array(size)
  let kept = 0

  const dotRow = (rows: Vector, row: number, v: Vector): number => {
    let total = 0
    for (let j = 0, k = row * size; j < size; j++, k++) total += rows[k]! * v[j]!
    return total
  }

  /** vertex <- argmin { w'q : q in the polytope } */
  const oracle = ({ c, generators, chosen, count }: MinNormProblem, direction: Vector): void => {
    vertex.set(c)
    for (let k = 0; k < count; k++) {
      const row = chosen[k]!
      if (dotRow(generators, row, direction) >= 0) continue
      for (let j = 0, g = row * size; j < size; j++, g++) vertex[j]! += generators[g]!
    }
  }

  const take = (row: Vector, start: number, ray: boolean): void => {
    const at = kept++
    for (let j = 0; j < size; j++) corral[at * size + j] = row[start + j]!
    isRay[at] = ray ? 1 : 0
    weights[at] = 0
    for (let i = 0; i <= at; i++) {
      let total = 0
      for (let j = 0; j < size; j++) total += corral[i * size + j]! * corral[at * size + j]!
      gram[i * most + at] = total
      gram[at * most + i] = total
    }
  }

  const drop = (at: number): void => {
    kept--
    for (let i = at; i < kept; i++) {
      corral.copyWithin(i * size, (i + 1) * size, (i + 2) * size)
      isRay[i] = isRay[i + 1]!
      weights[i] = weights[i + 1]!
      for (let j = 0; j <= kept; j++) gram[i * most + j] = gram[(i + 1) * most + j]!
    }
    for (let i = 0; i < kept; i++) for (let j = at; j < kept; j++) gram[i * most + j] = gram[i * most + j + 1]!
  }

  const combine = (): number => {
    w.fill(0)
    for (let i = 0; i < kept; i++) for (let j = 0, k = i * size; j < size; j++, k++) w[j]! += weights[i]! * corral[k]!
    let total = 0
    for (let j = 0; j < size; j++) total += w[j]! * w[j]!
    return Math.sqrt(total)
  }

  /**
   * trial <- the weights of the shortest point of the corral's span (vertices with weights that sum to 1), by elimination
   * in (G + s ee') y = e, e one for vertices; false when its rows are dependent to rounding.
   */
  const affine = (): boolean => {
    let shift = 0
    for (let i = 0; i < kept; i++) if (!isRay[i]) shift = Math.max(shift, gram[i * most + i]!)
    if (!(shift > 0)) shift = 1
    for (let i = 0; i < kept; i++) {
      for (let j = 0; j <= i; j++) system[i * most + j] = gram[i * most + j]! + (isRay[i]! || isRay[j]! ? 0 : shift)
      trial[i] = isRay[i] ? 0 : 1
    }
    // Cholesky in place, then the two triangles.
    for (let i = 0; i < kept; i++) {
      const scale = system[i * most + i]!
      for (let j = 0; j <= i; j++) {
        let total = system[i * most + j]!
        for (let k = 0; k < j; k++) total -= system[i * most + k]! * system[j * most + k]!
        if (j < i) system[i * most + j] = total / system[j * most + j]!
        else {
          if (!(total > 1e-14 * scale)) return false
          system[i * most + i] = Math.sqrt(total)
        }
      }
    }
    for (let i = 0; i < kept; i++) {
      for (let k = 0; k < i; k++) trial[i]! -= system[i * most + k]! * trial[k]!
      trial[i]! /= system[i * most + i]!
    }
    for (let i = kept - 1; i >= 0; i--) {
      for (let k = i + 1; k < kept; k++) trial[i]! -= system[k * most + i]! * trial[k]!
      trial[i]! /= system[i * most + i]!
    }
    let total = 0
    for (let i = 0; i < kept; i++) if (!isRay[i]) total += trial[i]!
    if (!(total > 0)) return false
    for (let i = 0; i < kept; i++) trial[i]! /= total
    return true
  }

  /** From the weights towards the trial, dropping what reaches zero, until the trial has only positive weights. */
  const settle = (): boolean => {
    for (;;) {
      if (!affine()) return false
      let step = 1
      let leaving = -1
      for (let i = 0; i < kept; i++) {
        if (trial[i]! > 1e-15) continue
        const share = weights[i]! / (weights[i]! - trial[i]!)
        if (share < step || leaving < 0) {
          step = Math.max(0, Math.min(share, step))
          leaving = i
        }
      }
      if (leaving < 0) {
        weights.set(trial.subarray(0, kept))
        return true
      }
      for (let i = 0; i < kept; i++) weights[i] = weights[i]! + step * (trial[i]! - weights[i]!)
      drop(leaving)
      if (kept === 0) return false
    }
  }

  return {
    solve(problem) {
      const { rays, guess, low = 0, high = Number.POSITIVE_INFINITY, enough = 0 } = problem
      const rayCount = rays ? rays.length / size : 0
      kept = 0
      oracle(problem, guess)
      take(vertex, 0, false)
      weights[0] = 1
      let length = combine()
      let bound = 0
      for (let round = 0; round < 60 + 20 * size && length > low; round++) {
        // The ray and the vertex that lie farthest against w.
        let ray = -1
        let worst = -ROUNDING * length
        for (let i = 0; i < rayCount; i++) {
          const along = dotRow(rays!, i, w)
          if (along < worst) {
            worst = along
            ray = i
          }
        }
        oracle(problem, w)
        const value = dotRow(vertex, 0, w)
        const gain = length * length - value
        if (ray < 0) {
          bound = Math.max(bound, value / length)
          if (gain <= ROUNDING * length * length) break
          if (bound > high && length - bound <= enough * length) break
        }
        if (kept === most) break
        // A ray's unit length makes its gain comparable with that of the vertex only after both are scaled.
        const kind = ray >= 0 && -worst * length >= gain * 0.1
        if (kind || gain <= ROUNDING * length * length) take(rays!, ray * size, true)
        else take(vertex, 0, false)
        const before = length
        const settled = settle()
        if (!settled && kept === 0) break
        length = combine()
        if (!settled || length > before * (1 + 1e-12)) break
        if (length >= before * (1 - 1e-15) && round > 2 * size) break
      }
      return { point: w, length, bound: Math.min(bound, length) }
    },
  }
}
