import { expect, it } from 'vitest'
import type { Floats } from '../../../src/numerics/backend.ts'
import { engineOf } from '../../../src/numerics/backends/wasm/engine.ts'
import { wasm } from '../../../src/numerics/backends/wasm.ts'
import { bitColumns, setBit } from '../../../src/numerics/bits.ts'
import { draws } from './laws.ts'

async function ready(threads: number): Promise<void> {
  for (let k = 0; k < 2000 && engineOf(threads).threads() < threads; k++)
    await new Promise((resolve) => setTimeout(resolve, 5))
  expect(engineOf(threads).threads()).toBe(threads)
}

it.each([2, 3])('%i threads give what one gives, to the last bit', async (threads) => {
  await ready(threads)
  const next = draws(9)
  const [one, many] = [wasm(), wasm({ threads })]
  for (const make of [
    (length: number): Floats => Float64Array.from({ length }, next),
    (length: number): Floats => Float32Array.from({ length }, next),
  ]) {
    const same = (run: (backend: typeof one, out: Floats) => void, length: number): void => {
      const [a, b] = [make(length), make(length)]
      run(one, a)
      run(many, b)
      // As bytes: `toEqual` would take longer than the kernels do.
      expect(Buffer.from(b.buffer).equals(Buffer.from(a.buffer))).toBe(true)
    }
    const [m, n, k] = [301, 210, 190]
    const [A, B] = [make(m * k), make(k * n)]
    same((backend, C) => backend.gemm(false, false, m, n, k, 1, A, k, B, n, 0, C, n), m * n)
    same((backend, C) => {
      C.fill(0)
      backend.syrk(false, m, k, 1, A, k, 0, C, m)
    }, m * m)
    // One chunk of columns, about two, and many.
    for (const [rows, d, P, outputs] of [
      [3001, 13, 600, 1],
      [1203, 45, 400, 2],
      [1500, 131, 500, 1],
    ] as const) {
      const patterns = bitColumns(rows, P)
      for (let i = 0; i < P; i++) for (let r = 0; r < rows; r++) if (next() > 0) setBit(patterns, r, i)
      const [X, u, p] = [make(rows * d), make(P * d * outputs), make(rows * outputs)]
      const weights = make(P).map(Math.abs)
      const every = Int32Array.from({ length: P }, (_, i) => i)
      same((backend, out) => backend.gated(X, d, patterns).apply(u, outputs, out), rows * outputs)
      same((backend, out) => backend.gated(X, d, patterns).adjoint(p, outputs, out), P * d * outputs)
      if (rows > 2000) continue
      same((backend, out) => {
        out.fill(0)
        backend.gated(X, d, patterns).kernel(every, weights as typeof X, out)
      }, rows * rows)
    }
  }
  const n = 120
  const S = Float64Array.from({ length: n * n }, next)
  expect(many.symmetricEigen(n, S, n)).toEqual(one.symmetricEigen(n, S, n))
})
