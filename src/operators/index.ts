export { type CompactGatedOperator, compactGatedOperator } from './compact-gated.ts'
export { coneRows } from './cone-rows.ts'
export { denseOperator } from './dense.ts'
export { gatedOperator } from './gated.ts'
export {
  cutPatches,
  type ImageShape,
  type PatchGrid,
  type PatchNormalization,
  type PatchOptions,
  patchGrid,
} from './patches.ts'
export { type PooledKernelOptions, pooledKernel } from './pooled-kernel.ts'
export { averagePooling, type Pooling, type PoolOptions, pool, spread } from './pooling.ts'
export { sharedFeatures } from './shared-features.ts'
export { signedGatedOperator } from './signed-gated.ts'
