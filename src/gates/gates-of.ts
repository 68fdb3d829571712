import { type BitColumns, bitColumns, selectColumns, setBit } from '../numerics/bits.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import type { Matrix, Vector } from '../types.ts'
import { type Gates, patternKey, patternsOf } from './gates.ts'

/**
 * The activation patterns that a network's neurons have on X, each once; with `also`, those gates first and then what
 * they lack: what a program needs so that the network is one of its points.
 *
 * @throws RangeError when X has another number of columns than the network reads, or an entry that is not finite.
 */
export function gatesOf(network: { W1: Matrix; b1: Vector }, X: MatrixLike, also?: Gates): Gates {
  const rows = asMatrix(X, 'gatesOf', 'X')
  const { W1, b1 } = network
  if (rows.columns !== W1.columns)
    throw new RangeError(`gatesOf: X has ${rows.columns} columns and the network reads ${W1.columns}; pass its data.`)
  requireFinite(rows, 'gatesOf', 'X')
  const bias = (also?.bias ?? false) || b1.some((entry) => entry !== 0)
  const sources: Vector[] = []
  const take = (vectors: Matrix, offset: (i: number) => number): void => {
    for (let i = 0; i < vectors.rows; i++) {
      const vector = new Float64Array(W1.columns + (bias ? 1 : 0))
      vector.set(vectors.data.subarray(i * vectors.columns, i * vectors.columns + W1.columns))
      if (bias) vector[W1.columns] = offset(i)
      sources.push(vector)
    }
  }
  if (also) take(also.vectors, (i) => (also.bias ? also.vectors.data[(i + 1) * also.vectors.columns - 1]! : 0))
  const given = sources.length
  take(W1, (i) => b1[i]!)
  const vectors = matrix(sources.length, W1.columns + (bias ? 1 : 0))
  sources.forEach((vector, i) => {
    vectors.data.set(vector, i * vectors.columns)
  })
  const patterns = merged(patternsOf(vectors, rows), also?.patterns)
  const seen = new Set<string>()
  const kept: number[] = []
  for (let i = 0; i < vectors.rows; i++) {
    const key = patternKey(patterns, i)
    if (i >= given && seen.has(key)) continue
    seen.add(key)
    kept.push(i)
  }
  const chosen = matrix(kept.length, vectors.columns)
  kept.forEach((i, k) => {
    chosen.data.set(sources[i]!, k * vectors.columns)
  })
  return {
    vectors: chosen,
    patterns: selectColumns(patterns, kept),
    count: kept.length,
    bias,
    // Offsets reach patterns that gates without them do not.
    exhaustive: (also?.exhaustive ?? false) && bias === also?.bias,
  }
}

/** The patterns, with those that were given as they were given. */
function merged(patterns: BitColumns, given?: BitColumns): BitColumns {
  if (given) patterns.words.set(given.words)
  return patterns
}

/** The pattern 1[X w + b > 0] with rows within `tolerance` of the boundary marked as free to go either way. */
export function patternWithSlack(
  X: Matrix,
  w: Vector,
  b: number,
  tolerance: number,
): { on: BitColumns; free: BitColumns } {
  const on = bitColumns(X.rows, 1)
  const free = bitColumns(X.rows, 1)
  const d = X.columns
  let length = b * b
  for (let j = 0; j < d; j++) length += w[j]! * w[j]!
  for (let r = 0; r < X.rows; r++) {
    let product = b
    let size = b === 0 ? 0 : 1
    for (let j = 0; j < d; j++) {
      product += X.data[r * d + j]! * w[j]!
      size += X.data[r * d + j]! ** 2
    }
    if (Math.abs(product) <= tolerance * Math.sqrt(size * length)) setBit(free, r, 0)
    else if (product > 0) setBit(on, r, 0)
  }
  return { on, free }
}
