import type { ActivationName } from '../layers/activation.ts'
import { activations } from '../layers/activations.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'

/** The lifted methods by name. */
export type LiftedMethod = 'fenchel' | 'lpom' | 'tikhonov'

export const liftedMethods: readonly LiftedMethod[] = ['fenchel', 'lpom', 'tikhonov']

/** How a `LiftedRegressor` or `LiftedClassifier` trains. */
export interface LiftedTrainOptions {
  /** The lifted network: `fenchel` (default), `lpom`, or `tikhonov`, which takes no activation and no batches. */
  method?: LiftedMethod
  /** Widths of the hidden layers (default [64]). */
  hidden?: readonly number[]
  /** Of the hidden layers (default `relu`). */
  activation?: ActivationName
  /** What a unit of divergence costs (default: the method's own). */
  coupling?: number
  /** What |W|^2 / 2 costs (default: the method's own). */
  ridge?: number
  /** Rows of a batch, or `all` at once (default: 100 of more than 2000 rows, else all; `tikhonov` takes all). */
  batch?: number | 'all'
  /** Sweeps, or epochs of batches (default 200, in batches and for `tikhonov` 20). */
  maxSweeps?: number
  /** Largest relative residual of a block that counts as solved (default 1e-3). */
  tolerance?: number
  /** Seconds (default none). */
  timeLimit?: number
  /** Replace columns of X by (x - mean) / deviation, and regression targets likewise (default true); undone in the model. */
  standardize?: boolean
  /** Train the output layer once more on the features that the network computes (default: for `tikhonov`). */
  refit?: boolean
  /** Of the random start and the batches (default 1). */
  seed?: number
}

/** Options with every default filled in, as a model's file keeps them; null is the method's own, by the rows, or none. */
export interface LiftedSettings {
  readonly method: LiftedMethod
  readonly hidden: readonly number[]
  readonly activation: ActivationName
  readonly coupling: number | null
  readonly ridge: number | null
  readonly batch: number | 'all' | null
  readonly maxSweeps: number | null
  readonly tolerance: number
  readonly timeLimit: number | null
  readonly standardize: boolean
  readonly refit: boolean
  readonly seed: number
}

const optionNames: OptionKinds<LiftedTrainOptions> = {
  method: true,
  hidden: true,
  activation: true,
  coupling: 'number',
  ridge: 'number',
  batch: true,
  maxSweeps: 'number',
  tolerance: 'number',
  timeLimit: 'number',
  standardize: 'boolean',
  refit: 'boolean',
  seed: 'number',
}

/** Settings as options again. */
export function liftedOptionsOf({
  coupling,
  ridge,
  batch,
  maxSweeps,
  timeLimit,
  ...settings
}: LiftedSettings): LiftedTrainOptions {
  return {
    ...settings,
    ...(coupling !== null && { coupling }),
    ...(ridge !== null && { ridge }),
    ...(batch !== null && { batch }),
    ...(maxSweeps !== null && { maxSweeps }),
    ...(timeLimit !== null && { timeLimit }),
  }
}

/** Beyond so many rows, training goes in batches of so many unless it is told otherwise. */
const MANY = 2000
const BATCH = 100

/** Rows of a batch, undefined for all at once, and the sweeps at most, for a table of so many rows. */
export function paceOf(
  { method = 'fenchel', batch, maxSweeps }: Pick<LiftedTrainOptions, 'method' | 'batch' | 'maxSweeps'>,
  rows: number,
): { batch?: number; maxSweeps: number } {
  const usual = method !== 'tikhonov' && rows > MANY ? BATCH : 'all'
  const size = batch ?? usual
  return {
    ...(size !== 'all' && { batch: size }),
    maxSweeps: maxSweeps ?? (size !== 'all' || method === 'tikhonov' ? 20 : 200),
  }
}

/**
 * Defaults filled in and every value checked.
 *
 * @throws RangeError naming the option, its value and what was expected.
 */
export function liftedSettings(options: LiftedTrainOptions, caller: string): LiftedSettings {
  requireOptions(options, optionNames, caller)
  const {
    method = 'fenchel',
    hidden = [64],
    activation = 'relu',
    coupling = null,
    ridge = null,
    batch = null,
  } = options
  const settings: LiftedSettings = {
    ...{ method, hidden, activation, coupling, ridge, batch },
    maxSweeps: options.maxSweeps ?? null,
    tolerance: options.tolerance ?? 1e-3,
    timeLimit: options.timeLimit ?? null,
    standardize: options.standardize ?? true,
    refit: options.refit ?? method === 'tikhonov',
    seed: options.seed ?? 1,
  }
  const require = (name: keyof LiftedSettings, holds: boolean, expected: string): void => {
    if (holds) return
    const value = settings[name]
    throw new RangeError(
      `${caller}: ${name} is ${typeof value === 'number' ? String(value) : JSON.stringify(value)}, expected ${expected}.`,
    )
  }
  const whole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least
  const above = (value: number | null): boolean => value === null || (value > 0 && Number.isFinite(value))
  require('method', liftedMethods.includes(method), `one of ${liftedMethods.join(', ')}`)
  require('hidden', Array.isArray(hidden) &&
    hidden.every((units) => whole(units, 1)), 'a list of positive whole numbers')
  require('hidden', method !== 'tikhonov' || hidden.length > 0, 'one layer at least with the tikhonov method')
  require('activation', Object.hasOwn(activations, activation), `one of ${Object.keys(activations).join(', ')}`)
  require('activation', method !== 'tikhonov' || activation === 'relu', '"relu" with the tikhonov method')
  require('batch', batch === null || batch === 'all' || whole(batch, 1), 'a positive whole number, or "all"')
  require('batch', method !== 'tikhonov' || typeof batch !== 'number', '"all" with the tikhonov method')
  require('coupling', above(coupling), 'a number above 0')
  require('ridge', ridge === null || ridge === 0 || above(ridge), 'a number of at least 0')
  require('maxSweeps', settings.maxSweeps === null || whole(settings.maxSweeps, 1), 'a positive whole number')
  require('tolerance', settings.tolerance >= 0, 'a number of at least 0')
  require('timeLimit', above(settings.timeLimit), 'seconds above 0')
  require('seed', whole(settings.seed, 0), 'a whole number of at least 0')
  return settings
}
