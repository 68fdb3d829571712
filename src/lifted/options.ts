import type { Activation } from '../layers/activation.ts'
import { identity } from '../layers/identity.ts'
import { dense, type LayerMap } from '../layers/layer-map.ts'
import { relu } from '../layers/relu.ts'
import { sigmoid } from '../layers/sigmoid.ts'
import { given } from '../numerics/given.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import type { OptionKinds } from '../numerics/options.ts'
import { squaredNorm } from '../numerics/vectors.ts'
import type { Matrix } from '../types.ts'
import type { Chain, Link } from './chain.ts'
import { crossEntropy } from './cross-entropy.ts'
import type { Divergence } from './divergence.ts'
import { fenchel } from './fenchel.ts'
import type { LinkSolver } from './majoriser.ts'
import type { NodeSolver } from './node-solvers.ts'
import type { NodeOrder } from './schedule.ts'

/** A hidden layer: its units, or units that each see windows of an image. */
export type HiddenLayer = number | { readonly units: number; readonly map: LayerMap }

/** What a clamped output pays: |z - y|^2 / 2, cross-entropy of classes, or ln(1 + e^z) - y z for columns of 0 and 1. */
export type OutputLoss = 'squared' | 'cross-entropy' | 'logistic'

/** What every lifted network takes. */
export interface LiftedOptions {
  /** rows x features */
  X: MatrixLike
  /** One row of targets per row of X; for classes 1 in the column of the row's class and 0 or -1 elsewhere. */
  y: MatrixLike
  /** The hidden layers, from the input on; none is a single layer. */
  hidden: readonly HiddenLayer[]
  /** How the output layer reads the last hidden one, where not all of it at once: behind a pooling, say. */
  outputMap?: LayerMap
  /** Of the hidden layers (default relu()). */
  activation?: Activation
  /** What a unit of divergence costs: one number, or one per coupled layer. */
  coupling?: number | readonly number[]
  /** rho: what |W|^2 / 2 costs. Above 0, or rescaling a ReLU layer makes couplings count as little as one likes. */
  ridge?: number
  /**
   * alpha: links pay alpha/2 |Th - Th_0|^2 for moving in one sweep. Not part of the objective. One number, or one for each
   * sweep from 1 on: in batches 1 / alpha acts as a learning rate, and falls as alpha grows.
   */
  damping?: number | ((sweep: number) => number)
  nodes?: NodeSolver
  links?: LinkSolver
  order?: NodeOrder
  /** Rows of a batch (default: all at once). */
  batch?: number
  /**
   * In batches: the share of the last batch's move with which the next one starts, from 0 on and below 1 (default 0.9). What
   * single batches ask for averages out over some 1 / (1 - inertia) of them.
   */
  inertia?: number
  /** Of the draw of batches (default 1). */
  seed?: number
}

/** Every name of `LiftedOptions`. */
export const liftedOptionNames: OptionKinds<LiftedOptions> = {
  X: true,
  y: true,
  hidden: true,
  outputMap: true,
  activation: true,
  coupling: true,
  ridge: 'number',
  damping: true,
  nodes: true,
  links: true,
  order: true,
  batch: 'number',
  inertia: 'number',
  seed: 'number',
}

/** The divergence of an output loss. */
export function outputDivergence(loss: OutputLoss, caller: string): Divergence {
  if (loss === 'squared') return fenchel(identity())
  if (loss === 'cross-entropy') return crossEntropy()
  if (loss === 'logistic') return fenchel(sigmoid())
  throw new RangeError(
    `${caller}: loss is ${JSON.stringify(loss)}, expected "squared", "cross-entropy" or "logistic"; pass one of them.`,
  )
}

/** Rows, targets and links, checked. `coupled` divergences go to all layers, or to all but the output's. */
export function chainOf(
  options: LiftedOptions,
  caller: string,
  parts: {
    coupled: (activation: Activation) => Divergence
    coupling: number
    ridge: number
    /** What the output pays where it is clamped; absent where it is free, and its layer couples as the others do. */
    output?: OutputLoss
    outputActivation?: Activation
  },
): Chain {
  const X = asMatrix(options.X, caller, 'X')
  const targets = asMatrix(options.y, caller, 'y')
  if (X.rows === 0 || X.columns === 0)
    throw new RangeError(
      `${caller}: X is ${X.rows} x ${X.columns}, expected at least one row and one column; pass the data.`,
    )
  if (targets.rows !== X.rows || targets.columns === 0)
    throw new RangeError(
      `${caller}: y is ${targets.rows} x ${targets.columns} and X has ${X.rows} rows; pass one row of targets per row.`,
    )
  requireFinite(X, caller, 'X')
  requireFinite(targets, caller, 'y')
  const target =
    parts.output === undefined || parts.output === 'squared' ? targets : classTargets(targets, parts.output, caller)

  requireHidden(options.hidden, caller)
  const { activation = relu(), outputMap } = options
  const ridge = atLeastZero(caller, 'ridge', options.ridge ?? parts.ridge)
  const free = parts.output === undefined
  const layers = options.hidden.length + (free ? 1 : 0)
  const coupling = couplings(options.coupling ?? parts.coupling, layers, caller)
  let entries = X.columns
  const links: Link[] = options.hidden.map((layer, i) => {
    const { units, map } = typeof layer === 'number' ? { units: layer, map: dense(entries) } : layer
    if (!Number.isInteger(units) || units < 1)
      throw new RangeError(
        `${caller}: hidden layer ${i} (counted from 0) has ${units} units, expected a positive whole number; pass its width.`,
      )
    if (map.inputs !== entries)
      throw new RangeError(
        `${caller}: hidden layer ${i} (counted from 0) reads ${map.inputs} entries and ${entries} come in; pass a map of as many.`,
      )
    entries = map.positions * units
    return { map, units, divergence: parts.coupled(activation), coupling: coupling[i]!, ridge }
  })
  const map = outputMap ?? dense(entries)
  if (map.inputs !== entries || map.positions !== 1)
    throw new RangeError(
      `${caller}: the output layer reads ${map.inputs} entries at ${map.positions} positions and ${entries} come in; pass a map with one position, or none.`,
    )
  const divergence = parts.output
    ? outputDivergence(parts.output, caller)
    : parts.coupled(parts.outputActivation ?? activation)
  links.push({ map, units: target.columns, divergence, coupling: free ? coupling.at(-1)! : 1, ridge })
  return { input: X, target, freeOutput: free, links }
}

