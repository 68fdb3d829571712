import type { Backend, Floats } from '../../backend.ts'
import { scaleRows } from '../js/gemm.ts'
import { js } from '../js.ts'
import type { Address, Engine } from './engine.ts'
import { multiplyAdd, multiplyAddBeside } from './parallel.ts'

/** Most bytes of one operand that are copied in at once; larger ones go piece by piece. */
const PIECE = 2 ** 26

/** Most bytes of one operand that is copied in whole: beyond, the work is done in pieces. */
const LARGEST = 2 ** 29

/** What an entry takes to be copied in and out, in multiplications. */
const COPY = 10

/** The products and factorisations whose operands are copied into the module's memory and back, where that is repaid. */
export function dense(
  engineOf: () => Engine,
  everything: boolean,
): Pick<Backend, 'gemm' | 'syrk' | 'cholesky' | 'triangularSolve'> {
  /** By the multiplications done and the entries copied. */
  const pays = (m: number, n: number, k: number): boolean => {
    const products = m * n * k
    return everything ? products > 0 : products >= 4096 && products >= 4 * (m * k + k * n + m * n)
  }
  return {
    gemm(transposeA, transposeB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc) {
      if (!pays(m, n, k)) return js.gemm(transposeA, transposeB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc)
      // At beta = 0 what C holds is overwritten in the end.
      if (beta !== 0 || alpha === 0) scaleRows(m, n, beta, C, ldc)
      if (alpha === 0) return
      const engine = engineOf()
      const { entry } = engine.typed(A)
      const most = Math.max(1, Math.floor(PIECE / (entry * k)))
      const mPiece = Math.min(m, most, 4096)
      const nPiece = Math.min(n, most, Math.floor(PIECE / (entry * mPiece)))
      const a = engine.room('A', mPiece * k * entry)
      const b = engine.room('B', nPiece * k * entry)
      const c = engine.room('C', mPiece * nPiece * entry)
      for (let j = 0; j < n; j += nPiece) {
        const columns = Math.min(nPiece, n - j)
        putPart(engine, b, B, ldb, transposeB, j, columns, k)
        const bStride = (transposeB ? k : columns) * entry
        for (let i = 0; i < m; i += mPiece) {
          const rows = Math.min(mPiece, m - i)
          putPart(engine, a, A, lda, !transposeA, i, rows, k)
          const aStride = (transposeA ? rows : k) * entry
          const part = C.subarray(i * ldc + j)
          if (beta === 0) engine.clear(c, rows * columns * entry)
          else engine.put(c, part, rows, columns, ldc)
          const [tA, tB] = [+transposeA, +transposeB]
          const own = (COPY * (rows * k + 2 * rows * columns + (i === 0 ? columns * k : 0))) / (rows * columns * k)
          multiplyAddBeside(
            engine,
            entry,
            own,
            tA,
            tB,
            rows,
            columns,
            k,
            alpha,
            a,
            aStride,
            b,
            bStride,
            c,
            columns * entry,
            0,
          )
          engine.take(c, part, rows, columns, ldc)
        }
      }
    },
    syrk(transpose, n, k, alpha, A, lda, beta, C, ldc) {
      const entry = A.BYTES_PER_ELEMENT
      if (!pays(n, n, k) || entry * n * Math.max(n, k) > LARGEST)
        return js.syrk(transpose, n, k, alpha, A, lda, beta, C, ldc)
      for (let i = 0; i < n; i++) scaleRows(1, i + 1, beta, C.subarray(i * ldc), 0)
      if (alpha === 0) return
      const engine = engineOf()
      const a = engine.room('A', n * k * entry)
      const c = engine.room('C', n * n * entry)
      engine.put(a, A, transpose ? k : n, transpose ? n : k, lda)
      engine.putLower(c, C, n, n, ldc)
      const stride = (transpose ? n : k) * entry
      const kind = engine.typed(A).entry
      multiplyAdd(engine, kind, +transpose, +!transpose, n, n, k, alpha, a, stride, a, stride, c, n * entry, 1)
      engine.takeLower(c, C, n, n, ldc)
    },
    cholesky(n, A, lda) {
      const entry = A.BYTES_PER_ELEMENT
      if (!pays(n, n, n / 8) || entry * n * n > LARGEST) return js.cholesky(n, A, lda)
      const engine = engineOf()
      const work = engine.room('packed 0', engine.kernels.packedBytes())
      const a = engine.room('C', n * n * entry)
      engine.putLower(a, A, n, n, lda)
      const done = engine.typed(A).factor(n, a, n * entry, work)
      engine.takeLower(a, A, n, n, lda)
      return done
    },
    triangularSolve(transpose, n, m, L, ldl, B, ldb) {
      const entry = L.BYTES_PER_ELEMENT
      if (!pays(n, n / 2, m) || entry * n * Math.max(n, m) > LARGEST)
        return js.triangularSolve(transpose, n, m, L, ldl, B, ldb)
      const engine = engineOf()
      const { solveLower, solveUpper } = engine.typed(L)
      const work = engine.room('packed 0', engine.kernels.packedBytes())
      const l = engine.room('C', n * n * entry)
      const b = engine.room('B', n * m * entry)
      engine.putLower(l, L, n, n, ldl)
      engine.put(b, B, n, m, ldb)
      const solve = transpose ? solveUpper : solveLower
      solve(n, m, l, n * entry, b, m * entry, work)
      engine.take(b, B, n, m, ldb)
    },
  }
}

/** Copies in lines first .. first + lines - 1 of k entries each, which lie along rows or along columns. */
function putPart(
  engine: Engine,
  to: Address,
  from: Floats,
  ld: number,
  alongRows: boolean,
  first: number,
  lines: number,
  k: number,
): void {
  if (alongRows) engine.put(to, from.subarray(first * ld), lines, k, ld)
  else engine.put(to, from.subarray(first), k, lines, ld)
}
