/**
 * cvxnn: neural networks by convex optimisation, with a certificate on every answer.
 *
 * @packageDocumentation
 * @module cvxnn
 */
export * from '../solvers/index.ts'
export {
  certify,
  certifyKernel,
  type GlobalCertificate,
  type GlobalCertificateOptions,
  globalCertificate,
  globalLambdaMax,
  kernelLambdaMax,
  lambdaMax,
  type PreciseCertificate,
  type PreciseOptions,
  type PrecisePenalty,
  type PreciseProblem,
  type PreciseProgress,
  type Priced,
  type PricingOptions,
  preciseCertificate,
  type Verdict,
  type Verification,
  verify,
} from './certificates/index.ts'
export * from './data/index.ts'
export * from './estimators/index.ts'
export {
  type EnumerateGatesOptions,
  enumerateGates,
  type GateDraw,
  type Gates,
  type GateWindow,
  gatesFrom,
  gatesOf,
  generalPatternCount,
  type SampleGatesOptions,
  sampleGates,
} from './gates/index.ts'
export { type Exportable, type FloatType, fromOnnx, type ToOnnxOptions, toOnnx } from './interchange/index.ts'
export {
  type FeatureChoice,
  type FeatureMap,
  type FeatureMapJson,
  type ImageFeatures,
  type ImageFeaturesOptions,
  imageFeatures,
  inversePolynomial,
  linearKernel,
  type NystromOptions,
  nystrom,
  type PatchKernel,
  type PatchKernelJson,
  type PatchSource,
  randomFourier,
  rbf,
  type WhiteningOptions,
  whitened,
} from './kernels/index.ts'
export {
  type Activation,
  type ActivationName,
  activations,
  type ClipOptions,
  type ConvolutionOptions,
  clip,
  convolution,
  dense,
  elu,
  identity,
  type Layer,
  type LayerMap,
  type LayerMapJson,
  type LayerWeights,
  type LeakyReluOptions,
  leakyRelu,
  relu,
  type SoftThresholdOptions,
  sigmoid,
  softplus,
  softThreshold,
  tanh,
} from './layers/index.ts'
export * from './lifted/index.ts'
export {
  type ClassWeights,
  type HuberOptions,
  hinge,
  huber,
  logistic,
  type SampleWeights,
  type SmoothHingeOptions,
  smoothHinge,
  softmax,
  softmaxReference,
  squared,
  squaredHinge,
} from './losses/index.ts'
export {
  type CircularCnn,
  type CircularCnnWeights,
  type ConvexCnn,
  type ConvexCnnWeights,
  circularCnn,
  convexCnn,
  type DeepNetwork,
  deepNetwork,
  filterPatches,
  type GatedReluNetwork,
  type GatedReluWeights,
  gatedReluNetwork,
  type LayerOptions,
  type MergeNeuronsOptions,
  mergeNeurons,
  mergeParallelNeurons,
  type RectifiedCnn,
  type RectifiedCnnWeights,
  type ReluNetwork,
  type ReluWeights,
  rectifiedCnn,
  reluNetwork,
  type Scaling,
  type StackedCnn,
  stackedCnn,
  strongestFilters,
  type TwoLayerNetwork,
  unstandardize,
} from './models/index.ts'
export type { ActiveSpan } from './numerics/active-span.ts'
export type {
  Backend,
  BackendName,
  Floats,
  GatedKernel,
  GatedPasses,
  RowReader,
  RowSource,
  SymmetricEigen,
} from './numerics/backend.ts'
export { type BackendOptions, backend, backends, useBackend } from './numerics/backends/index.ts'
export type { BitColumns } from './numerics/bits.ts'
export { type CompactOptions, compactMatrix } from './numerics/compact-matrix.ts'
export type { ActiveRows, ConeProjection } from './numerics/cone-projection.ts'
export { asMatrix, fromMlMatrix, type MatrixLike, type MlMatrixLike, toMlMatrix } from './numerics/interchange.ts'
export { fromRows, matrix, toRows } from './numerics/matrix.ts'
export type { ImageShape, PatchNormalization, PatchOptions, PoolOptions } from './operators/index.ts'
export {
  featureGroupL1,
  type GroupChoice,
  groupL1,
  l1,
  type MatrixBlocks,
  nuclear,
  ridge,
  withinNuclearBall,
} from './penalties/index.ts'
export {
  type CcnnDualOptions,
  type CcnnProgramOptions,
  type CircularCnnOptions,
  type ConeDecomposition,
  type ConeDecompositionMethod,
  type ConeDecompositionOptions,
  ccnnDual,
  ccnnProgram,
  circularCnnProgram,
  coneDecomposition,
  type GatedCnnOptions,
  type GatedPoint,
  type GatedReluOptions,
  gatedCnnProgram,
  gatedReluProgram,
  imagePatches,
  type ReluCnnOptions,
  type ReluOptions,
  reluCnnProgram,
  reluProgram,
  type TwoLayerOptions,
} from './programs/index.ts'
export type { SpectralBall } from './sets/index.ts'
export * from './sweeps/index.ts'
export type * from './types.ts'
