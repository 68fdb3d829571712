export { type CircularCnn, type CircularCnnWeights, circularCnn } from './circular-cnn.ts'
export { type ConvexCnn, type ConvexCnnWeights, convexCnn } from './convex-cnn.ts'
export { type DeepNetwork, deepNetwork, type LayerOptions } from './deep-network.ts'
export { filterPatches } from './filter-patches.ts'
export {
  type GatedReluNetwork,
  type GatedReluWeights,
  gatedReluNetwork,
} from './gated-relu-network.ts'
export { describeDamage, loadModel, MODEL_VERSION } from './load-model.ts'
export { type MergeNeuronsOptions, mergeNeurons } from './merge-neurons.ts'
export { mergeParallelNeurons } from './merge-parallel-neurons.ts'
export { type RectifiedCnn, type RectifiedCnnWeights, rectifiedCnn } from './rectified-cnn.ts'
export { type ReluNetwork, type ReluWeights, reluNetwork } from './relu-network.ts'
export { type StackedCnn, stackedCnn, strongestFilters } from './stacked-cnn.ts'
export type { TwoLayerNetwork } from './two-layer-network.ts'
export { type Scaling, unstandardize } from './unstandardize.ts'
