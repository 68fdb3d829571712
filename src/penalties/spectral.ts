import { assemble, type Svd, singularValues } from '../numerics/svd.ts'
import { dot } from '../numerics/vectors.ts'
import type { Vector } from '../types.ts'

/** The sizes of one matrix among consecutive row-major ones. */
export interface MatrixBlocks {
  readonly rows: number
  readonly columns: number
}

/** @throws RangeError when a size is not a positive whole number. */
export function requireSize({ rows, columns }: MatrixBlocks, caller: string): void {
  for (const size of [rows, columns])
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(
        `${caller}: the blocks are ${rows} x ${columns}, expected two positive whole numbers; pass rows and columns.`,
      )
}

/** @throws RangeError when the vector is not a whole number of blocks. */
export function eachBlock(
  u: Vector,
  size: number,
  caller: string,
  visit: (block: Vector, start: number) => void,
): void {
  if (u.length % size !== 0)
    throw new RangeError(
      `${caller}: there are ${u.length} entries and a block has ${size}; pass a whole number of blocks.`,
    )
  for (let start = 0; start < u.length; start += size) visit(u.subarray(start, start + size), start)
}

/** Below this share of the largest, a singular value of a point is rounding of a zero. */
export const NEGLIGIBLE = 1e-11

/** How many singular values are not negligible. */
export function rankOf({ values }: Pick<Svd, 'values'>): number {
  let rank = 0
  while (rank < values.length && values[rank]! > NEGLIGIBLE * values[0]!) rank++
  return rank
}

/** A matrix V seen from the face of the nuclear norm at a point U1 S V1'. */
export interface FaceSplit {
  /** V less the rest below: its part in the tangent space of the face. */
  readonly tangent: Vector
  /** Singular values of the rest (I - U1 U1') V (I - V1 V1'). */
  readonly outside: Vector
  /** U1 V1' */
  readonly center: Vector
  readonly rank: number
}

/** Splits V at the face that a point's singular vectors span. */
export function splitAtFace(at: Svd, V: Vector, { rows, columns }: MatrixBlocks): FaceSplit {
  const rest = V.slice()
  const rank = rankOf(at)
  for (let i = 0; i < rank; i++) removeLeft(rest, at.left.subarray(i * rows, (i + 1) * rows), rows, columns)
  for (let i = 0; i < rank; i++) removeRight(rest, at.right.subarray(i * columns, (i + 1) * columns), rows, columns)
  const ones = at.values.map((_, i) => (i < rank ? 1 : 0))
  return {
    tangent: V.map((value, k) => value - rest[k]!),
    outside: rank < at.count ? singularValues(rest, rows, columns) : new Float64Array(0),
    center: assemble(at, ones, rows, columns),
    rank,
  }
}

/** Euclidean distance from V to height { U1 V1' + W : U1'W = 0, W V1 = 0, |W| <= 1 }. */
export function distanceToFace({ tangent, outside, center }: FaceSplit, height: number): number {
  let total = 0
  for (let k = 0; k < tangent.length; k++) total += (tangent[k]! - height * center[k]!) ** 2
  for (const value of outside) total += Math.max(0, value - height) ** 2
  return Math.sqrt(total)
}

/** The height at which that distance is least: the root of height (rank + #above) = <V, U1 V1'> + sum of those above. */
export function nearestHeight({ tangent, outside, center, rank }: FaceSplit): number {
  let sum = dot(tangent, center)
  let height = rank > 0 ? Math.max(0, sum / rank) : 0
  for (let k = 0; k < outside.length && outside[k]! > height; k++) {
    sum += outside[k]!
    height = Math.max(0, sum / (rank + k + 1))
  }
  return height
}

/** M <- (I - u u') M */
function removeLeft(M: Vector, u: Vector, rows: number, columns: number): void {
  for (let c = 0; c < columns; c++) {
    let along = 0
    for (let r = 0; r < rows; r++) along += u[r]! * M[r * columns + c]!
    for (let r = 0; r < rows; r++) M[r * columns + c]! -= along * u[r]!
  }
}

/** M <- M (I - v v') */
function removeRight(M: Vector, v: Vector, rows: number, columns: number): void {
  for (let r = 0; r < rows; r++) {
    let along = 0
    for (let c = 0; c < columns; c++) along += v[c]! * M[r * columns + c]!
    for (let c = 0; c < columns; c++) M[r * columns + c]! -= along * v[c]!
  }
}
