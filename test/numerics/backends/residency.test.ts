import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { engineOf } from '../../../src/numerics/backends/wasm/engine.ts'
import { wasm } from '../../../src/numerics/backends/wasm.ts'
import { bitColumns, setBit } from '../../../src/numerics/bits.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

it('kernels that nobody refers to any more give their room in the module back', async () => {
  const [n, d, P] = [1000, 200, 8]
  const patterns = bitColumns(n, P)
  for (let i = 0; i < P; i++) setBit(patterns, i, i)
  const fit = new Float64Array(n)
  const u = new Float64Array(P * d).fill(1)
  const backend = wasm()
  // 1.6 MB each: 160 MB if all were kept.
  for (let k = 0; k < 100; k++) {
    const X = new Float64Array(n * d).fill(k)
    backend.gated(X, d, patterns).apply(u, 1, fit)
    expect(fit[0]).toBe(k * d)
    if (k % 10 < 9) continue
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(engineOf(1).memory.buffer.byteLength).toBeLessThan(64e6)
})

it('a kernel works on after the memory has grown and others have come and gone', () => {
  const [n, d, P] = [300, 30, 40]
  const patterns = bitColumns(n, P)
  for (let i = 0; i < P; i++) for (let r = i; r < n; r += 2) setBit(patterns, r, i)
  const X = Float64Array.from({ length: n * d }, (_, k) => Math.sin(k))
  const u = Float64Array.from({ length: P * d }, (_, k) => Math.cos(k))
  const kernel = wasm().gated(X, d, patterns)
  const [before, after] = [new Float64Array(n), new Float64Array(n)]
  kernel.apply(u, 1, before)
  const bytes = engineOf(1).memory.buffer.byteLength
  const size = 1500
  const C = new Float64Array(size * size)
  wasm().gemm(false, false, size, size, 8, 1, C, 8, C, size, 0, C.slice(), size)
  expect(engineOf(1).memory.buffer.byteLength).toBeGreaterThan(bytes)
  kernel.apply(u, 1, after)
  expect(after).toEqual(before)
})
