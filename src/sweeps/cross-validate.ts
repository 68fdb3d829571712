import { type PathSummary, summarizePaths } from './summarize.ts'
import type { SweepData } from './sweep-data.ts'
import { runPlan, type SweepResult } from './sweep-grid.ts'
import { type SweepGridOptions, type SweepSetting, sweepPlan } from './sweep-plan.ts'

/** One setting and what its folds say of it. */
export interface SettingSummary extends PathSummary {
  readonly setting: SweepSetting
}

/** A sweep taken together. */
export interface SweepSummary {
  /** False where the signal ended it: each setting is then judged by what was done of it. */
  readonly complete: boolean
  /** In the order given. */
  readonly settings: readonly SettingSummary[]
  /** The place of the setting whose smallest mean loss is the smallest, the first of equals. */
  readonly best: number
  /** Rows held out over rows trained on: what `confidenceInterval` and `pairedTest` correct for overlapping folds by. */
  readonly testRatio: number
  /** Setting after setting, seed after seed, fold after fold: what a later sweep takes as `known`. */
  readonly results: readonly SweepResult[]
}

/**
 * Cross-validates settings x lambdas over folds and seeds: `sweepGrid` to its end, and its statistics.
 *
 * ```ts
 * const settings = [{ program: 'gated-relu' }, { program: 'relu' }] as const
 * const { settings: [gated, relu], testRatio } = await crossValidate({ X, y }, { settings, executor: threads() })
 * gated.lambda1se                                        // the one-standard-error rule
 * ```
 *
 * @throws RangeError naming the option, its value and what was expected.
 */
export async function crossValidate(data: SweepData, options: SweepGridOptions = {}): Promise<SweepSummary> {
  const plan = await sweepPlan(data, options, 'crossValidate')
  const results: SweepResult[] = []
  for await (const result of runPlan(plan, options)) results.push(result)
  results.sort((a, b) => a.setting - b.setting || a.seed - b.seed || a.fold - b.fold)
  const settings = plan.settings.map((setting, s) => ({
    setting,
    ...summarizePaths(results.filter((result) => result.setting === s).map(({ points }) => points)),
  }))
  const least = settings.map(({ points }) => Math.min(...points.map(({ mean }) => mean)))
  return {
    complete: results.length === plan.places.length,
    settings,
    best: least.indexOf(Math.min(...least)),
    testRatio: plan.testRatio,
    results,
  }
}
