import type { Backend, Floats, GatedKernel } from '../../backend.ts'
import { type BitColumns, isSet, selectColumns } from '../../bits.ts'
import { isZeroBlock } from '../../blocks.ts'
import { addProducts, addSums, batchSize, codesOfColumns, codesOfRows, groupSize } from './subset-sums.ts'

/** Fewer lines or vectors than this are summed one by one: tables would cost more than they save. */
const FEW = 16

/** X X' is kept up to this many rows: 128 MiB in float64. */
export const KEPT_ROWS: number = 4096

/** Rows of X X' at a time where it is not kept. */
const STRIP = 64

/**
 * The products of [D_1 X ... D_P X] by looked-up subset sums: about n d P / 8 additions and few multiplications for a pass
 * over n rows, d features and P gates with every gate active, where a product with masks takes 2 n d P flops.
 */
export function gatedKernel<T extends Floats>(
  { gemm }: Pick<Backend, 'gemm'>,
  X: T,
  d: number,
  patterns: BitColumns,
  shared: { products?: T } = {},
): GatedKernel<T> {
  const { rows: n, count: P } = patterns
  const everyGate = Int32Array.from({ length: P }, (_, i) => i)

  /** out_{i * outputs + k} <- X' D_{chosen_i} p[:, k] */
  const correlate = (chosen: Int32Array, p: T, outputs: number, k: number, out: T): void => {
    const m = chosen.length
    if (m < FEW || n < FEW) {
      for (let i = 0; i < m; i++) {
        const to = (i * outputs + k) * d
        for (let r = 0; r < n; r++)
          if (isSet(patterns, r, chosen[i]!)) addRow(X, r * d, d, p[r * outputs + k]!, out, to)
      }
      return
    }
    const size = groupSize(m)
    const most = batchSize(size)
    const vectors = new Float64Array(Math.min(n, most) * d)
    const sums = outputs === 1 ? out : floats(X, m * d)
    for (let first = 0; first < n; first += most) {
      const count = Math.min(most, n - first)
      for (let v = 0; v < count; v++) {
        const weight = p[(first + v) * outputs + k]!
        for (let j = 0, x = (first + v) * d, to = v * d; j < d; j++) vectors[to + j] = weight * X[x + j]!
      }
      const codes = codesOfColumns(patterns, chosen, first, count, size)
      addSums({ vectors, count, length: d, size, codes, lines: m }, sums)
    }
    if (outputs > 1) for (let i = 0; i < m; i++) out.set(sums.subarray(i * d, (i + 1) * d), (i * outputs + k) * d)
  }

  /** out[:, k] += sum over the active gates of D_i X u_{i,k} */
  const combine = (active: number[], u: T, outputs: number, k: number, out: T): void => {
    if (active.length < FEW || n < FEW) {
      for (const i of active)
        for (let r = 0; r < n; r++)
          if (isSet(patterns, r, i)) out[r * outputs + k]! += innerProduct(X, r * d, u, (i * outputs + k) * d, d)
      return
    }
    inBatches(active, n, (gates, size, codes) => {
      const vectors = new Float64Array(gates.length * d)
      gates.forEach((i, v) => {
        const from = (i * outputs + k) * d
        for (let j = 0; j < d; j++) vectors[v * d + j] = u[from + j]!
      })
      addProducts({ vectors, count: gates.length, length: d, size, codes, lines: n }, X, out.subarray(k), outputs)
    })
  }

  /** The gates in batches, with the codes of every row. */
  const inBatches = (
    gates: ArrayLike<number>,
    lines: number,
    each: (batch: number[], size: number, codes: Uint8Array, first: number) => void,
  ): void => {
    const size = groupSize(lines)
    const most = batchSize(size)
    for (let first = 0; first < gates.length; first += most) {
      const batch = Array.from({ length: Math.min(most, gates.length - first) }, (_, v) => gates[first + v]!)
      each(batch, size, codesOfRows(patterns, batch, size), first)
    }
  }

  /** Rows r0 .. r0 + rows - 1 of X X', up to the last one's diagonal. */
  const productsOf = (r0: number, rows: number): T => {
    const products = floats(X, rows * n)
    for (let r = 0; r < rows; r += STRIP) {
      const height = Math.min(STRIP, rows - r)
      const width = r0 + r + height
      gemm(
        false,
        true,
        height,
        width,
        d,
        1,
        X.subarray((r0 + r) * d) as T,
        d,
        X,
        d,
        0,
        products.subarray(r * n) as T,
        n,
      )
    }
    return products
  }

  return {
    apply(u, outputs, out) {
      out.fill(0)
      for (let k = 0; k < outputs; k++) {
        const active: number[] = []
        for (let i = 0; i < P; i++) if (!isZeroBlock(u, (i * outputs + k) * d, d)) active.push(i)
        combine(active, u, outputs, k, out)
      }
    },
    adjoint(p, outputs, out) {
      out.fill(0)
      for (let k = 0; k < outputs; k++) correlate(everyGate, p, outputs, k, out)
    },
    images(chosen, vectors, out) {
      const m = chosen.length
      gemm(false, true, m, n, d, 1, vectors, d, X, d, 0, out, n)
      for (let i = 0; i < m; i++) for (let r = 0; r < n; r++) if (!isSet(patterns, r, chosen[i]!)) out[i * n + r] = 0
    },
    correlations(chosen, p, out) {
      out.fill(0)
      correlate(chosen, p, 1, 0, out)
    },
    kernel(chosen, weights, out) {
      for (let r = 0; r < n; r++) out.fill(0, r * n, r * n + r + 1)
      // M = sum_i weights_i 1_i 1_i' over the patterns' 0/1 columns 1_i, and then M o X X'.
      inBatches(chosen, n, (gates, size, codes, first) => {
        const vectors = new Float64Array(gates.length * n)
        gates.forEach((i, v) => {
          for (let r = 0; r < n; r++) if (isSet(patterns, r, i)) vectors[v * n + r] = weights[first + v]!
        })
        addSums({ vectors, count: gates.length, length: n, size, codes, lines: n }, out, true)
      })
      const kept = n <= KEPT_ROWS ? (shared.products ??= productsOf(0, n)) : undefined
      for (let r0 = 0; r0 < n; r0 += STRIP) {
        const rows = Math.min(STRIP, n - r0)
        const products = kept ? kept.subarray(r0 * n) : productsOf(r0, rows)
        for (let r = 0; r < rows; r++)
          for (let s = 0, at = (r0 + r) * n; s <= r0 + r; s++) out[at + s]! *= products[r * n + s]!
      }
    },
    gram(b, c, out) {
      const both: number[] = []
      for (let r = 0; r < n; r++) if (isSet(patterns, r, b) && isSet(patterns, r, c)) both.push(r)
      const rows = floats(X, both.length * d)
      both.forEach((r, i) => {
        rows.set(X.subarray(r * d, (r + 1) * d), i * d)
      })
      gemm(true, false, d, d, both.length, 1, rows, d, rows, d, 0, out, d)
    },
    select(chosen) {
      return gatedKernel({ gemm }, X, d, selectColumns(patterns, chosen), shared)
    },
  }
}

/** Zeros of the same kind. */
function floats<T extends Floats>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length)
}

/** out[to ..] += weight x for the row x of d entries at `from`. */
function addRow(X: Floats, from: number, d: number, weight: number, out: Floats, to: number): void {
  for (let j = 0; j < d; j++) out[to + j]! += weight * X[from + j]!
}

function innerProduct(X: Floats, x: number, u: Floats, start: number, d: number): number {
  let total = 0
  for (let j = 0; j < d; j++) total += X[x + j]! * u[start + j]!
  return total
}
