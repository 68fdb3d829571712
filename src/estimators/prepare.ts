import type { Task } from '../data/dataset.ts'
import { applyStandardization, type Standardization, standardize } from '../data/standardize.ts'
import { sampleGates } from '../gates/sample-gates.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import { type GatedReluOptions, gatedReluProgram } from '../programs/gated-relu.ts'
import { reluProgram } from '../programs/relu.ts'
import type { ConvexProgram, Matrix } from '../types.ts'
import { losses, type ProgramSettings, penalties } from './options.ts'

/** How raw columns became the program's: (x - mean) / scale, for inputs and targets. */
export interface Preparation {
  readonly inputs: Standardization
  readonly targets: Standardization
}

/**
 * Means and deviations of the training rows; the identity where standardisation is off. Classes are only centred, and
 * for losses that read signs they stay -1 and +1.
 */
export function preparation(X: Matrix, Y: Matrix, settings: ProgramSettings, task: Task): Preparation {
  const inputs = settings.standardize ? fields(standardize(X)) : identity(X.columns)
  const signs = task === 'classification' && settings.loss !== 'squared'
  const targets = settings.standardize && !signs ? fields(standardize(Y)) : identity(Y.columns)
  return { inputs, targets: task === 'classification' ? { ...targets, scale: identity(Y.columns).scale } : targets }
}

/** What is chosen where settings leave it open. */
export interface Selection {
  readonly lambda?: number
  /** How many features enter a gate; 0 is all of them. */
  readonly gateOrder?: number
}

/** The ingredients of the program that training solves: prepared rows, sampled gates, penalty. */
export function trainingProblem(
  X: Matrix,
  Y: Matrix,
  prepared: Preparation,
  settings: ProgramSettings,
  { lambda = 0, gateOrder = 0 }: Selection = {},
): TrainingProblem {
  const rows = applyStandardization(X, prepared.inputs)
  const features = informative(rows)
  return {
    X: rows,
    y: applyStandardization(Y, prepared.targets),
    gates: sampleGates(rows, {
      count: settings.gates,
      seed: settings.seed,
      draw: settings.gateDraw,
      bias: settings.bias,
      features,
      ...(gateOrder > 0 && { order: Math.min(gateOrder, features.length) }),
    }),
    lambda,
    // One column holds two classes, of which softmax is the logistic loss.
    loss: losses[settings.loss === 'softmax' && Y.columns === 1 ? 'logistic' : settings.loss](),
    penalty: penalties[settings.penalty](),
    bias: settings.bias,
  }
}

/**
 * Columns that are not zero throughout, as constant ones are once standardised: what gates read. A gate that read the
 * others would not notice in training, and would open or close on any other value in a row to predict.
 */
function informative({ rows, columns, data }: Matrix): number[] {
  const all = Array.from({ length: columns }, (_, j) => j)
  const found = all.filter((j) => {
    for (let r = 0; r < rows; r++) if (data[r * columns + j] !== 0) return true
    return false
  })
  return found.length > 0 ? found : all
}

/** What `gatedReluProgram` and `reluProgram` take, with every part there: the problem an estimator trained on, for checks of one's own. */
export interface TrainingProblem extends Required<Omit<GatedReluOptions, 'precision'>> {
  readonly X: Matrix
  readonly y: Matrix
}

/** The program that training solves; lambda is 0 while it is still to come. */
export function trainingProgram(
  X: Matrix,
  Y: Matrix,
  prepared: Preparation,
  settings: ProgramSettings,
  selection: Selection = {},
): ConvexProgram<TwoLayerNetwork> {
  return programOf(trainingProblem(X, Y, prepared, settings, selection), settings)
}

/** The program of its ingredients. */
export function programOf(
  problem: TrainingProblem,
  { program }: Pick<ProgramSettings, 'program'>,
): ConvexProgram<TwoLayerNetwork> {
  // Each program takes back only networks of its own kind.
  return (program === 'relu' ? reluProgram(problem) : gatedReluProgram(problem)) as ConvexProgram<TwoLayerNetwork>
}

function fields({ mean, scale }: Standardization): Standardization {
  return { mean, scale }
}

function identity(columns: number): Standardization {
  return { mean: new Array(columns).fill(0), scale: new Array(columns).fill(1) }
}
