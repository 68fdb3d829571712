import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { Backend, Floats, GatedKernel, GatedPasses } from '../../../src/numerics/backend.ts'
import { blas } from '../../../src/numerics/backends/blas.ts'
import { backend, backends, useBackend } from '../../../src/numerics/backends/index.ts'
import { js } from '../../../src/numerics/backends/js.ts'
import { moduleText } from '../../../src/numerics/backends/wasm/assembly/build.ts'
import { wasm, wasmWorks } from '../../../src/numerics/backends/wasm.ts'
import type { BitColumns } from '../../../src/numerics/bits.ts'
import { backendLaws, gatedLaws } from './laws.ts'

backendLaws('js', js)
backendLaws('wasm', wasm())
backendLaws('wasm, even for what is small', wasm({ everything: true }))
gatedLaws('wasm, X read once and kept', readInRows(true), 20)
gatedLaws('wasm, X read 32 rows at a time', readInRows(false), 20)

const system = blas()
if (typeof system === 'string') it.skip(`blas: ${system}`)
else backendLaws('blas', system)

/** The passes of rows that are read, in the place of those of an array. */
function readInRows(kept: boolean): Backend {
  const base = wasm({ everything: true })
  const over = <T extends Floats>(kernel: GatedKernel<T>, passes: GatedPasses<T>): GatedKernel<T> => ({
    ...kernel,
    ...passes,
    select: (chosen) => over(kernel.select(chosen), passes.select(chosen)),
  })
  return {
    ...base,
    gated<T extends Floats>(X: T, columns: number, patterns: BitColumns): GatedKernel<T> {
      const read = (first: number, count: number): T => X.slice(first * columns, (first + count) * columns) as T
      const floats = (length: number): T => new (X.constructor as new (length: number) => T)(length)
      return over(base.gated(X, columns, patterns), base.gatedRows!({ read, floats, kept }, columns, patterns))
    },
  }
}

describe('the WebAssembly module', () => {
  it('works here', () => {
    expect(wasmWorks()).toBe(true)
  })

  it('is what its sources compile to: npm run build:wasm has been run', async () => {
    const path = new URL('../../../src/numerics/backends/wasm/module.ts', import.meta.url)
    expect(readFileSync(path, 'utf8')).toBe(await moduleText())
  })
})

describe('the choice of a backend', () => {
  afterEach(() => {
    useBackend('wasm')
  })

  it('is among those that work here, plain TypeScript always', () => {
    expect(backends().map(({ name }) => name)).toEqual(['wasm', 'js', ...(typeof system === 'string' ? [] : ['blas'])])
  })

  it('is kept until the next one, by name or as an object', () => {
    expect(useBackend('js')).toBe(js)
    expect(backend()).toBe(js)
    const own = { ...js, description: 'my own' }
    expect(useBackend(own)).toBe(own)
    expect(backend()).toBe(own)
  })

  it('refuses a name there is none of, and leaves the choice as it was', () => {
    useBackend('js')
    expect(() => useBackend('cuda' as 'js')).toThrow(
      new RangeError('useBackend: there is no backend "cuda"; use wasm, js, blas.'),
    )
    expect(backend()).toBe(js)
  })

  it('of a BLAS that is none says so, and never loads another in its place', () => {
    const before = process.env.CVXNN_BLAS
    process.env.CVXNN_BLAS = '/no/such/library.so'
    try {
      expect(blas()).toMatch(/CVXNN_BLAS names \/no\/such\/library.so|koffi is not installed/)
    } finally {
      if (before === undefined) delete process.env.CVXNN_BLAS
      else process.env.CVXNN_BLAS = before
    }
  })
})
