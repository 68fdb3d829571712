import { backend } from '../src/numerics/backends/index.ts'
import { solveTriangle } from '../src/numerics/triangular.ts'
import type { BlockMaps, BlockSketch, Vector } from '../src/types.ts'

/**
 * s I + t B B', where B B' = C W^-1 C' is the Nystrom approximation of K = sum_b eta_b A_b A_b' by m of its columns, C of n x m,
 * and W the rows of C that were chosen. What the sketch misses of K's trace is spread over the other directions:
 * s = 1 + t tr(K - B B') / (n - m). B and products with it are float32, the factors of m x m float64.
 */
export interface NystromModel {
  /** Sketches the kernel of these blocks and weights, with its rows and columns multiplied by e where that is given. */
  sketch(blocks: Int32Array, weights: Vector, e?: Vector): void
  /** (s I + t B B')^-1 v; t is 1 unless given. */
  solve(v: Vector, t?: number): Vector
  /** H_ij = z_i'(s I + B B')^-1 z_j for z_i = A_i v_i (times e), with v_i in row i of `vectors`: f x f, full. */
  hessian(blocks: Int32Array, vectors: Vector): Vector
}

/** W's diagonal is raised by this share of its mean, and by ten times as much until it has a factor. */
const RAISE = 1e-5
/** Rows of C that are multiplied at a time. */
const ROWS = 4096

export function nystromModel(
  maps: BlockMaps,
  rows: Int32Array,
  sketched: BlockSketch = maps.sketch!(rows),
  storage: Float32Array = new Float32Array(maps.rows * rows.length),
): NystromModel {
  const { rows: n } = maps
  const m = rows.length
  // B: C, and then B in its place · gram: B'B · missed: (tr K - tr BB') / (n - m) · L: the factor of s I + t B'B for t = factored
  const B = storage.subarray(0, n * m)
  const gram = new Float32Array(m * m)
  const L = new Float64Array(m * m)
  let missed = 0
  let factored = Number.NaN
  let scales: Vector | undefined

  const factor = (t: number): void => {
    if (factored === t) return
    for (let i = 0; i < m; i++)
      for (let j = 0; j <= i; j++) L[i * m + j] = t * gram[i * m + j]! + (i === j ? 1 + t * missed : 0)
    backend().cholesky(m, L, m)
    factored = t
  }

  return {
    sketch(blocks, weights, e) {
      factored = Number.NaN
      scales = e
      sketched.columns(blocks, weights, B)
      if (e) {
        const chosen = Float64Array.from(rows, (r) => e[r]!)
        for (let r = 0, at = 0; r < n; r++) for (let k = 0; k < m; k++) B[at++]! *= e[r]! * chosen[k]!
      }
      const W = new Float64Array(m * m)
      let trace = 0
      for (let i = 0; i < m; i++) trace += B[rows[i]! * m + i]!
      if (!(trace > 0)) {
        B.fill(0)
        gram.fill(0)
        missed = 0
        return
      }
      for (let raise = RAISE; ; raise *= 10) {
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < i; j++) W[i * m + j] = (B[rows[i]! * m + j]! + B[rows[j]! * m + i]!) / 2
          W[i * m + i] = B[rows[i]! * m + i]! + (raise * trace) / m
        }
        if (backend().cholesky(m, W, m) === m) break
      }
      const inverse = new Float64Array(m * m)
      for (let i = 0; i < m; i++) inverse[i * m + i] = 1
      backend().triangularSolve(false, m, m, W, m, inverse, m)
      const single = new Float32Array(inverse)
      for (let first = 0; first < n; first += ROWS) {
        const count = Math.min(ROWS, n - first)
        const C = B.slice(first * m, (first + count) * m)
        backend().gemm(false, true, count, m, m, 1, C, m, single, m, 0, B.subarray(first * m), m)
      }
      backend().syrk(true, m, n, 1, B, m, 0, gram, m)
      let rest = 0
      if (e)
        sketched.diagonal(blocks, weights).forEach((entry, r) => {
          rest += e[r]! * e[r]! * entry
        })
      else
        blocks.forEach((b, i) => {
          rest += weights[i]! * sketched.traces[b]!
        })
      for (let i = 0; i < m; i++) rest -= gram[i * m + i]!
      missed = Math.max(0, rest) / Math.max(1, n - m)
    },
    solve(v, t = 1) {
      factor(t)
      const single = new Float32Array(v)
      const inner = new Float32Array(m)
      backend().gemv(true, n, m, t, B, m, single, 0, inner)
      const x = Float64Array.from(inner)
      solveTriangle(true, m, L, solveTriangle(false, m, L, x))
      const back = new Float32Array(n)
      backend().gemv(false, n, m, 1, B, m, new Float32Array(x), 0, back)
      const out = v.slice()
      for (let r = 0; r < n; r++) out[r] = (out[r]! - back[r]!) / (1 + t * missed)
      return out
    },
    hessian(blocks, vectors) {
      factor(1)
      const f = blocks.length
      const Z = new Float32Array(maps.images(blocks, vectors))
      if (scales) for (let i = 0, at = 0; i < f; i++) for (let r = 0; r < n; r++) Z[at++]! *= scales[r]!
      const ZZ = new Float32Array(f * f)
      backend().gemm(false, true, f, f, n, 1, Z, n, Z, n, 0, ZZ, f)
      const BZ = new Float32Array(m * f)
      backend().gemm(true, true, m, f, n, 1, B, m, Z, n, 0, BZ, f)
      const T = new Float64Array(BZ)
      backend().triangularSolve(false, m, f, L, m, T, f)
      const H = new Float64Array(f * f)
      backend().syrk(true, f, m, -1, T, f, 0, H, f)
      for (let i = 0; i < f; i++)
        for (let j = 0; j <= i; j++) {
          H[i * f + j] = (H[i * f + j]! + ZZ[i * f + j]!) / (1 + missed)
          H[j * f + i] = H[i * f + j]!
        }
      return H
    },
  }
}
