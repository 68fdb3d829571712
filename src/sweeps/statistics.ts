import { given } from '../numerics/given.ts'
import { studentT } from './student-t.ts'
import { moments } from './summarize.ts'

/** Level of an interval, and how far apart its losses are. */
export interface IntervalOptions {
  /** Probability that the interval holds the mean (default 0.95). */
  level?: number
  /**
   * Rows held out over rows trained on, as `SweepSummary.testRatio` says: losses of folds are not independent, since the
   * rows they were trained on overlap. 0 (default) is for independent losses.
   */
  testRatio?: number
}

/** A mean and how far from it the true one may be. */
export interface ConfidenceInterval {
  readonly mean: number
  readonly lower: number
  readonly upper: number
}

/**
 * Student's interval of a mean:  mean -+ t_{1 - (1 - level) / 2, J - 1} s sqrt(1/J + r),
 * for J values of sample deviation s; r is `testRatio` (Nadeau and Bengio 2003, Machine Learning 52).
 *
 * @throws RangeError of fewer than two values, or options out of range.
 */
export async function confidenceInterval(
  values: readonly number[],
  options: IntervalOptions = {},
): Promise<ConfidenceInterval> {
  const { mean, error, degreesOfFreedom } = corrected('confidenceInterval', values, options)
  const { quantile } = await studentT('confidenceInterval')
  const { level = 0.95 } = options
  const half = error === 0 ? 0 : error * quantile((1 + level) / 2, degreesOfFreedom)
  return { mean, lower: mean - half, upper: mean + half }
}

/** A test of whether two settings have the same expected loss. */
export interface PairedTest extends ConfidenceInterval {
  /** Mean of the differences a - b over its standard error. */
  readonly t: number
  readonly degreesOfFreedom: number
  /** Two-sided: how likely so large a |t| is when there is no difference. */
  readonly p: number
}

/**
 * Paired t test of losses on the same folds, in the same order:  t = mean(d) / (s_d sqrt(1/J + r)),  d = a - b, with J - 1
 * degrees of freedom; `mean`, `lower` and `upper` are of the differences.
 *
 * With r = 0 it is the textbook's, which on overlapping folds finds differences where there are none, and the more the
 * more repetitions there are; with `testRatio` it is the corrected resampled t test (Nadeau and Bengio 2003, Machine
 * Learning 52; over repeated folds as Bouckaert and Frank 2004, PAKDD, have it). Of several tests, correct for their number.
 *
 * @throws RangeError when the lists differ in length or hold fewer than two, or options are out of range.
 */
export async function pairedTest(
  a: readonly number[],
  b: readonly number[],
  options: IntervalOptions = {},
): Promise<PairedTest> {
  if (a.length !== b.length)
    throw new RangeError(
      `pairedTest: there are ${a.length} losses of one setting and ${b.length} of the other; pass those of the same folds.`,
    )
  const differences = a.map((value, k) => value - b[k]!)
  const { mean, error, degreesOfFreedom } = corrected('pairedTest', differences, options)
  const interval = await confidenceInterval(differences, options)
  const { cdf } = await studentT('pairedTest')
  // Differences that are all the same leave nothing to chance.
  const t = error > 0 ? mean / error : mean === 0 ? 0 : Math.sign(mean) * Number.POSITIVE_INFINITY
  const p = t === 0 ? 1 : Number.isFinite(t) ? 2 * cdf(-Math.abs(t), degreesOfFreedom) : 0
  return { ...interval, t, degreesOfFreedom, p }
}

function corrected(
  caller: string,
  values: readonly number[],
  { level = 0.95, testRatio = 0 }: IntervalOptions,
): { mean: number; error: number; degreesOfFreedom: number } {
  if (values.length < 2 || !values.every(Number.isFinite))
    throw new RangeError(
      `${caller}: there are ${values.length} values (${values.filter((value) => !Number.isFinite(value)).length} not finite), expected two finite ones at least; pass one a fold.`,
    )
  if (typeof level !== 'number' || !(level > 0 && level < 1))
    throw new RangeError(`${caller}: level is ${given(level)}, expected between 0 and 1; pass for example 0.95.`)
  if (!Number.isFinite(testRatio) || testRatio < 0)
    throw new RangeError(
      `${caller}: testRatio is ${given(testRatio)}, expected at least 0; pass the summary's testRatio, or 0 for independent values.`,
    )
  const { mean, standardDeviation } = moments(values)
  const error = standardDeviation * Math.sqrt(1 / values.length + testRatio)
  return { mean, error, degreesOfFreedom: values.length - 1 }
}
