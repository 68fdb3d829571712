import { type BitColumns, bitColumns, setBit } from '../numerics/bits.ts'
import { type Rows, rowBlock } from '../numerics/compact-matrix.ts'
import { transpose } from '../numerics/products.ts'
import type { Matrix } from '../types.ts'

/** A set of gate vectors with the activation patterns they make on some X. */
export interface Gates {
  /** One gate per row: count x d, or count x (d + 1) with the offset last when `bias`. */
  readonly vectors: Matrix
  /** D_i = diag(1[X g_i >= 0]): column i, packed at one bit per row of X. */
  readonly patterns: BitColumns
  readonly count: number
  /** Whether the last entry of each vector is an offset: 1[x'g + g_0 >= 0]. */
  readonly bias: boolean
  /** Whether these are all patterns of X: then a lower bound holds for the network of any width. */
  readonly exhaustive: boolean
}

/** The patterns 1[X g + g_0 >= 0] of gates given as rows (d entries, or d + 1 with the offset last). */
export function patternsOf(vectors: Matrix, X: Rows): BitColumns {
  const { rows: count, columns: width } = vectors
  const { rows: n, columns: d } = X
  const patterns = bitColumns(n, count)
  // One feature of all gates after the other: the sums of a row are then made side by side, each in the order of gateValue.
  const across = transpose(vectors.data, count, width)
  const sums = new Float64Array(count)
  const scratch = new Float64Array(Math.min(n, BLOCK) * d)
  for (let first = 0; first < n; first += BLOCK) {
    const rows = Math.min(BLOCK, n - first)
    const block = rowBlock(X, first, rows, scratch)
    for (let r = 0; r < rows; r++) {
      sums.fill(0)
      for (let j = 0; j < d; j++) {
        const entry = block[r * d + j]!
        // Adding a zero changes no sum.
        if (entry !== 0) for (let i = 0, g = j * count; i < count; i++, g++) sums[i]! += entry * across[g]!
      }
      for (let i = 0; i < count; i++)
        if (sums[i]! + (width > d ? across[d * count + i]! : 0) >= 0) setBit(patterns, first + r, i)
    }
  }
  return patterns
}

/** Rows of X that are read at a time. */
const BLOCK = 256

/** Sets column `column` of `patterns`, which must be zero, to the pattern of gate `i`. */
export function markPattern(patterns: BitColumns, column: number, X: Matrix, vectors: Matrix, i: number): void {
  const d = X.columns
  const gate = i * vectors.columns
  const offset = vectors.columns > d ? vectors.data[gate + d]! : 0
  for (let r = 0; r < X.rows; r++)
    if (gateValue(X.data, r * d, vectors.data, gate, d) + offset >= 0) setBit(patterns, r, column)
}

/** x'g, summed in one fixed order: training and prediction must agree on the sign to the last bit. */
export function gateValue(x: Float64Array, row: number, g: Float64Array, gate: number, d: number): number {
  let total = 0
  for (let j = 0; j < d; j++) total += x[row + j]! * g[gate + j]!
  return total
}

/** The words of one pattern as a map key. */
export function patternKey(patterns: BitColumns, column: number): string {
  const start = column * patterns.stride
  const units = new Uint16Array(patterns.words.slice(start, start + patterns.stride).buffer)
  let key = ''
  // In pieces that fit a call's arguments.
  for (let k = 0; k < units.length; k += 8192) key += String.fromCharCode(...units.subarray(k, k + 8192))
  return key
}
