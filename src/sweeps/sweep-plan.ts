import { type Fold, kFolds } from '../data/split.ts'
import { type SharedRows, sharedRows } from '../estimators/content-hash.ts'
import { FOLD_TOLERANCE, gridOf } from '../estimators/cross-validate.ts'
import type { Executor } from '../estimators/executor.ts'
import { type FoldJob, type FoldOfRows, foldJob } from '../estimators/fold-job.ts'
import { foldSettings, type TrainOptions, type TrainSettings, trainSettings } from '../estimators/options.ts'
import type { TrainingData } from '../estimators/training-data.ts'
import { backend } from '../numerics/backends/index.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { type SweepData, sweepTrainingData } from './sweep-data.ts'
import type { SweepResult } from './sweep-grid.ts'

/** One way to train, to be compared with others: `program`, `loss`, `gates`, … as an estimator takes them. */
export interface SweepSetting extends Omit<TrainOptions, keyof typeof elsewhere | 'gateOrder'> {
  /** The lambdas, from the largest down (default: `lambdaCount` of them, geometric from lambda_max down). */
  lambdas?: readonly number[]
  /** How many features enter a gate; 0 (default) is all of them. */
  gateOrder?: number
}

/** Settings, folds and seeds of a sweep, and what runs its jobs. */
export interface SweepGridOptions {
  /** The settings to compare (default: one, of defaults). */
  settings?: readonly SweepSetting[]
  /** How many folds the rows are dealt into for every seed (default 5; stratified for classes), or the folds themselves. */
  folds?: number | readonly Fold[]
  /** One repetition a seed, of folds and gates (default `[1]`). The grid of lambdas is that of the first. */
  seeds?: readonly number[]
  /** Relative duality gap to which every point is solved (default 1e-3, far below what a held-out loss can tell). */
  tolerance?: number
  /** Where the jobs run (default `inline()`); it stays open. */
  executor?: Executor
  /** Results of an earlier sweep: what they hold is yielded again and not computed again. */
  known?: Iterable<Pick<SweepResult, 'id' | 'points' | 'seconds'>>
  /** Ends the sweep early. */
  signal?: AbortSignal
  /** Called at every lambda that is done anywhere, with the share of all. */
  onProgress?: (progress: SweepGridProgress) => void
}

/** How far a job has come. */
export interface SweepGridProgress {
  /** 0 to 1. */
  readonly share: number
  readonly lambda: number
}

/** Where a result belongs, and the job that finds it. */
export interface Place {
  readonly job: FoldJob
  readonly setting: number
  readonly seed: number
  readonly fold: number
}

/** A sweep as it was asked for, before its work: what its results and statistics refer to. */
export interface SweepPlan {
  readonly settings: readonly SweepSetting[]
  readonly seeds: readonly number[]
  /** A grid a setting. */
  readonly lambdas: readonly (readonly number[])[]
  readonly foldCount: number
  /** Rows held out over rows trained on: what tests of overlapping folds correct by. */
  readonly testRatio: number
  readonly data: SharedRows
  readonly places: readonly Place[]
}

const optionNames: OptionKinds<SweepGridOptions> = {
  settings: true,
  folds: true,
  seeds: true,
  tolerance: 'number',
  executor: true,
  known: true,
  signal: true,
  onProgress: true,
}

