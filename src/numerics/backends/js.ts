import type { Backend } from '../backend.ts'
import { cholesky, triangularSolve } from './js/cholesky.ts'
import { coneProjection } from './js/cone-projection.ts'
import { gatedKernel } from './js/gated.ts'
import { gemm } from './js/gemm.ts'
import { gemv, syrk } from './js/level-two.ts'
import { blockNorms, dot, shrinkBlocks } from './js/reductions.ts'
import { symmetricEigen } from './js/symmetric-eigen.ts'

/** Everything in plain TypeScript: runs anywhere, and is what the others are compared with. */
export const js: Backend = {
  name: 'js',
  description: 'plain TypeScript, tiles of 4 x 4',
  threads: 1,
  gemm,
  gemv,
  syrk: (...call) => syrk(...call),
  cholesky,
  triangularSolve,
  symmetricEigen,
  dot,
  blockNorms,
  shrinkBlocks,
  cones: coneProjection,
  gated: (X, columns, patterns) => gatedKernel({ gemm }, X, columns, patterns),
}