/** @throws TypeError when it is no list of layers. */
export function requireHidden(hidden: unknown, caller: string): void {
  const one = typeof hidden === 'number' ? hidden : 64
  if (!Array.isArray(hidden) || hidden.some((layer) => typeof layer !== 'number' && typeof layer?.map !== 'object'))
    throw new TypeError(
      `${caller}: hidden is ${given(hidden)}, expected a list of widths, or of { units, map }; pass for example hidden: [${one}].`,
    )
}

/** How a preset is trained unless options say otherwise: alpha of all rows at once, and what batches take. */
export interface Usual {
  readonly damping: number
  /** alpha of the first epoch per mean squared length of the rows [x 1]; in epoch t it is t times as much. */
  readonly batchDamping?: number
}

/** Damping, batch, inertia and seed, checked. */
export function planned(
  options: LiftedOptions,
  caller: string,
  usual: Usual,
  { input }: Chain,
): { damping: (sweep: number) => number; batch?: number; inertia?: number; seed: number } {
  const { batch, seed = 1, inertia } = options
  if (batch !== undefined && (!Number.isInteger(batch) || batch < 1))
    throw new RangeError(
      `${caller}: batch is ${batch}, expected a positive whole number; pass for example 100, or none.`,
    )
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`${caller}: seed is ${seed}, expected a whole number from 0; pass for example 1.`)
  if (inertia !== undefined && batch === undefined)
    throw new RangeError(`${caller}: inertia is given without batch; pass batch: 100, say, or leave it out.`)
  if (inertia !== undefined && !(inertia >= 0 && inertia < 1))
    throw new RangeError(
      `${caller}: inertia is ${inertia}, expected a number from 0 on and below 1; pass for example 0.9.`,
    )
  const { damping = batch === undefined ? usual.damping : growing(usual, input) } = options
  if (typeof damping === 'number') atLeastZero(caller, 'damping', damping)
  return {
    damping: (sweep) => (typeof damping === 'number' ? damping : atLeastZero(caller, 'damping', damping(sweep))),
    seed,
    ...(batch !== undefined && { batch, inertia: inertia ?? 0.9 }),
  }
}

/** Steps in proportion to 1 / sweep, and to what the curvature of the first link is per row. */
function growing({ batchDamping = 0 }: Usual, { rows, data }: Matrix): (sweep: number) => number {
  const first = batchDamping * (1 + squaredNorm(data) / rows)
  return (sweep) => first * sweep
}

function couplings(coupling: number | readonly number[], count: number, caller: string): number[] {
  const all = typeof coupling === 'number' ? new Array<number>(count).fill(coupling) : Array.from(coupling)
  if (all.length !== count || !all.every((value) => value > 0 && Number.isFinite(value)))
    throw new RangeError(
      `${caller}: coupling is ${JSON.stringify(coupling)}, expected a number above 0, or ${count} of them, one per coupled layer; pass for example 1.`,
    )
  return all
}

function atLeastZero(caller: string, name: string, value: number): number {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new RangeError(`${caller}: ${name} is ${value}, expected a number of at least 0; pass for example 1e-4.`)
  return value
}

/** Targets of classes in [0, 1]; -1 counts as 0. Rows of cross-entropy sum to one. */
function classTargets(y: Matrix, loss: OutputLoss, caller: string): Matrix {
  const minusOnes = y.data.some((value) => value === -1)
  const target = matrix(y.rows, y.columns, minusOnes ? y.data.map((value) => (value + 1) / 2) : y.data)
  for (let r = 0; r < y.rows; r++) {
    let sum = 0
    for (let k = 0; k < y.columns; k++) {
      const value = target.data[r * y.columns + k]!
      if (!(value >= 0 && value <= 1))
        throw new RangeError(
          `${caller}: y has ${y.data[r * y.columns + k]} in row ${r}, column ${k} (counted from 0), expected 0 or -1 and 1 for ${loss}; pass one column per class.`,
        )
      sum += value
    }
    if (loss === 'cross-entropy' && Math.abs(sum - 1) > 1e-12)
      throw new RangeError(
        `${caller}: row ${r} of y (counted from 0) sums to ${sum}, expected 1 for cross-entropy; pass 1 in the column of its class.`,
      )
  }
  return target
}