/** Checks, deals the folds, finds the lambdas and names the jobs. */
export async function sweepPlan(data: SweepData, options: SweepGridOptions, caller: string): Promise<SweepPlan> {
  requireOptions(options, optionNames, caller)
  const checked = sweepTrainingData(data, caller)
  const { X, Y, task, labels } = checked
  const { settings = [{}], folds = 5, seeds = [1], tolerance = FOLD_TOLERANCE } = options
  if (settings.length === 0) throw new RangeError(`${caller}: settings is empty, expected one at least; pass [{}].`)
  if (seeds.length === 0 || new Set(seeds).size < seeds.length)
    throw new RangeError(`${caller}: seeds is [${seeds.join(', ')}], expected one at least, all distinct; pass [1, 2].`)
  const foldCount = typeof folds === 'number' ? folds : folds.length
  if (foldCount === 0)
    throw new RangeError(`${caller}: folds is empty, expected two at least; pass what kFolds returns.`)
  if (typeof folds === 'number') kFolds(X.rows, { count: folds })
  else for (const [k, fold] of folds.entries()) requireRows(fold, k, X.rows, caller)
  const each = settings.map((setting) => checkedSetting(setting, { task, seed: seeds[0]!, tolerance, caller }))
  const lambdas = each.map(
    (setting, s) => settings[s]!.lambdas ?? gridOf(X, Y, setting, setting.gateOrder as number, task),
  )
  const shared = await sharedRows(task, X, Y)
  const places: Promise<Place>[] = []
  for (const [s, setting] of each.entries())
    for (const [k, seed] of seeds.entries())
      for (let f = 0; f < foldCount; f++) {
        const rows: FoldOfRows =
          typeof folds === 'number'
            ? { index: f, count: folds, seed, stratified: labels !== undefined }
            : { train: Array.from(folds[f]!.train), validation: Array.from(folds[f]!.validation) }
        const parts = {
          ...{ data: shared.hash, fold: rows, lambdas: lambdas[s]!, backend: backend().name },
          settings: foldSettings({ ...setting, seed }, setting.gateOrder as number, tolerance),
        }
        places.push(foldJob(parts).then((job) => ({ job, setting: s, seed: k, fold: f })))
      }
  return {
    ...{ settings, seeds, lambdas, foldCount, data: shared },
    testRatio: testRatioOf(folds),
    places: await Promise.all(places),
  }
}

/** Options of an estimator that are no setting's, and what takes their place. */
const elsewhere = {
  global: 'leave it out, folds are judged on sampled patterns',
  lambda: 'pass lambdas in it',
  lambdaRule: 'read lambdaMin and lambda1se of the summary',
  seed: 'pass seeds beside settings',
  folds: 'pass folds beside settings',
  tolerance: 'pass tolerance beside settings',
  timeLimit: 'pass maxIterations in it',
} as const

function checkedSetting(
  { lambdas, ...setting }: SweepSetting,
  { task, seed, tolerance, caller }: { task: TrainingData['task']; seed: number; tolerance: number; caller: string },
): TrainSettings {
  for (const [name, instead] of Object.entries(elsewhere))
    if (name in setting) throw new RangeError(`${caller}: a setting has ${name}, which is not a setting's; ${instead}.`)
  const { gateOrder = 0 } = setting
  if (typeof gateOrder !== 'number')
    throw new RangeError(
      `${caller}: a setting has gateOrder ${JSON.stringify(gateOrder)}, expected a whole number; pass one setting a number.`,
    )
  if (lambdas && (lambdas.length === 0 || lambdas.some((lambda) => !(lambda >= 0 && Number.isFinite(lambda)))))
    throw new RangeError(
      `${caller}: lambdas is [${lambdas.join(', ')}], expected numbers of at least 0; pass for example [0.1, 0.01].`,
    )
  if (setting.penalty === 'ridge' && !lambdas)
    throw new RangeError(
      `${caller}: the ridge penalty has no lambda_max to start a grid from; pass lambdas: [1, 0.1, 0.01] in that setting.`,
    )
  const lambda = lambdas ? lambdas[0]! : 'cv'
  return trainSettings({ ...setting, gateOrder, seed, tolerance, lambda }, caller, task)
}

function requireRows({ train, validation }: Fold, k: number, rows: number, caller: string): void {
  if (train.length === 0 || validation.length === 0)
    throw new RangeError(
      `${caller}: fold ${k} has ${train.length} rows to train on and ${validation.length} held out, expected some of each; pass what kFolds returns.`,
    )
  const held = new Set(validation)
  for (const row of [...train, ...validation])
    if (!(Number.isInteger(row) && row >= 0 && row < rows))
      throw new RangeError(`${caller}: fold ${k} has row ${row} and X has ${rows} rows; count them from 0.`)
  const both = train.find((row) => held.has(row))
  if (both !== undefined)
    throw new RangeError(`${caller}: fold ${k} trains on row ${both} and holds it out; leave it out of one of them.`)
}

function testRatioOf(folds: number | readonly Fold[]): number {
  if (typeof folds === 'number') return 1 / (folds - 1)
  return folds.reduce((sum, { train, validation }) => sum + validation.length / train.length / folds.length, 0)
}
