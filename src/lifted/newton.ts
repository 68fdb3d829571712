import { backend } from '../numerics/backends/index.ts'
import { matrix } from '../numerics/matrix.ts'
import { largestSize } from '../numerics/unit.ts'
import type { Matrix, Vector } from '../types.ts'
import { factor, solveRows } from './cholesky.ts'
import type { Entry } from './divergence.ts'
import type { LinkProblem } from './link-problem.ts'
import { descend, type LinkSolver } from './majoriser.ts'

/** Newton steps at most; some ten are enough. */
const LIMIT = 200
/** A gradient of this share of the terms it is made of is rounding. */
const ROUNDING = 1e-15
/** Unknowns that Newton solves for together at most, where a divergence couples its units. */
const COUPLED = 600

/**
 * The minimiser: semismooth Newton with backtracking, unit by unit, to the last digits of the gradient,
 *
 *     H_j = scale [A 1]' diag(R''(z_j)) [A 1] + diag(ridge, .., ridge, 0) + damping I.
 *
 * A divergence that couples its units, as cross-entropy does, is solved as one system while that is small, and by
 * majorised steps with momentum beyond.
 */
export function exactLinks(): LinkSolver {
  return {
    name: 'exact',
    solve(problem) {
      const { weights, divergence } = problem
      const { entry } = divergence
      if (entry) for (let j = 0; j < weights.W.rows; j++) newton(unitProblem(problem, entry, j))
      else if (weights.W.rows * (weights.W.columns + 1) <= COUPLED) newton(coupledProblem(problem))
      else return descend(problem, 20_000, true, (change, size) => change <= 1e-11 * (1 + size))
      problem.moved()
    },
  }
}

/** A smooth convex problem with its second derivative. */
interface Smooth {
  /** Where it is, and goes. */
  readonly at: Vector
  value(at: Vector): number
  /** Gradient, and sums of the sizes of what it adds up. */
  gradient(at: Vector): { gradient: Vector; sizes: Vector }
  /** Lower triangle. */
  hessian(at: Vector): Matrix
  store(): void
}

function newton(problem: Smooth): void {
  const { at } = problem
  let value = problem.value(at)
  for (let round = 0; round < LIMIT; round++) {
    const { gradient, sizes } = problem.gradient(at)
    if (gradient.every((entry, j) => Math.abs(entry) <= ROUNDING * sizes[j]!)) break
    const H = problem.hessian(at)
    factor(H)
    const step = matrix(1, at.length, gradient.slice())
    solveRows(H, step)
    let slope = 0
    for (let j = 0; j < at.length; j++) slope += gradient[j]! * step.data[j]!
    let length = 1
    let next = at.map((entry, j) => entry - step.data[j]!)
    let reached = problem.value(next)
    while (!(reached <= value - 1e-4 * length * slope) && length > 1e-12) {
      length /= 2
      next = at.map((entry, j) => entry - length * step.data[j]!)
      reached = problem.value(next)
    }
    // Below the rounding of the value it can tell no longer; the last full steps are decided by the gradient.
    if (!(reached < value)) {
      const full = at.map((entry, j) => entry - step.data[j]!)
      if (!(largestSize(problem.gradient(full).gradient) < largestSize(gradient) / 2)) break
      next = full
      reached = Math.min(value, problem.value(full))
    }
    at.set(next)
    value = reached
  }
  problem.store()
}

/** Row j of [W b] on its own. */
function unitProblem(problem: LinkProblem, entry: Entry, j: number): Smooth {
  const { A, T, scale, ridge, damping, weights } = problem
  const { W, b } = weights
  const d = W.columns
  const side = d + 1
  const units = W.rows
  const at = new Float64Array(side)
  at.set(W.data.subarray(j * d, (j + 1) * d))
  at[d] = b[j]!
  const start = at.slice()
  const z = new Float64Array(A.rows)
  const fitAt = (theta: Vector): void => {
    backend().gemv(false, A.rows, d, 1, A.data, d, theta.subarray(0, d), 0, z)
    for (let r = 0; r < z.length; r++) z[r]! += theta[d]!
  }
  return {
    at,
    value(theta) {
      fitAt(theta)
      let total = 0
      for (let r = 0; r < z.length; r++) total += entry.potential(z[r]!) - T.data[r * units + j]! * z[r]!
      return scale * total + quadratic(theta, start, d, ridge, damping)
    },
    gradient(theta) {
      fitAt(theta)
      const gradient = new Float64Array(side)
      const sizes = new Float64Array(side)
      for (let r = 0; r < z.length; r++) {
        const residual = scale * (entry.response(z[r]!) - T.data[r * units + j]!)
        const size = scale * (Math.abs(entry.response(z[r]!)) + Math.abs(T.data[r * units + j]!))
        for (let l = 0; l < d; l++) {
          gradient[l]! += residual * A.data[r * d + l]!
          sizes[l]! += size * Math.abs(A.data[r * d + l]!)
        }
        gradient[d]! += residual
        sizes[d]! += size
      }
      addQuadratic(gradient, sizes, theta, start, d, ridge, damping)
      return { gradient, sizes }
    },
    hessian(theta) {
      fitAt(theta)
      const weighted = z.map((value) => scale * entry.slope(value))
      const H = matrix(side, side, weightedGram(A, weighted))
      addDiagonal(H, side, ridge, damping)
      return H
    },
    store() {
      W.data.set(at.subarray(0, d), j * d)
      b[j] = at[d]!
    },
  }
}

