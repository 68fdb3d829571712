import type { Task } from '../data/dataset.ts'
import { type GateDraw, gateDraws } from '../gates/index.ts'
import { huber, logistic, softmax, squared, squaredHinge } from '../losses/index.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { featureGroupL1, groupL1, l1, ridge } from '../penalties/index.ts'
import type { LossChoice, PenaltyChoice } from '../types.ts'

/** Penalties by the names that options, files and the command line use. */
export const penalties: Readonly<Record<PenaltyName, () => PenaltyChoice>> = {
  'group-l1': () => groupL1(),
  'joint-group-l1': () => groupL1({ joint: true }),
  l1,
  ridge,
  'feature-group-l1': () => featureGroupL1(),
}

/** Losses by the names that options, files and the command line use. */
export const losses: Readonly<Record<LossName, () => LossChoice>> = {
  squared,
  huber,
  logistic,
  'squared-hinge': squaredHinge,
  softmax,
}

/** The losses by name: see the functions of these names. */
export type LossName = 'squared' | 'huber' | 'logistic' | 'squared-hinge' | 'softmax'

/** Which losses a task takes, the default first. */
export const lossesOf: Readonly<Record<Task, readonly LossName[]>> = {
  regression: ['squared', 'huber'],
  classification: ['squared', 'logistic', 'squared-hinge', 'softmax'],
}

/** The convex programs by name. */
export type ProgramName = 'relu' | 'gated-relu'

export const programs: readonly ProgramName[] = ['relu', 'gated-relu']

/** The penalties by name: see the functions of these names. */
export type PenaltyName = 'group-l1' | 'joint-group-l1' | 'l1' | 'ridge' | 'feature-group-l1'

/** How a `ReluRegressor` or `ReluClassifier` trains. */
export interface TrainOptions {
  /**
   * The convex program: `relu`, a ReLU network through cone constraints, or `gated-relu`, whose gates stay as sampled
   * and which is faster to solve (default).
   */
  program?: ProgramName
  /**
   * What is fitted (default `squared`, also on the -1 and +1 of classes): `huber` too for regression; `logistic`,
   * `squared-hinge` and `softmax` for classes, where softmax of two classes is the logistic loss.
   */
  loss?: LossName
  /**
   * Weight of the penalty on standardised data, or `'cv'` (default): chosen by cross-validation along a path.
   * Units: that of |f(x) - y|^2 / (2 n c) per unit of weight norm.
   */
  lambda?: number | 'cv'
  /** How many activation patterns to sample (default 300). */
  gates?: number
  /**
   * How many features, drawn at random for each, enter one gate; 0 for all of them. `'cv'` (default): chosen among 0, 1
   * and 2 together with lambda, where that is chosen; 0 where lambda is given.
   */
  gateOrder?: number | 'cv'
  /**
   * How gates are drawn: `normal` (default), or `differences` of two rows, which point where the data vary; see `GateDraw`.
   */
  gateDraw?: GateDraw
  /**
   * With the `relu` program: train over all networks of any width and patterns, from the sampled ones on
   * (see `solveGlobal`; default false). Lambda is chosen on sampled patterns.
   */
  global?: boolean
  /** Default `group-l1`: whole neurons vanish. */
  penalty?: PenaltyName
  /** A bias per neuron and gate, penalised with the weights (default true). */
  bias?: boolean
  /** Replace columns of X by (x - mean) / deviation, and regression targets likewise (default true); undone in the model. */
  standardize?: boolean
  /** Seed of gates and folds (default 1). */
  seed?: number
  /** Relative duality gap of the final solve (default 1e-6). */
  tolerance?: number
  /** Default 100,000. */
  maxIterations?: number
  /** Seconds for the final solve (default none). */
  timeLimit?: number
  /** Folds of the cross-validation (default 5). */
  folds?: number
  /** Lambdas tried by the cross-validation, geometric from lambda_max down (default 12). */
  lambdaCount?: number
  /** Smallest lambda tried over lambda_max (default 1e-4). */
  lambdaRatio?: number
  /**
   * Which lambda the cross-validation chooses: `'min'` (default), of the smallest mean loss, or `'1se'`, the largest whose
   * mean loss is within one standard error of that: the simplest network that is not clearly worse.
   */
  lambdaRule?: LambdaRule
}

/** How a cross-validation chooses among its lambdas. */
export type LambdaRule = 'min' | '1se'

export const lambdaRules: readonly LambdaRule[] = ['min', '1se']

/** Options with every default filled in, as a model's file keeps them; `timeLimit` null is none. */
export type TrainSettings = Required<Omit<TrainOptions, 'timeLimit'>> & { timeLimit: number | null }

/** The settings that make the convex program, but for lambda. */
export type ProgramSettings = Pick<
  TrainSettings,
  'program' | 'loss' | 'gates' | 'gateDraw' | 'penalty' | 'bias' | 'standardize' | 'seed'
>

/** Those and how far its solves go: all that one fold of a cross-validation needs to know. */
export type FoldSettings = ProgramSettings &
  Pick<TrainSettings, 'tolerance' | 'maxIterations'> & { readonly gateOrder: number }

