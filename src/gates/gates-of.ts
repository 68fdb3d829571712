import { backend } from '../numerics/backends/index.ts'
import { type BitColumns, bitColumns, selectColumns, setBit } from '../numerics/bits.ts'
import { blockNorm } from '../numerics/blocks.ts'
import { type Rows, rowBlock } from '../numerics/compact-matrix.ts'
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

/** A column a neuron: the rows that are on, and those that may be counted either way. */
export interface Patterns {
  readonly on: BitColumns
  readonly free: BitColumns
}

/** The patterns 1[X w + b > 0] with rows within `tolerance` of a boundary marked as free to go either way. X is read once, a block at a time. */
export function patternsWithSlack(X: Rows, { W1, b1 }: { W1: Matrix; b1: Vector }, tolerance: number): Patterns {
  const { rows: n, columns: d } = X
  const width = W1.rows
  const on = bitColumns(n, width)
  const free = bitColumns(n, width)
  const lengths = Float64Array.from({ length: width }, (_, j) => Math.hypot(blockNorm(W1.data, j * d, d), b1[j]!))
  const scratch = new Float64Array(Math.min(n, BLOCK) * d)
  const products = new Float64Array(Math.min(n, BLOCK) * width)
  for (let first = 0; first < n; first += BLOCK) {
    const rows = Math.min(BLOCK, n - first)
    const block = rowBlock(X, first, rows, scratch)
    backend().gemm(false, true, rows, width, d, 1, block, d, W1.data, d, 0, products, width)
    for (let r = 0; r < rows; r++) {
      const size = blockNorm(block, r * d, d)
      for (let j = 0; j < width; j++) {
        const product = products[r * width + j]! + b1[j]!
        const length = b1[j] === 0 ? size : Math.hypot(size, 1)
        if (Math.abs(product) <= tolerance * length * lengths[j]!) setBit(free, first + r, j)
        else if (product > 0) setBit(on, first + r, j)
      }
    }
  }
  return { on, free }
}

/** Rows of X that are read at a time. */
const BLOCK = 1024