/** All rows of [W b] together, for cross-entropy: its second derivative is diag(p) - pp' in every row of the fit. */
function coupledProblem(problem: LinkProblem): Smooth {
  const { A, T, divergence, scale, ridge, damping, weights } = problem
  const { W, b } = weights
  const [units, d] = [W.rows, W.columns]
  const side = d + 1
  const at = new Float64Array(units * side)
  for (let j = 0; j < units; j++) {
    at.set(W.data.subarray(j * d, (j + 1) * d), j * side)
    at[j * side + d] = b[j]!
  }
  const start = at.slice()
  const Z = matrix(A.rows, units)
  const P = matrix(A.rows, units)
  const fitAt = (theta: Vector): void => {
    backend().gemm(false, true, A.rows, units, d, 1, A.data, d, theta, side, 0, Z.data, units)
    for (let r = 0; r < A.rows; r++) for (let j = 0; j < units; j++) Z.data[r * units + j]! += theta[j * side + d]!
  }
  const eachUnit = (theta: Vector, visit: (own: Vector, first: Vector, j: number) => void): void => {
    for (let j = 0; j < units; j++)
      visit(theta.subarray(j * side, (j + 1) * side), start.subarray(j * side, (j + 1) * side), j)
  }
  return {
    at,
    value(theta) {
      fitAt(theta)
      let total = scale * divergence.value(T, Z)
      eachUnit(theta, (own, first) => {
        total += quadratic(own, first, d, ridge, damping)
      })
      return total
    },
    gradient(theta) {
      fitAt(theta)
      divergence.response(Z, P)
      const gradient = new Float64Array(at.length)
      const sizes = new Float64Array(at.length)
      for (let r = 0; r < A.rows; r++)
        for (let j = 0; j < units; j++) {
          const residual = scale * (P.data[r * units + j]! - T.data[r * units + j]!)
          const size = scale * (P.data[r * units + j]! + T.data[r * units + j]!)
          for (let l = 0; l < side; l++) {
            const a = l < d ? A.data[r * d + l]! : 1
            gradient[j * side + l]! += residual * a
            sizes[j * side + l]! += size * Math.abs(a)
          }
        }
      eachUnit(theta, (own, first, j) =>
        addQuadratic(
          gradient.subarray(j * side, (j + 1) * side),
          sizes.subarray(j * side, (j + 1) * side),
          own,
          first,
          d,
          ridge,
          damping,
        ),
      )
      return { gradient, sizes }
    },
    hessian(theta) {
      fitAt(theta)
      divergence.response(Z, P)
      const total = units * side
      const H = matrix(total, total)
      const weighted = new Float64Array(A.rows)
      for (let i = 0; i < units; i++)
        for (let j = 0; j <= i; j++) {
          for (let r = 0; r < A.rows; r++) {
            const p = P.data[r * units + i]!
            weighted[r] = scale * p * ((i === j ? 1 : 0) - P.data[r * units + j]!)
          }
          const block = weightedGram(A, weighted)
          for (let a = 0; a < side; a++)
            for (let c = 0; c < side; c++)
              H.data[(i * side + a) * total + j * side + c] = block[Math.max(a, c) * side + Math.min(a, c)]!
        }
      for (let e = 0; e < total; e++) H.data[e * total + e]! += damping + (e % side < d ? ridge : 0)
      return H
    },
    store() {
      for (let j = 0; j < units; j++) {
        W.data.set(at.subarray(j * side, j * side + d), j * d)
        b[j] = at[j * side + d]!
      }
    },
  }
}

/** The lower triangle of sum_r weights_r a_r a_r' with a_r = [row r, 1], for weights of any sign. */
function weightedGram(A: Matrix, weights: Vector): Vector {
  const d = A.columns
  const side = d + 1
  const out = new Float64Array(side * side)
  for (let r = 0; r < A.rows; r++) {
    const weight = weights[r]!
    if (weight === 0) continue
    for (let a = 0; a < d; a++) {
      const factor = weight * A.data[r * d + a]!
      if (factor !== 0) for (let c = 0; c <= a; c++) out[a * side + c]! += factor * A.data[r * d + c]!
    }
    for (let c = 0; c < d; c++) out[d * side + c]! += weight * A.data[r * d + c]!
    out[d * side + d]! += weight
  }
  return out
}

function quadratic(theta: Vector, start: Vector, d: number, ridge: number, damping: number): number {
  let total = 0
  for (let l = 0; l <= d; l++) {
    if (l < d) total += (ridge / 2) * theta[l]! ** 2
    total += (damping / 2) * (theta[l]! - start[l]!) ** 2
  }
  return total
}

function addQuadratic(
  gradient: Vector,
  sizes: Vector,
  theta: Vector,
  start: Vector,
  d: number,
  ridge: number,
  damping: number,
): void {
  for (let l = 0; l <= d; l++) {
    const weight = l < d ? ridge : 0
    gradient[l]! += weight * theta[l]! + damping * (theta[l]! - start[l]!)
    sizes[l]! += (weight + damping) * Math.abs(theta[l]!) + damping * Math.abs(start[l]!)
  }
}

function addDiagonal(H: Matrix, side: number, ridge: number, damping: number): void {
  for (let l = 0; l < side; l++) H.data[l * side + l]! += damping + (l < side - 1 ? ridge : 0)
}
