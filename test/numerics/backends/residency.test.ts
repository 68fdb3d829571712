import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { coneProjection } from '../../../src/numerics/backends/wasm/cone-projection.ts'
import { type Engine, engineOf, start as startEngine } from '../../../src/numerics/backends/wasm/engine.ts'
import { gatedKernel } from '../../../src/numerics/backends/wasm/gated.ts'
import { wasm } from '../../../src/numerics/backends/wasm.ts'
import { bitColumns, setBit } from '../../../src/numerics/bits.ts'
import { activeRows } from '../../../src/numerics/cone-projection.ts'

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

it('where the memory is full, what is not in use moves out and back in, and projections and passes keep their bits', () => {
  const [n, d, P] = [60, 12, 6]
  const inOf = (engine: Engine): Float64Array => {
    const all = Array.from({ length: 30 }, (_, s) => {
      const unit = Float64Array.from({ length: n * d }, (_, k) => Math.sin(k * (s + 1.3)) / Math.sqrt(d / 2))
      const patterns = bitColumns(n, P)
      for (let i = 0; i < P; i++) for (let r = i; r < n; r += 2 + (s % 3)) setBit(patterns, r, i)
      const padding = new Float64Array(20000 * 2)
      return {
        cones: coneProjection(() => engine, unit, d, patterns),
        gated: gatedKernel(() => engine, unit, d, patterns, true),
        large: gatedKernel(() => engine, padding, 2, bitColumns(20000, 1), true),
        active: Array.from({ length: P }, () => activeRows(d, true)),
      }
    })
    const found: number[] = []
    for (let round = 0; round < 2; round++)
      for (const { cones, gated, large, active } of all) {
        const fit = new Float64Array(n)
        gated.apply(
          Float64Array.from({ length: P * d }, (_, k) => Math.cos(k + round)),
          1,
          fit,
        )
        large.apply(Float64Array.of(1, 1), 1, new Float64Array(20000))
        const v = Float64Array.from({ length: d }, (_, j) => Math.cos(3 * j + round / 10))
        const out = new Float64Array(d)
        active.forEach((one, i) => {
          found.push(cones.project(i, null, v, 0, out, 0, one), ...out)
        })
        found.push(...fit)
      }
    return Float64Array.from(found)
  }
  // 30 of 320 kB and more do not fit in 4 MiB.
  const tight = startEngine(1, 64)
  expect(inOf(tight)).toEqual(inOf(startEngine(1)))
  expect(tight.memory.buffer.byteLength).toBeLessThanOrEqual(2 ** 22)
})

it('what the memory has no room for at all is done in TypeScript', () => {
  const [n, d] = [20000, 30]
  const patterns = bitColumns(n, 1)
  for (let r = 0; r < n; r++) setBit(patterns, r, 0)
  const X = new Float64Array(n * d).fill(1)
  const fit = new Float64Array(n)
  const engine = startEngine(1, 32)
  gatedKernel(() => engine, X, d, patterns, true).apply(new Float64Array(d).fill(1), 1, fit)
  expect(fit[n - 1]).toBe(d)
  const out = new Float64Array(d)
  const cones = coneProjection(() => engine, X.fill(1 / Math.sqrt(d)), d, patterns)
  const length = cones.project(0, null, new Float64Array(d).fill(1), 0, out, 0, activeRows(d, true))
  expect(length).toBeCloseTo(Math.sqrt(d), 12)
})
