import type { GatedKernel } from '../numerics/backend.ts'
import { backend } from '../numerics/backends/index.ts'
import { type BitColumns, selectColumns, selectRows } from '../numerics/bits.ts'
import { gatherBlocks } from '../numerics/blocks.ts'
import type { BlockMaps, LinearOperator, Matrix, Vector } from '../types.ts'

/** The gated operator, which can also be restricted and taken apart. */
export interface GatedOperator extends LinearOperator {
  select(blocks: Int32Array): GatedOperator
  readonly blocks: BlockMaps
}

/**
 * A = [D_1 X ... D_P X] for one or more outputs, never formed:  fit[:, k] = sum_i D_i X U_i[:, k].
 *
 * X is n x d, D_i = diag of the i-th 0/1 pattern. Coefficients are gate-major: entry (gate i, output k, feature j) is
 * `u[(i * outputs + k) * d + j]`, so one (gate, output) pair is d consecutive entries and one gate is outputs * d of
 * them. The fit is n x outputs, row-major.
 *
 * The products are the backend's in use when the operator is made, which may keep a copy of X: change neither X nor the
 * patterns afterwards. `apply` skips blocks that are exactly zero. `single` makes copies of X in float32 when it is first
 * asked for.
 *
 * @throws RangeError when the patterns and X differ in rows.
 */
export function gatedOperator(X: Matrix, patterns: BitColumns, outputs = 1): GatedOperator {
  if (patterns.rows !== X.rows)
    throw new RangeError(
      `gatedOperator: the patterns have ${patterns.rows} rows and X has ${X.rows}; make the gates from the same X.`,
    )
  const { name, gated } = backend()
  let single: GatedKernel<Float32Array> | undefined
  // In TypeScript they would take as long.
  const singleOf = name === 'js' ? undefined : () => (single ??= gated(new Float32Array(X.data), X.columns, patterns))
  return over(gated(X.data, X.columns, patterns), singleOf, X, patterns, outputs)
}

/** A kernel of float32 products, made when the first one is taken. */
type SingleKernel = (() => GatedKernel<Float32Array>) | undefined

function over(
  kernel: GatedKernel,
  singleOf: SingleKernel,
  X: Matrix,
  patterns: BitColumns,
  outputs: number,
): GatedOperator {
  const rows = X.rows * outputs
  const columns = patterns.count * outputs * X.columns
  let single: LinearOperator | undefined
  return {
    rows,
    columns,
    apply(u, out = new Float64Array(rows)) {
      kernel.apply(u, outputs, out)
      return out
    },
    adjoint(p, out = new Float64Array(columns)) {
      kernel.adjoint(p, outputs, out)
      return out
    },
    select(blocks) {
      const some = singleOf && (() => singleOf().select(blocks))
      return over(kernel.select(blocks), some, X, selectColumns(patterns, blocks), outputs)
    },
    get single() {
      single ??= singleOf && inSingles(singleOf(), rows, columns, outputs)
      return single
    },
    onRows(rows) {
      const { columns } = X
      const some = { rows: rows.length, columns, data: gatherBlocks(X.data, rows, columns) }
      return gatedOperator(some, selectRows(patterns, rows), outputs)
    },
    blocks: blockMaps(kernel, X, patterns.count, outputs),
  }
}

/** The products of float32, from and to vectors. */
function inSingles(kernel: GatedKernel<Float32Array>, rows: number, columns: number, outputs: number): LinearOperator {
  const coefficients = new Float32Array(columns)
  const fit = new Float32Array(rows)
  return {
    rows,
    columns,
    apply(u, out = new Float64Array(rows)) {
      coefficients.set(u)
      kernel.apply(coefficients, outputs, fit)
      out.set(fit)
      return out
    },
    adjoint(p, out = new Float64Array(columns)) {
      fit.set(p)
      kernel.adjoint(fit, outputs, coefficients)
      out.set(coefficients)
      return out
    },
  }
}

/** One block a gate: A_b = D_b X. */
function blockMaps(kernel: GatedKernel, { rows: n, columns: d }: Matrix, count: number, outputs: number): BlockMaps {
  return {
    count,
    size: d,
    outputs,
    rows: n,
    start: (block, output) => (block * outputs + output) * d,
    images(chosen, vectors, out = new Float64Array(chosen.length * n)) {
      kernel.images(chosen, vectors, out)
      return out
    },
    correlations(chosen, p, out = new Float64Array(chosen.length * d)) {
      kernel.correlations(chosen, p, out)
      return out
    },
    kernel(chosen, weights, out = new Float64Array(n * n)) {
      kernel.kernel(chosen, weights, out)
      return out
    },
    ...(kernel.factor && { factor: (rowScales?: Vector) => kernel.factor!(outputs, rowScales) }),
    gram(b, c, out = new Float64Array(d * d)) {
      kernel.gram(b, c, out)
      return out
    },
  }
}
