import { backend } from '../numerics/backends/index.ts'
import { type Rows, rowBlock } from '../numerics/compact-matrix.ts'
import type { Vector } from '../types.ts'
import type { ReluWeights } from './relu-network.ts'

/** Rows of X, and neurons, that are multiplied at a time. */
const ROWS = 512
const NEURONS = 2048

/**
 * f(X) = (X W1' + b1)_+ W2 + intercept, n x outputs, for X of many rows, read a block at a time: what `predict` gives, to
 * rounding, by dense products in float64.
 */
export function reluPredictions({ W1, b1, W2, intercept }: ReluWeights, X: Rows): Vector {
  const { gemm } = backend()
  const { rows: n, columns: d } = X
  const outputs = intercept.length
  const out = new Float64Array(n * outputs)
  const scratch = new Float64Array(Math.min(n, ROWS) * d)
  const hidden = new Float64Array(Math.min(n, ROWS) * Math.min(W1.rows, NEURONS))
  for (let first = 0; first < n; first += ROWS) {
    const rows = Math.min(ROWS, n - first)
    const block = rowBlock(X, first, rows, scratch)
    const fit = out.subarray(first * outputs, (first + rows) * outputs)
    for (let r = 0; r < rows; r++) fit.set(intercept, r * outputs)
    for (let j0 = 0; j0 < W1.rows; j0 += NEURONS) {
      const count = Math.min(NEURONS, W1.rows - j0)
      gemm(false, true, rows, count, d, 1, block, d, W1.data.subarray(j0 * d), d, 0, hidden, count)
      for (let r = 0, k = 0; r < rows; r++)
        for (let j = j0; j < j0 + count; j++, k++) hidden[k] = Math.max(0, hidden[k]! + b1[j]!)
      gemm(
        false,
        false,
        rows,
        outputs,
        count,
        1,
        hidden,
        count,
        W2.data.subarray(j0 * outputs),
        outputs,
        1,
        fit,
        outputs,
      )
    }
  }
  return out
}
