import type { ActiveSpan } from './active-span.ts'

/** Projections onto the cones K_i = { u : s_ik x_k'u >= 0 for all k } of unit rows x_k and signs s_ik. */
export interface ConeProjection {
  /**
   * Writes the projection of v[start ..] onto the cone of column `gate` of the signs, or of some of its rows (`candidates`;
   * null for all), to out[outStart ..] and returns its norm. `active`, the rows that hold with equality, is read as a first
   * guess and left as found.
   *
   * Where the norm is at most `enough` (default: never), the work may end early, with an upper bound of the norm that is
   * itself at most `enough`, and in out a point that long, v plus a normal, that need not lie in the cone.
   */
  project(
    gate: number,
    candidates: Int32Array | null,
    v: Float64Array,
    start: number,
    out: Float64Array,
    outStart: number,
    active: ActiveRows,
    enough?: number,
  ): number
  /** An orthonormal basis (rows) of what is orthogonal to the active rows. Lent. */
  face(gate: number, active: ActiveRows): Float64Array
}

/** Rows that hold with equality, between calls: a warm start. */
export interface ActiveRows {
  rows: Int32Array
  count: number
  /** Whether their factors are kept as well. */
  readonly keepBasis: boolean
  /** Factors that are kept, where TypeScript made them. */
  basis?: ActiveSpan | undefined
  /** Factors that are kept, where a module has them in its memory. */
  place?: object | undefined
}

/** No rows yet. Keeping the basis saves p^2 d flops a projection of p rows and costs 16 d^2 bytes. */
export function activeRows(dimension: number, keepBasis = false): ActiveRows {
  return { rows: new Int32Array(dimension), count: 0, keepBasis }
}
