export {
  exactFeatures,
  type FeatureChoice,
  type FeatureMap,
  type FeatureMapJson,
  fourierFeatures,
  kernelFeatures,
  type NystromOptions,
  nystrom,
  nystromFeatures,
  type PatchSource,
  pixels,
  randomFourier,
} from './features.ts'
export { featureMapFromJson } from './features-from-json.ts'
export { type ImageFeatures, type ImageFeaturesOptions, imageFeatures } from './image-features.ts'
export { kernelMatrix } from './kernel-matrix.ts'
export {
  inversePolynomial,
  kernelFromJson,
  linearKernel,
  type PatchKernel,
  type PatchKernelJson,
  rbf,
} from './kernels.ts'
export { type WhiteningOptions, whitened } from './whitening.ts'
