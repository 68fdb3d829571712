import { multiply } from '../numerics/active-span.ts'
import { backend } from '../numerics/backends/index.ts'
import { type BitColumns, isSet, selectRows } from '../numerics/bits.ts'
import { blockNorm } from '../numerics/blocks.ts'
import { type ActiveRows, activeRows } from '../numerics/cone-projection.ts'
import type { Matrix, Vector } from '../types.ts'

/**
 * The cones K_i = { u : (2 D_i - I) X u >= 0 }, one per activation pattern: the u for which D_i X u = (X u)_+.
 *
 * Rows of X are scaled to norm one, which leaves the cones as they are; zero rows constrain nothing and are left out.
 */
export interface ActivationCones {
  /** Number of features. */
  readonly dimension: number
  /** Rows that constrain. */
  readonly rows: number
  /** Number of cones. */
  readonly count: number
  /**
   * Writes the Euclidean projection of v[start ..] onto the cone of `gate` to out[outStart ..] and returns its norm.
   * `active`, the constraints that hold with equality, is read as a first guess and left as found.
   *
   * Where the norm is at most `enough` (default: never), the work may end early, with an upper bound of the norm that is
   * itself at most `enough`, and in out a point that long, v plus a normal, that need not lie in the cone.
   */
  project(
    gate: number,
    v: Vector,
    start: number,
    out: Vector,
    outStart: number,
    active: ActiveRows,
    enough?: number,
  ): number
  /** An orthonormal basis (rows) of what is orthogonal to the active rows: the span of the face they cut out. Lent. */
  face(gate: number, active: ActiveRows): Vector
  /** max_r (-s_r x_r'u)_+ over the unit rows x_r: how far u[start ..] is outside. */
  violation(gate: number, u: Vector, start: number): number
  /**
   * Norm of the projection of v[start ..] onto the cone's tangent cone at u[uStart ..], which is the distance from v to
   * the normal cone there.
   */
  distanceToNormals(gate: number, u: Vector, uStart: number, v: Vector, start: number): number
  /** s_r x_r'u for every row, s_r = +1 where the pattern is on and -1 where it is off. */
  slacks(gate: number, u: Vector, start: number, out: Vector, outStart: number): void
  /** out += sum_r rho_r s_r x_r */
  combine(gate: number, rho: Vector, rhoStart: number, out: Vector, outStart: number): void
}

/** Rows this close to the boundary, relative to the point, count as active there. */
const BOUNDARY = 1e-9

/** The cones of X's patterns; how projections are found is said in numerics/backends/js/cone-projection.ts. */
export function activationCones(X: Matrix, patterns: BitColumns): ActivationCones {
  const d = X.columns
  const { unit, source } = unitRows(X)
  const n = source.length
  const signs = n === patterns.rows ? patterns : selectRows(patterns, source)
  const { project, face } = backend().cones(unit, d, signs)
  const products = new Float64Array(n)
  const scratch = new Float64Array(d)
  const fresh = activeRows(d)

  /** products_k <- s_k x_k'u */
  const multiplyRows = (gate: number, u: Vector, start: number): Vector => {
    multiply(unit, n, d, u, start, products)
    for (let k = 0; k < n; k++) if (!isSet(signs, k, gate)) products[k] = -products[k]!
    return products
  }

  return {
    dimension: d,
    rows: n,
    count: patterns.count,
    project: (gate, v, start, out, outStart, active, enough) =>
      project(gate, null, v, start, out, outStart, active, enough),
    face,
    violation(gate, u, start) {
      let worst = 0
      for (const slack of multiplyRows(gate, u, start)) if (slack < -worst) worst = -slack
      return worst
    },
    distanceToNormals(gate, u, uStart, v, start) {
      const boundary = BOUNDARY * blockNorm(u, uStart, d)
      const touching: number[] = []
      multiplyRows(gate, u, uStart).forEach((slack, k) => {
        if (slack <= boundary) touching.push(k)
      })
      // Near a solution they all hold with equality, and then nothing is left to search for.
      fresh.count = Math.min(touching.length, d)
      for (let k = 0; k < fresh.count; k++) fresh.rows[k] = touching[k]!
      return project(gate, Int32Array.from(touching), v, start, scratch, 0, fresh)
    },
    slacks(gate, u, start, out, outStart) {
      out.set(multiplyRows(gate, u, start), outStart)
    },
    combine(gate, rho, rhoStart, out, outStart) {
      for (let k = 0; k < n; k++) {
        const weight = rho[rhoStart + k]!
        if (weight === 0) continue
        const signed = isSet(signs, k, gate) ? weight : -weight
        for (let j = 0; j < d; j++) out[outStart + j]! += signed * unit[k * d + j]!
      }
    },
  }
}

/** The non-zero rows of X over their norms, and which rows of X they were. */
function unitRows(X: Matrix): { unit: Vector; source: Int32Array } {
  const { rows, columns: d, data } = X
  const kept: number[] = []
  const unit = new Float64Array(rows * d)
  for (let r = 0; r < rows; r++) {
    let largest = 0
    for (let j = 0; j < d; j++) largest = Math.max(largest, Math.abs(data[r * d + j]!))
    if (largest === 0) continue
    let total = 0
    for (let j = 0; j < d; j++) total += (data[r * d + j]! / largest) ** 2
    const length = largest * Math.sqrt(total)
    for (let j = 0; j < d; j++) unit[kept.length * d + j] = data[r * d + j]! / length
    kept.push(r)
  }
  return { unit: unit.slice(0, kept.length * d), source: Int32Array.from(kept) }
}
