import type { Matrix } from '../types.ts'

/** out <- A B' */
export function timesTransposed(A: Matrix, B: Matrix, out: Matrix): Matrix {
  gemm(false, true, A.rows, B.rows, A.columns, 1, A.data, A.columns, B.data, B.columns, 0, out.data, out.columns)
  return out
}

/** out <- A B */
export function times(A: Matrix, B: Matrix, out: Matrix): Matrix {
  gemm(false, false, A.rows, B.columns, A.columns, 1, A.data, A.columns, B.data, B.columns, 0, out.data, out.columns)
  return out
}

/** out <- A' B */
export function transposedTimes(A: Matrix, B: Matrix, out: Matrix): Matrix {
  gemm(true, false, A.columns, B.columns, A.rows, 1, A.data, A.columns, B.data, B.columns, 0, out.data, out.columns)
  return out
}

function gemm(
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  alpha: number,
  A: Float64Array,
  lda: number,
  B: Float64Array,
  ldb: number,
  beta: number,
  C: Float64Array,
  ldc: number,
): void {
  for (let i = 0; i < m; i++) {
    const row = C.subarray(i * ldc, i * ldc + n)
    if (beta === 0) row.fill(0)
    else if (beta !== 1) for (let j = 0; j < n; j++) row[j]! *= beta
    for (let l = 0; l < k; l++) {
      const a = alpha * A[transposeA ? l * lda + i : i * lda + l]!
      if (a === 0) continue
      if (transposeB) for (let j = 0; j < n; j++) row[j]! += a * B[j * ldb + l]!
      else for (let j = 0; j < n; j++) row[j]! += a * B[l * ldb + j]!
    }
  }
}
