import type { Floats } from '../../backend.ts'
import { gemm, scaleRows } from './gemm.ts'

/** y <- alpha op(A) x + beta y, four rows at a time so that each entry of x or y is touched once for four. */
export function gemv<T extends Floats>(
  transpose: boolean,
  m: number,
  n: number,
  alpha: number,
  A: T,
  lda: number,
  x: T,
  beta: number,
  y: T,
): void {
  scaleRows(1, transpose ? n : m, beta, y, 0)
  let i = 0
  for (; i + 4 <= m; i += 4) {
    const a = i * lda
    const b = a + lda
    const c = b + lda
    const d = c + lda
    if (transpose) {
      const xa = alpha * x[i]!
      const xb = alpha * x[i + 1]!
      const xc = alpha * x[i + 2]!
      const xd = alpha * x[i + 3]!
      for (let j = 0; j < n; j++) y[j]! += xa * A[a + j]! + xb * A[b + j]! + (xc * A[c + j]! + xd * A[d + j]!)
      continue
    }
    let sa = 0
    let sb = 0
    let sc = 0
    let sd = 0
    for (let j = 0; j < n; j++) {
      const xj = x[j]!
      sa += A[a + j]! * xj
      sb += A[b + j]! * xj
      sc += A[c + j]! * xj
      sd += A[d + j]! * xj
    }
    y[i]! += alpha * sa
    y[i + 1]! += alpha * sb
    y[i + 2]! += alpha * sc
    y[i + 3]! += alpha * sd
  }
  for (; i < m; i++) {
    const a = i * lda
    if (transpose) {
      const xi = alpha * x[i]!
      for (let j = 0; j < n; j++) y[j]! += xi * A[a + j]!
    } else {
      let total = 0
      for (let j = 0; j < n; j++) total += A[a + j]! * x[j]!
      y[i]! += alpha * total
    }
  }
}

/** Rows and columns of the blocks that `syrk` leaves out above the diagonal. */
const BLOCK = 64

const diagonals = { double: new Float64Array(BLOCK * BLOCK), single: new Float32Array(BLOCK * BLOCK) }

/** The lower triangle of C <- alpha op(A) op(A)' + beta C by blocks of rows: what is left of the diagonal is one product. */
export function syrk<T extends Floats>(
  transpose: boolean,
  n: number,
  k: number,
  alpha: number,
  A: T,
  lda: number,
  beta: number,
  C: T,
  ldc: number,
  multiply: typeof gemm = gemm,
): void {
  const diagonal = A instanceof Float64Array ? diagonals.double : diagonals.single
  for (let i0 = 0; i0 < n; i0 += BLOCK) {
    const rows = Math.min(BLOCK, n - i0)
    const lines = A.subarray(transpose ? i0 : i0 * lda) as T
    if (i0 > 0)
      multiply(transpose, !transpose, rows, i0, k, alpha, lines, lda, A, lda, beta, C.subarray(i0 * ldc) as T, ldc)
    multiply(transpose, !transpose, rows, rows, k, alpha, lines, lda, lines, lda, 0, diagonal as T, BLOCK)
    for (let i = 0; i < rows; i++) {
      const to = (i0 + i) * ldc + i0
      scaleRows(1, i + 1, beta, C.subarray(to), 0)
      for (let j = 0; j <= i; j++) C[to + j]! += diagonal[i * BLOCK + j]!
    }
  }
}
