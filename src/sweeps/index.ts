export type { SharedRows } from '../estimators/content-hash.ts'
export { type Executor, inline } from '../estimators/executor.ts'
export type { FoldJob, FoldOfRows, FoldOutcome, JobWatch } from '../estimators/fold-job.ts'
export type { HeldOutPoint } from '../estimators/held-out-path.ts'
export { type BullmqOptions, bullmq } from './bullmq.ts'
export { crossValidate, type SettingSummary, type SweepSummary } from './cross-validate.ts'
export {
  type ConfidenceInterval,
  confidenceInterval,
  type IntervalOptions,
  type PairedTest,
  pairedTest,
} from './statistics.ts'
export type { PathSummary, SweepPoint } from './summarize.ts'
export type { SweepData } from './sweep-data.ts'
export { type SweepResult, sweepGrid } from './sweep-grid.ts'
export type { SweepGridOptions, SweepGridProgress, SweepSetting } from './sweep-plan.ts'
export { type ThreadsOptions, threads } from './threads.ts'
export { type SweepWorker, type SweepWorkerOptions, sweepWorker } from './worker.ts'
