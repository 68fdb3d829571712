import { backend } from '../src/numerics/backends/index.ts'
import { isSet } from '../src/numerics/bits.ts'
import { isZeroBlock } from '../src/numerics/blocks.ts'
import type { LinearOperator } from '../src/types.ts'
import type { Planted } from './problems.ts'

/** Gates that are multiplied at a time: their products stay in the cache. */
const PANEL = 128

/**
 * [D_1 X ... D_P X] of one output as software on dense matrices multiplies by it: X U' by the backend's gemm, masked entry by
 * entry, and (masked p)'X. 2 n d flops a gate that is not zero, whatever its pattern. For comparison with products that look
 * sums up.
 */
export function maskedProducts({ X, gates }: Pick<Planted, 'X' | 'gates'>): LinearOperator {
  const { rows: n, columns: d } = X
  const P = gates.count
  const { gemm } = backend()
  const mask = new Uint8Array(n * P)
  for (let b = 0; b < P; b++) for (let r = 0; r < n; r++) mask[r * P + b] = isSet(gates.patterns, r, b) ? 1 : 0
  const panel = new Float64Array(n * PANEL)
  const vectors = new Float64Array(PANEL * d)
  const active = new Int32Array(P)
  return {
    rows: n,
    columns: P * d,
    apply(u, out = new Float64Array(n)) {
      let count = 0
      for (let b = 0; b < P; b++) if (!isZeroBlock(u, b * d, d)) active[count++] = b
      out.fill(0)
      for (let from = 0; from < count; from += PANEL) {
        const width = Math.min(PANEL, count - from)
        for (let k = 0; k < width; k++) {
          const b = active[from + k]!
          vectors.set(u.subarray(b * d, (b + 1) * d), k * d)
        }
        gemm(false, true, n, width, d, 1, X.data, d, vectors, d, 0, panel, width)
        for (let r = 0; r < n; r++) {
          let sum = 0
          for (let k = 0; k < width; k++) sum += mask[r * P + active[from + k]!]! * panel[r * width + k]!
          out[r]! += sum
        }
      }
      return out
    },
    adjoint(p, out = new Float64Array(P * d)) {
      for (let from = 0; from < P; from += PANEL) {
        const width = Math.min(PANEL, P - from)
        for (let r = 0; r < n; r++)
          for (let k = 0; k < width; k++) panel[r * width + k] = mask[r * P + from + k]! * p[r]!
        gemm(true, false, width, d, n, 1, panel, width, X.data, d, 0, out.subarray(from * d, (from + width) * d), d)
      }
      return out
    },
  }
}
