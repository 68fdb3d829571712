export { type CcnnProgramOptions, ccnnProgram } from './ccnn/ccnn.ts'
export { type CcnnDualOptions, ccnnDual } from './ccnn/dual.ts'
export type { CcnnOptions } from './ccnn/layer.ts'
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
