/**
 * cvxnn: neural networks by convex optimisation, with a certificate on every answer.
 *
 * @packageDocumentation
 */
export * from '../solvers/index.ts'
export {
  certify,
  lambdaMax,
  type PreciseCertificate,
  type PreciseProblem,
  preciseCertificate,
  type Verification,
  verify,
} from './certificates/index.ts'
export * from './data/index.ts'
export * from './estimators/index.ts'
export {
  type EnumerateGatesOptions,
  enumerateGates,
  type Gates,
  gatesFrom,
  gatesOf,
  type SampleGatesOptions,
  sampleGates,
} from './gates/index.ts'
export {
  type Activation,
  type ActivationName,
  activations,
  type ClipOptions,
  clip,
  elu,
  identity,
  type LeakyReluOptions,
  leakyRelu,
  relu,
  type SoftThresholdOptions,
  sigmoid,
  softplus,
  softThreshold,
  tanh,
} from './layers/index.ts'
export { crossEntropy, type Divergence, type Entry, fenchel, linear, mixed } from './lifted/index.ts'
export {
  type ClassWeights,
  type HuberOptions,
  huber,
  logistic,
  type SampleWeights,
  softmax,
  squared,
  squaredHinge,
} from './losses/index.ts'
export {
  type GatedReluNetwork,
  type GatedReluWeights,
  gatedReluNetwork,
  type ReluNetwork,
  type ReluWeights,
  reluNetwork,
  unstandardize,
} from './models/index.ts'
export { asMatrix, fromMlMatrix, type MatrixLike, toMlMatrix } from './numerics/interchange.ts'
export { fromRows, matrix, toRows } from './numerics/matrix.ts'
export { featureGroupL1, groupL1, l1, ridge } from './penalties/index.ts'
export {
  type ConeDecomposition,
  type ConeDecompositionMethod,
  type ConeDecompositionOptions,
  coneDecomposition,
  type GatedPoint,
  type GatedReluOptions,
  gatedReluProgram,
  type ReluOptions,
  reluProgram,
  type TwoLayerOptions,
} from './programs/index.ts'
export type * from './types.ts'
