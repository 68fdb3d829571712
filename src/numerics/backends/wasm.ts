import type { Backend } from '../backend.ts'
import { js } from './js.ts'
import { dense } from './wasm/dense.ts'
import { compiles } from './wasm/engine.ts'
import { gatedKernel } from './wasm/gated.ts'

/**
 * WebAssembly with 128-bit vectors, 2.3 times slower than what a CPU with 512-bit ones can do and 4 times faster than
 * plain TypeScript. What would not repay the copies into the module's memory stays in TypeScript; with `everything`,
 * nothing does.
 */
export function wasm({ everything = false }: { everything?: boolean } = {}): Backend {
  return {
    ...js,
    ...dense(everything),
    name: 'wasm',
    description: 'WebAssembly with 128-bit vectors',
    gated: (X, columns, patterns) => gatedKernel(X, columns, patterns, everything),
  }
}

/** Whether it works here. */
export const wasmWorks: () => boolean = compiles
