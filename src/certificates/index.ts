export { type Certified, certifier, certify, isSolved } from './certify.ts'
export { type CertifiedKernel, certifyKernel, kernelCertifier, kernelLambdaMax } from './certify-kernel.ts'
export {
  type GlobalCertificate,
  type GlobalCertificateOptions,
  globalCertificate,
  globalCertification,
  requireNeurons,
  type Verdict,
} from './global-certificate.ts'
export { globalLambdaMax } from './global-lambda-max.ts'
export { atZero, gradientAtZero } from './gradient-at-zero.ts'
export { lambdaMax } from './lambda-max.ts'
export {
  type PreciseCertificate,
  type PreciseOptions,
  type PrecisePenalty,
  type PreciseProblem,
  type PreciseProgress,
  preciseCertificate,
} from './precise.ts'
export type { Priced } from './pricing/neuron-ascent.ts'
export { type Pricing, type PricingOptions, priceNeurons } from './pricing/price-neurons.ts'
export { type Verification, verify } from './verify.ts'
