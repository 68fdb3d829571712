import type { Backend } from '../backend.ts'
import { findLibrary, LEFT, type Library, LOWER, NO_TRANSPOSE, NON_UNIT, ROW_MAJOR, TRANSPOSE } from './blas/library.ts'
import { gatedKernel } from './js/gated.ts'
import { scaleRows } from './js/gemm.ts'
import { js } from './js.ts'
import { wasm, wasmWorks } from './wasm.ts'

/**
 * The system's BLAS and LAPACK through koffi, on the arrays where they are. The gated kernel's passes are not dense
 * products, and stay in the module, which is faster at them; its n x n factors are made there and factored and solved with by
 * the library, in the module's memory.
 *
 * @returns the backend, or why there is none.
 */
export function blas({ threads = 1 }: { threads?: number } = {}): Backend | string {
  const library = findLibrary(threads)
  if (typeof library === 'string') return library
  const dense = products(library)
  // Products of masked panels are as fast as looked-up sums here.
  const { gatedRows: _, ...base } = wasmWorks() ? wasm({ threads }) : js
  const factoring = factorisations(library, base)
  return {
    ...base,
    ...dense,
    ...factoring,
    name: 'blas',
    description: `BLAS from ${library.path}`,
    threads,
    gated:
      base.name === 'wasm'
        ? wasm({ threads, dense: { ...dense, ...factoring } }).gated
        : (X, columns, patterns) => gatedKernel(dense, X, columns, patterns),
  }
}

const transposed = (yes: boolean): number => (yes ? TRANSPOSE : NO_TRANSPOSE)

function products({ gemm, gemv, syrk, trsm }: Library): Pick<Backend, 'gemm' | 'gemv' | 'syrk' | 'triangularSolve'> {
  return {
    gemm(transposeA, transposeB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc) {
      if (m === 0 || n === 0) return
      if (k === 0) return scaleRows(m, n, beta, C, ldc)
      const product = A instanceof Float64Array ? gemm.double : gemm.single
      product(ROW_MAJOR, transposed(transposeA), transposed(transposeB), m, n, k, alpha, A, lda, B, ldb, beta, C, ldc)
    },
    gemv(transpose, m, n, alpha, A, lda, x, beta, y) {
      // Not every BLAS takes beta = 0 for "not read".
      scaleRows(1, transpose ? n : m, beta, y, 0)
      if (m === 0 || n === 0) return
      const product = A instanceof Float64Array ? gemv.double : gemv.single
      product(ROW_MAJOR, transposed(transpose), m, n, alpha, A, lda, x, 1, 1, y, 1)
    },
    syrk(transpose, n, k, alpha, A, lda, beta, C, ldc) {
      if (n === 0) return
      if (k === 0) for (let i = 0; i < n; i++) scaleRows(1, i + 1, beta, C.subarray(i * ldc), 0)
      else
        (A instanceof Float64Array ? syrk.double : syrk.single)(
          ROW_MAJOR,
          LOWER,
          transposed(transpose),
          n,
          k,
          alpha,
          A,
          lda,
          beta,
          C,
          ldc,
        )
    },
    triangularSolve(transpose, n, m, L, ldl, B, ldb) {
      if (n === 0 || m === 0) return
      const solve = L instanceof Float64Array ? trsm.double : trsm.single
      solve(ROW_MAJOR, LEFT, LOWER, transposed(transpose), NON_UNIT, n, m, 1, L, ldl, B, ldb)
    },
  }
}

/** LAPACK counts columns first: our lower triangle is its upper one. */
function factorisations(
  { potrf, syevd }: Library,
  base: Pick<Backend, 'cholesky' | 'symmetricEigen'>,
): Pick<Backend, 'cholesky' | 'symmetricEigen'> {
  return {
    cholesky(n, A, lda) {
      if (!potrf || n === 0) return base.cholesky(n, A, lda)
      const info = [0]
      const factor = A instanceof Float64Array ? potrf.double : potrf.single
      factor('U', [n], A, [lda], info, 1)
      if (info[0]! > 0) return info[0]! - 1
      // Some let NaN pass for positive.
      for (let i = 0; i < n; i++) if (!(A[i * lda + i]! < Number.POSITIVE_INFINITY)) return i
      return n
    },
    symmetricEigen(n, A, lda) {
      if (!syevd || n === 0) return base.symmetricEigen(n, A, lda)
      const vectors = new Float64Array(n * n)
      for (let i = 0; i < n; i++) vectors.set(A.subarray(i * lda, i * lda + i + 1), i * n)
      const values = new Float64Array(n)
      const [work, integers] = [new Float64Array(1 + 6 * n + 2 * n * n), new Int32Array(3 + 5 * n)]
      const info = [0]
      syevd('V', 'U', [n], vectors, [n], values, work, [work.length], integers, [integers.length], info, 1, 1)
      return info[0] === 0 ? { values, vectors } : base.symmetricEigen(n, A, lda)
    },
  }
}
