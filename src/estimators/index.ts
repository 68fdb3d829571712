export {
  CcnnClassifier,
  type CcnnClassifierJson,
  type CcnnLayerOptions,
  type CcnnLayerReport,
  type CcnnTrainOptions,
} from './ccnn-classifier.ts'
export type { CrossValidation, CrossValidationPoint } from './cross-validate.ts'
export type { TrainAsyncOptions } from './estimator.ts'
export type { EstimatorJson, Label } from './file.ts'
export { LiftedClassifier } from './lifted-classifier.ts'
export type { LiftedTrainAsyncOptions } from './lifted-estimator.ts'
export type { LiftedEstimatorJson } from './lifted-file.ts'
export type { LiftedMethod, LiftedSettings, LiftedTrainOptions } from './lifted-options.ts'
export { LiftedRegressor } from './lifted-regressor.ts'
export { loadModel } from './load-model.ts'
export type {
  FoldSettings,
  LambdaRule,
  LossName,
  PenaltyName,
  ProgramName,
  ProgramSettings,
  TrainOptions,
  TrainSettings,
} from './options.ts'
export type { Preparation, TrainingProblem } from './prepare.ts'
export { ReluClassifier } from './relu-classifier.ts'
export { ReluRegressor } from './relu-regressor.ts'
export type { TrainProgress } from './train.ts'
