import { describe, expect, it } from 'vitest'
import type { Backend, Floats } from '../../src/numerics/backend.ts'
import { engineOf } from '../../src/numerics/backends/wasm/engine.ts'
import { wasm } from '../../src/numerics/backends/wasm.ts'
import { bitColumns, setBit } from '../../src/numerics/bits.ts'
import { draws } from './backends/laws.ts'

/** Resolves when all threads have started: until then a product takes those that have. */
async function started(threads: number): Promise<void> {
  for (let k = 0; k < 2000 && engineOf(threads).threads() < threads; k++)
    await new Promise((resolve) => setTimeout(resolve, 5))
  expect(engineOf(threads).threads()).toBe(threads)
}

const make = (length: number, from: number): Float64Array => Float64Array.from({ length }, draws(from))

describe.each([2, 3])('%i threads', (threads) => {
  const one = wasm()
  const many = wasm({ threads })

  const same = <T extends Floats>(run: (backend: Backend) => T): void => {
    const alone = run(one)
    for (let repeat = 0; repeat < 3; repeat++) {
      // Compared by hand: `toEqual` takes seconds for a million entries.
      const together = run(many)
      expect(together.length).toBe(alone.length)
      expect(together.findIndex((value, k) => !Object.is(value, alone[k]))).toBe(-1)
    }
  }

  it('give the products of one, bit by bit', async () => {
    await started(threads)
    for (const [m, n, k] of [
      [300, 200, 150],
      [2, 3000, 900],
      [1001, 67, 129],
    ] as const) {
      const [A, B, C] = [make(m * k, 1), make(k * n, 2), make(m * n, 3)]
      const [a, b] = [Float32Array.from(A), Float32Array.from(B)]
      for (const tA of [false, true])
        for (const tB of [false, true]) {
          same((backend) => {
            const out = C.slice()
            backend.gemm(tA, tB, m, n, k, 0.5, A, tA ? m : k, B, tB ? k : n, 2, out, n)
            return out
          })
          same((backend) => {
            const out = new Float32Array(m * n)
            backend.gemm(tA, tB, m, n, k, 1, a, tA ? m : k, b, tB ? k : n, 0, out, n)
            return out
          })
        }
    }
    const A = make(401 * 130, 1)
    for (const transpose of [false, true])
      same((backend) => {
        const C = make(401 * 401, 3)
        backend.syrk(transpose, 401, 130, -1, A, transpose ? 401 : 130, 1, C, 401)
        return C
      })
  })

  it('give the gated passes of one, bit by bit', async () => {
    await started(threads)
    for (const [n, d, P] of [
      [700, 50, 600],
      [1500, 3, 2500],
      [400, 100, 300],
    ] as const) {
      const next = draws(n)
      const patterns = bitColumns(n, P)
      for (let i = 0; i < P; i++) for (let r = 0; r < n; r++) if (next() > 0) setBit(patterns, r, i)
      const X = make(n * d, 1)
      const kernels = new Map([one, many].map((backend) => [backend, backend.gated(X, d, patterns)]))
      same((backend) => {
        const fit = new Float64Array(2 * n)
        kernels.get(backend)!.apply(make(2 * P * d, 2), 2, fit)
        return fit
      })
      same((backend) => {
        const correlations = new Float64Array(2 * P * d)
        kernels.get(backend)!.adjoint(make(2 * n, 2), 2, correlations)
        return correlations
      })
      same((backend) => {
        const H = new Float64Array(n * n)
        const chosen = Int32Array.from({ length: 200 }, (_, i) => i)
        kernels.get(backend)!.kernel(chosen, make(200, 5).map(Math.abs), H)
        return H
      })
    }
  })
})
