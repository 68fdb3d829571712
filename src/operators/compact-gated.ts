import type { Floats, GatedPasses, RowReader, RowSource } from '../numerics/backend.ts'
import { backend } from '../numerics/backends/index.ts'
import { type BitColumns, selectColumns, selectRows } from '../numerics/bits.ts'
import { isCompact, type Rows, rowBlock, someRows } from '../numerics/compact-matrix.ts'
import type { BlockMaps, LinearOperator, Vector } from '../types.ts'
import { type BlockedKernel, blockedKernel } from './blocked-kernel.ts'
import { outputByOutput, type PassShape } from './pair-passes.ts'

/** Bytes of X up to which it is kept in float32. */
const KEPT = 2 ** 30

/** The gated operator in float32, which can also be restricted and taken apart. */
export interface CompactGatedOperator extends LinearOperator {
  select(blocks: Int32Array): CompactGatedOperator
  readonly blocks: BlockMaps
  readonly exact: LinearOperator
}

/**
 * A = [D_1 X ... D_P X] in float32 for X of many rows: the map, and the places of its coefficients, of `gatedOperator`.
 *
 * Vectors come in and go out in float64; products are of float32, each with a relative error of about 1e-6. `exact` is the
 * same map in float64, reading X as it is. X is read a block of rows at a time: from a copy in float32 where it is in memory
 * and that takes at most 1 GiB, from X itself elsewhere. A pass costs n d P / 8 looked-up additions an output where the
 * backend sums so, else 2 n d P flops at the speed of its gemm, and n P / 8 bytes of patterns.
 *
 * @throws RangeError when the patterns and X differ in rows.
 */
export function compactGatedOperator(X: Rows, patterns: BitColumns, outputs = 1): CompactGatedOperator {
  if (patterns.rows !== X.rows)
    throw new RangeError(
      `compactGatedOperator: the patterns have ${patterns.rows} rows and X has ${X.rows}; make the gates from the same X.`,
    )
  const kept = !(isCompact(X) && X.streamed) && 4 * X.rows * X.columns <= KEPT
  const single = kernelOf({ read: singleRows(X), floats: singles, kept }, X.columns, patterns)
  const double = kernelOf({ read: doubleRows(X), floats: doubles, kept: false }, X.columns, patterns)
  return over(single, double, X, patterns, outputs)
}

const singles = (length: number): Float32Array => new Float32Array(length)
const doubles = (length: number): Float64Array => new Float64Array(length)

/** The backend's own passes where it has some for rows that are read, and products of panels for the rest. */
function kernelOf<T extends Floats>(source: RowSource<T>, d: number, patterns: BitColumns): BlockedKernel<T> {
  const passes = backend().gatedRows?.(source, d, patterns)
  if (passes) {
    const kernel = blockedKernel(backend(), source.floats, source.read, d, patterns)
    return withPasses(kernel, passes, { floats: source.floats, rows: patterns.rows, size: d })
  }
  const read = source.kept ? keptRows(source, patterns.rows, d) : source.read
  return blockedKernel(backend(), source.floats, read, d, patterns)
}

function withPasses<T extends Floats>(
  kernel: BlockedKernel<T>,
  passes: GatedPasses<T>,
  shape: PassShape<T>,
): BlockedKernel<T> {
  return {
    ...kernel,
    ...passes,
    select: (chosen) => withPasses(kernel.select(chosen), passes.select(chosen), shape),
    pairs: (chosen, outputs, count) => outputByOutput(passes, shape, chosen, outputs, count),
  }
}

/** All rows, read when the first are asked for. */
function keptRows<T extends Floats>({ read }: RowSource<T>, n: number, d: number): RowReader<T> {
  let kept: T | undefined
  return (first, count) => {
    kept ??= read(0, n)
    return kept.subarray(first * d, (first + count) * d) as T
  }
}

function singleRows(X: Rows): RowReader<Float32Array> {
  const { columns: d } = X
  let scratch = singles(0)
  return (first, count) => {
    if (scratch.length < count * d) scratch = singles(count * d)
    const out = scratch.subarray(0, count * d)
    if (isCompact(X)) return X.read(first, out)
    out.set(X.data.subarray(first * d, first * d + out.length))
    return out
  }
}

function doubleRows(X: Rows): RowReader<Float64Array> {
  let scratch = doubles(0)
  return (first, count) => {
    if (isCompact(X) && scratch.length < count * X.columns) scratch = doubles(count * X.columns)
    return rowBlock(X, first, count, scratch)
  }
}

function over(
  single: BlockedKernel<Float32Array>,
  double: BlockedKernel<Float64Array>,
  X: Rows,
  patterns: BitColumns,
  outputs: number,
): CompactGatedOperator {
  const { rows: n, columns: d } = X
  const P = patterns.count
  const rows = n * outputs
  const columns = P * outputs * d
  const exact: LinearOperator = {
    rows,
    columns,
    apply(u, out = new Float64Array(rows)) {
      double.apply(u, outputs, out)
      return out
    },
    adjoint(p, out = new Float64Array(columns)) {
      double.adjoint(p, outputs, out)
      return out
    },
  }
  return {
    rows,
    columns,
    exact,
    apply: inSingles(rows, (u, out) => single.apply(u, outputs, out)),
    adjoint: inSingles(columns, (p, out) => single.adjoint(p, outputs, out)),
    select: (chosen) => over(single.select(chosen), double.select(chosen), X, selectColumns(patterns, chosen), outputs),
    blocks: {
      count: P,
      size: d,
      outputs,
      rows: n,
      start: (block, output) => (block * outputs + output) * d,
      images: (chosen, vectors, out = new Float64Array(chosen.length * n)) =>
        inSingles(out.length, (v, result) => single.images(chosen, v, result))(vectors, out),
      correlations: (chosen, p, out = new Float64Array(chosen.length * d)) =>
        inSingles(out.length, (q, result) => single.correlations(chosen, q, result))(p, out),
      combination: (chosen, vectors, out = new Float64Array(n)) =>
        inSingles(n, (v, result) => single.select(chosen).apply(v, 1, result))(vectors, out),
      pairs(chosen, which) {
        const some = single.pairs(chosen, which, outputs)
        return {
          rows,
          columns: chosen.length * d,
          apply: inSingles(rows, some.apply),
          adjoint: inSingles(chosen.length * d, some.adjoint),
        }
      },
      kernel(chosen, weights, out = new Float64Array(n * n)) {
        double.kernel(chosen, weights, out)
        return out
      },
      gram(b, c, out = new Float64Array(d * d)) {
        double.gram(b, c, out)
        return out
      },
      sketch: (chosen) => single.sketch(chosen),
      ...(!(isCompact(X) && X.streamed) && {
        onRows: (chosen: Int32Array) =>
          compactGatedOperator(someRows(X, chosen), selectRows(patterns, chosen), outputs).blocks,
      }),
    },
  }
}

/** A product of float32 arrays as one of vectors. */
function inSingles(length: number, product: (from: Float32Array, to: Float32Array) => void) {
  return (from: Vector, out: Vector = new Float64Array(length)): Vector => {
    const result = singles(length)
    product(rounded(from), result)
    out.set(result)
    return out
  }
}

function rounded(values: Floats): Float32Array {
  return values instanceof Float32Array ? values : new Float32Array(values)
}
