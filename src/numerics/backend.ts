import type { KernelFactor } from '../types.ts'
import type { BitColumns } from './bits.ts'
import type { ConeProjection } from './cone-projection.ts'

/** Numbers in float64, or in float32 where speed is asked for: one call takes arrays of one kind. */
export type Floats = Float64Array | Float32Array

/** The backends there are. */
export type BackendName = 'js' | 'wasm' | 'blas'

/**
 * The verbs everything hot is written in, in the order and with the names of the BLAS.
 *
 * Matrices are row-major with a stride: entry (i, j) of A is `A[i * lda + j]`, and a part of a matrix is a `subarray` with
 * the stride of the whole. What is written to must not overlap what is read. Symmetric matrices are their lower
 * triangles: the rest is neither read nor written. Nothing is checked: sizes are the caller's business.
 */
export interface Backend {
  readonly name: BackendName
  /** What computes, in words, as `cvxnn info` prints it. */
  readonly description: string
  /** Threads that large products are divided among; one unless more were asked for. */
  readonly threads: number
  /** C <- alpha op(A) op(B) + beta C, with op(A) of m x k, op(B) of k x n and op a transposition where asked for. At beta = 0, C is not read. */
  gemm<T extends Floats>(
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    alpha: number,
    A: T,
    lda: number,
    B: T,
    ldb: number,
    beta: number,
    C: T,
    ldc: number,
  ): void
  /** y <- alpha A x + beta y, or alpha A'x + beta y when `transpose`; A is m x n. At beta = 0, y is not read. */
  gemv<T extends Floats>(
    transpose: boolean,
    m: number,
    n: number,
    alpha: number,
    A: T,
    lda: number,
    x: T,
    beta: number,
    y: T,
  ): void
  /** The lower triangle of C <- alpha A A' + beta C with A of n x k, or of alpha A'A + beta C with A of k x n when `transpose`. */
  syrk<T extends Floats>(
    transpose: boolean,
    n: number,
    k: number,
    alpha: number,
    A: T,
    lda: number,
    beta: number,
    C: T,
    ldc: number,
  ): void
  /**
   * A = L L', L over A's lower triangle.
   *
   * @returns n when A is positive definite; else the first pivot that is not positive, counted from 0, and A is spoilt.
   */
  cholesky(n: number, A: Floats, lda: number): number
  /** B <- L^-1 B, or L'^-1 B when `transpose`, for B of n x m: one right-hand side a column. */
  triangularSolve<T extends Floats>(
    transpose: boolean,
    n: number,
    m: number,
    L: T,
    ldl: number,
    B: T,
    ldb: number,
  ): void
  /** A = sum_i values_i v_i v_i' with v_i in row i of `vectors` (n x n), values ascending; A's lower triangle is read. */
  symmetricEigen(n: number, A: Float64Array, lda: number): SymmetricEigen
  /** a'b */
  dot<T extends Floats>(a: T, b: T): number
  /** out_b <- |u_b|_2 over consecutive blocks of `size` entries. */
  blockNorms<T extends Floats>(u: T, size: number, out: T): void
  /** out_b <- max(0, 1 - step / |v_b|) v_b over consecutive blocks of `size` entries: the prox of step * sum_b |u_b|; `out` may be v. */
  shrinkBlocks<T extends Floats>(v: T, size: number, step: number, out: T): void
  /** The products of [D_1 X ... D_P X] for X of patterns.rows x columns. X and the patterns must stay as they are. */
  gated<T extends Floats>(X: T, columns: number, patterns: BitColumns): GatedKernel<T>
  /** Projections onto the cones of unit rows (signs.rows x d) and columns of signs, + where a bit is set. Rows and signs must stay as they are. */
  cones(unit: Float64Array, d: number, signs: BitColumns): ConeProjection
  /** The passes of `gated` for X that is read a block of rows at a time; left out where products of masked panels are as fast. */
  gatedRows?<T extends Floats>(X: RowSource<T>, columns: number, patterns: BitColumns): GatedPasses<T>
}

/** Where rows of X come from: rows first .. first + count - 1, valid until the next call. */
export type RowReader<T extends Floats> = (first: number, count: number) => T

/** X by its rows. */
export interface RowSource<T extends Floats> {
  readonly read: RowReader<T>
  /** Makes zeros of the kind that is read. */
  readonly floats: (length: number) => T
  /** Whether the rows may be read once and kept; else they are read in every pass. */
  readonly kept: boolean
}

/** S = V diag(values) V' of a symmetric matrix. */
export interface SymmetricEigen {
  readonly values: Float64Array
  /** One eigenvector a row. */
  readonly vectors: Float64Array
}

/**
 * The passes of A = [D_1 X ... D_P X], D_i = diag of the i-th 0/1 pattern, X of n x d, none of it formed.
 *
 * Coefficients are blocks of d entries, one per gate and output: `outputs` blocks a gate, gate after gate. A fit is
 * n x outputs. What is written to is overwritten.
 */
export interface GatedPasses<T extends Floats = Float64Array> {
  /** out[:, k] <- sum_i D_i X u_{i,k}; blocks that are exactly zero cost nothing. */
  apply(u: T, outputs: number, out: T): void
  /** out_{i,k} <- X' D_i p[:, k] */
  adjoint(p: T, outputs: number, out: T): void
  /** Row i of out (m x n) <- D_{chosen_i} X v_i with v_i in row i of `vectors` (m x d). */
  images(chosen: Int32Array, vectors: T, out: T): void
  /** Row i of out (m x d) <- X' D_{chosen_i} p. */
  correlations(chosen: Int32Array, p: T, out: T): void
  /** The same X with these gates only, in this order, sharing what is kept. */
  select(chosen: Int32Array): GatedPasses<T>
}

/** The passes, and products of two blocks. */
export interface GatedKernel<T extends Floats = Float64Array> extends GatedPasses<T> {
  /** Lower triangle of out (n x n) <- sum_i weights_i D_{chosen_i} X X' D_{chosen_i}. */
  kernel(chosen: Int32Array, weights: T, out: T): void
  /** See `BlockMaps.factor`; up to `most` stand at a time. */
  factor?(most: number, rowScales?: Float64Array): KernelFactor
  /** out (d x d) <- X' D_b D_c X, both triangles. */
  gram(b: number, c: number, out: T): void
  select(chosen: Int32Array): GatedKernel<T>
}
