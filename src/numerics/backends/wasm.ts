import type { Backend } from '../backend.ts'
import { js } from './js.ts'
import { coneProjection } from './wasm/cone-projection.ts'
import { dense } from './wasm/dense.ts'
import { eigen } from './wasm/eigen.ts'
import { compiles, type Engine, engineOf } from './wasm/engine.ts'
import { gatedKernel } from './wasm/gated.ts'
import { gatedRows } from './wasm/gated-rows.ts'
import type { Dense } from './wasm/kernel-factor.ts'

export interface WasmOptions {
  /** Threads for what is large, this one included (default 1); in Node only. Results are the same to the last bit. */
  readonly threads?: number
  /** What would not repay the copies into the module's memory is done there all the same, and X read in the smallest blocks: for tests of the module. */
  readonly everything?: boolean
  /** What makes and solves with the gated kernel's factors instead, on arrays in the module's memory. */
  readonly dense?: Dense
}

/**
 * WebAssembly with 128-bit vectors: dense products at four tenths of what a CPU with 512-bit ones can do, five times
 * faster than plain TypeScript. What is small, or bound by memory, stays in TypeScript.
 */
export function wasm({ threads = 1, everything = false, dense: own }: WasmOptions = {}): Backend {
  const engine = (): Engine => engineOf(threads)
  return {
    ...js,
    ...dense(engine, everything),
    ...eigen(engine, everything),
    name: 'wasm',
    description: 'WebAssembly with 128-bit vectors',
    threads,
    gated: (X, columns, patterns) => gatedKernel(engine, X, columns, patterns, everything, own),
    cones: (unit, d, signs) => coneProjection(engine, unit, d, signs),
    gatedRows: (X, columns, patterns) => gatedRows(engine, X, columns, patterns, everything),
  }
}

/** Whether it works here. */
export const wasmWorks: () => boolean = compiles
