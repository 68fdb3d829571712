import type { GatedKernel } from '../numerics/backend.ts'
import { backend } from '../numerics/backends/index.ts'
import { type BitColumns, selectColumns } from '../numerics/bits.ts'
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
 * patterns afterwards. `apply` skips blocks that are exactly zero.
 *
 * @throws RangeError when the patterns and X differ in rows.
 */
export function gatedOperator(X: Matrix, patterns: BitColumns, outputs = 1): GatedOperator {
  if (patterns.rows !== X.rows)
    throw new RangeError(
      `gatedOperator: the patterns have ${patterns.rows} rows and X has ${X.rows}; make the gates from the same X.`,
    )
  return over(backend().gated(X.data, X.columns, patterns), X, patterns, outputs)
}

function over(kernel: GatedKernel, X: Matrix, patterns: BitColumns, outputs: number): GatedOperator {
  const rows = X.rows * outputs
  const columns = patterns.count * outputs * X.columns
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
    select: (blocks) => over(kernel.select(blocks), X, selectColumns(patterns, blocks), outputs),
    blocks: blockMaps(kernel, X, patterns.count, outputs),
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
