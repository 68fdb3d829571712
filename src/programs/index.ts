export { type CcnnProgramOptions, ccnnProgram } from './ccnn/ccnn.ts'
export { type CircularCnnOptions, circularCnnProgram } from './ccnn/circular-cnn.ts'
export { type CcnnDualOptions, ccnnDual } from './ccnn/dual.ts'
export { type GatedCnnOptions, gatedCnnProgram } from './ccnn/gated-cnn.ts'
export type { CcnnOptions } from './ccnn/layer.ts'
export { imagePatches } from './ccnn/patches.ts'
export { type ReluCnnOptions, reluCnnProgram } from './ccnn/relu-cnn.ts'
export {
  type ConeDecomposition,
  type ConeDecompositionMethod,
  type ConeDecompositionOptions,
  coneDecomposition,
  type GatedPoint,
} from './cone-decomposition.ts'
export { type GatedReluOptions, gatedReluProgram } from './gated-relu.ts'
export { type ReluOptions, reluProgram } from './relu.ts'
export type { TwoLayerOptions } from './two-layer.ts'