/** What a fold needs of an estimator's settings. */
export function foldSettings(settings: TrainSettings, gateOrder: number, tolerance: number): FoldSettings {
  const { program, loss, gates, gateDraw, penalty, bias, standardize, seed, maxIterations } = settings
  return { program, loss, gates, gateOrder, gateDraw, penalty, bias, standardize, seed, tolerance, maxIterations }
}

const defaults: TrainSettings = {
  program: 'gated-relu',
  loss: 'squared',
  lambda: 'cv',
  gates: 300,
  gateOrder: 'cv',
  gateDraw: 'normal',
  global: false,
  penalty: 'group-l1',
  bias: true,
  standardize: true,
  seed: 1,
  tolerance: 1e-6,
  maxIterations: 100_000,
  timeLimit: null,
  folds: 5,
  lambdaCount: 12,
  lambdaRatio: 1e-4,
  lambdaRule: 'min',
}

const optionNames: OptionKinds<TrainOptions> = {
  program: true,
  loss: true,
  lambda: true,
  gates: 'number',
  gateOrder: true,
  gateDraw: true,
  global: 'boolean',
  penalty: true,
  bias: 'boolean',
  standardize: 'boolean',
  seed: 'number',
  tolerance: 'number',
  maxIterations: 'number',
  timeLimit: 'number',
  folds: 'number',
  lambdaCount: 'number',
  lambdaRatio: 'number',
  lambdaRule: true,
}

/** The numbers of features a gate may have that are to be tried, the first of equals winning. */
export function gateOrders({ gateOrder, lambda }: TrainSettings): readonly number[] {
  if (gateOrder !== 'cv') return [gateOrder]
  return lambda === 'cv' ? [0, 1, 2] : [0]
}

/** Settings as options again. */
export function optionsOf({ timeLimit, ...settings }: TrainSettings): TrainOptions {
  return { ...settings, ...(timeLimit !== null && { timeLimit }) }
}

/**
 * Defaults filled in and every value checked.
 *
 * @throws RangeError naming the option, its value and what was expected.
 */
export function trainSettings(options: TrainOptions, caller: string, task: Task): TrainSettings {
  requireOptions(options, optionNames, caller)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings: TrainSettings = { ...defaults, ...given }
  const refuse = (name: keyof TrainSettings, expected: string): never => {
    const value = settings[name]
    throw new RangeError(
      `${caller}: ${name} is ${typeof value === 'string' ? JSON.stringify(value) : String(value)}, expected ${expected}.`,
    )
  }
  const whole = (name: 'gates' | 'seed' | 'folds' | 'lambdaCount' | 'maxIterations', least: number): void => {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < least)
      refuse(name, `a whole number of at least ${least}`)
  }
  const { lambdaRatio, timeLimit } = settings
  if (!programs.includes(settings.program)) refuse('program', `one of ${programs.join(', ')}`)
  if (!lossesOf[task].includes(settings.loss)) refuse('loss', `one of ${lossesOf[task].join(', ')} for ${task}`)
  if (settings.program === 'relu' && settings.penalty !== 'group-l1')
    refuse('penalty', '"group-l1" with the relu program, whose convex form needs it')
  if (settings.global === true && settings.program !== 'relu')
    refuse('global', 'false with the gated-relu program, since neurons are priced for program "relu" only')
  if (settings.global === true && settings.lambda === 0)
    refuse(
      'lambda',
      'above 0 or "cv" with global: true, since without a penalty the bound over all networks is trivial',
    )
  if (settings.lambda !== 'cv' && !(settings.lambda >= 0 && Number.isFinite(settings.lambda)))
    refuse('lambda', 'a number of at least 0 or "cv"')
  if (!Object.hasOwn(penalties, settings.penalty)) refuse('penalty', `one of ${Object.keys(penalties).join(', ')}`)
  if (settings.lambda === 'cv' && settings.penalty === 'ridge')
    refuse('lambda', 'a number with the ridge penalty, which has no lambda_max to start a path from')
  whole('gates', 1)
  if (settings.gateOrder !== 'cv' && !(Number.isSafeInteger(settings.gateOrder) && settings.gateOrder >= 0))
    refuse('gateOrder', 'a whole number of features, 0 for all of them, or "cv"')
  if (!gateDraws.includes(settings.gateDraw)) refuse('gateDraw', `one of ${gateDraws.join(', ')}`)
  whole('folds', 2)
  whole('lambdaCount', 1)
  whole('maxIterations', 1)
  whole('seed', 0)
  if (!(Number.isFinite(settings.tolerance) && settings.tolerance > 0)) refuse('tolerance', 'a number above 0')
  if (!(Number.isFinite(lambdaRatio) && lambdaRatio > 0 && lambdaRatio <= 1))
    refuse('lambdaRatio', 'a number above 0 and at most 1')
  if (!lambdaRules.includes(settings.lambdaRule)) refuse('lambdaRule', `one of ${lambdaRules.join(', ')}`)
  if (timeLimit !== null && !(timeLimit > 0)) refuse('timeLimit', 'seconds above 0')
  return settings
}
