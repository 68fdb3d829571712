import { backend } from '../numerics/backends/index.ts'
import { matrix } from '../numerics/matrix.ts'
import { mirrorLower } from '../numerics/triangular.ts'
import type { Matrix, Vector } from '../types.ts'
import { factor, solveRows } from './cholesky.ts'
import { linkGradient } from './link-problem.ts'
import type { LinkSolver } from './majoriser.ts'

const STEPS = 20

/**
 * Rows of W with at most `keep` entries that are not zero: iterative hard thresholding for which, then least squares on
 * each row's own. For linear responses; never raises the objective of weights that are as sparse already.
 *
 * Blumensath and Davies 2009, Appl. Comput. Harmon. Anal. 27.
 */
export function sparseLinks({ keep }: { keep: number }): LinkSolver {
  if (!Number.isInteger(keep) || keep < 1)
    throw new RangeError(
      `sparseLinks: keep is ${keep}, expected a positive whole number; pass the entries a unit may use.`,
    )
  return {
    name: 'sparse',
    solve(problem) {
      const { weights, scale, divergence, ridge, damping } = problem
      const { W, b } = weights
      const side = W.columns + 1
      const M = matrix(side, side, problem.gram().slice())
      for (let e = 0; e < M.data.length; e++) M.data[e]! *= scale * divergence.smoothness
      for (let l = 0; l < side; l++) M.data[l * side + l]! += damping + (l < W.columns ? ridge : 0)
      mirrorLower(M.rows, M.data)
      keepLargest(W, keep)
      problem.moved()
      const start = joined(W, b)
      // Th -> G(Th_0) + (Th - Th_0) M is the gradient: the objective is quadratic.
      const slope = linkGradient(problem)
      const at = matrix(start.rows, side, start.data.slice())
      const bend = backend().symmetricEigen(side, M.data.slice(), side).values[side - 1]!
      for (let step = 0; step < STEPS; step++) {
        const gradient = gradientAt(at, start, slope, M)
        for (let e = 0; e < at.data.length; e++) at.data[e]! -= gradient.data[e]! / bend
        split(at, W, b)
        keepLargest(W, keep)
        at.data.set(joined(W, b).data)
      }
      for (let j = 0; j < W.rows; j++) solveOn(support(at, j), j, at, start, slope, M)
      split(at, W, b)
      problem.moved()
    },
  }
}

/** Sets all but the `keep` largest entries of every row to zero. */
export function keepLargest(W: Matrix, keep: number): void {
  for (let j = 0; j < W.rows; j++) {
    const row = W.data.subarray(j * W.columns, (j + 1) * W.columns)
    const order = Array.from(row, (_, l) => l).sort((a, c) => Math.abs(row[c]!) - Math.abs(row[a]!) || a - c)
    for (const l of order.slice(keep)) row[l] = 0
  }
}

function gradientAt(at: Matrix, start: Matrix, slope: Matrix, M: Matrix): Matrix {
  const moved = matrix(at.rows, at.columns)
  for (let e = 0; e < moved.data.length; e++) moved.data[e] = at.data[e]! - start.data[e]!
  const out = matrix(at.rows, at.columns, slope.data.slice())
  const n = at.columns
  backend().gemm(false, false, at.rows, n, n, 1, moved.data, n, M.data, n, 1, out.data, n)
  return out
}

/** The least of row j over the entries listed, the others staying zero. */
function solveOn(entries: number[], j: number, at: Matrix, start: Matrix, slope: Matrix, M: Matrix): void {
  const side = at.columns
  const gradient = gradientAt(
    matrix(1, side, at.data.subarray(j * side, (j + 1) * side)),
    matrix(1, side, start.data.subarray(j * side, (j + 1) * side)),
    matrix(1, side, slope.data.subarray(j * side, (j + 1) * side)),
    M,
  )
  const H = matrix(entries.length, entries.length)
  entries.forEach((a, i) => {
    entries.forEach((c, l) => {
      H.data[i * entries.length + l] = M.data[a * side + c]!
    })
  })
  factor(H)
  const step = matrix(
    1,
    entries.length,
    Float64Array.from(entries, (a) => gradient.data[a]!),
  )
  solveRows(H, step)
  entries.forEach((a, i) => {
    at.data[j * side + a]! -= step.data[i]!
  })
}

/** Where row j is not zero, and its bias. */
function support(at: Matrix, j: number): number[] {
  const d = at.columns - 1
  return Array.from({ length: at.columns }, (_, l) => l).filter((l) => l === d || at.data[j * at.columns + l] !== 0)
}

function joined(W: Matrix, b: Vector): Matrix {
  const out = matrix(W.rows, W.columns + 1)
  for (let j = 0; j < W.rows; j++) {
    out.data.set(W.data.subarray(j * W.columns, (j + 1) * W.columns), j * out.columns)
    out.data[j * out.columns + W.columns] = b[j]!
  }
  return out
}

function split(at: Matrix, W: Matrix, b: Vector): void {
  for (let j = 0; j < W.rows; j++) {
    W.data.set(at.data.subarray(j * at.columns, j * at.columns + W.columns), j * W.columns)
    b[j] = at.data[j * at.columns + W.columns]!
  }
}
