import * as v from 'valibot'
import { gateDraws } from '../gates/index.ts'
import { describeDamage, loadModel, type TwoLayerNetwork, unstandardize } from '../models/index.ts'
import type { Certificate, ModelJson, Status } from '../types.ts'
import type { CrossValidation } from './cross-validate.ts'
import { fieldsOf, measured, requireFigures, requireOutputs } from './estimator-file.ts'
import { lambdaRules, losses, optionsOf, penalties, programs, type TrainSettings, trainSettings } from './options.ts'
import type { Preparation } from './prepare.ts'

/** What an estimator keeps of its training, and writes to its file. */
export interface TrainedState {
  readonly settings: TrainSettings
  /** On prepared (standardised) rows; with `prepared` it is the network on raw rows. */
  readonly network: TwoLayerNetwork
  readonly prepared: Preparation
  readonly selectedLambda: number
  /** How many features enter a gate; 0 is all of them. */
  readonly selectedGateOrder: number
  readonly status: Status
  readonly solver: string
  readonly iterations: number
  readonly certificate: Certificate
  readonly crossValidation?: CrossValidation
}

/** The file of an estimator. */
export interface EstimatorJson extends ModelJson, Omit<TrainedState, 'network' | 'settings'> {
  /** Without them `lambdaRule` is `'min'` and `gateDraw` `'normal'`, as in files that were written before there was a choice. */
  readonly settings: Omit<TrainSettings, 'lambdaRule' | 'gateDraw'> &
    Partial<Pick<TrainSettings, 'lambdaRule' | 'gateDraw'>>
  readonly kind: 'relu-regressor' | 'relu-classifier'
  readonly network: ModelJson
  /** Of a classifier: the class names, in the order of the outputs. */
  readonly classes?: readonly Label[]
}

/** A class as the caller names it; numbers stay numbers. */
export type Label = string | number

/** The network on raw rows. */
export function rawNetwork({ network, prepared }: Pick<TrainedState, 'network' | 'prepared'>): TwoLayerNetwork {
  return unstandardize(network, prepared.inputs, prepared.targets)
}

/** State to file. */
export function stateToJson(
  kind: EstimatorJson['kind'],
  state: TrainedState,
  classes?: readonly Label[],
): EstimatorJson {
  const {
    settings: { lambdaRule, gateDraw, ...settings },
    network,
    prepared,
    selectedLambda,
    selectedGateOrder,
    status,
    solver,
    iterations,
    certificate,
    crossValidation,
  } = state
  return {
    format: 'cvxnn',
    version: 1,
    kind,
    settings: {
      ...settings,
      ...(lambdaRule !== 'min' && { lambdaRule }),
      ...(gateDraw !== 'normal' && { gateDraw }),
    },
    ...(classes && { classes }),
    selectedLambda,
    selectedGateOrder,
    status,
    solver,
    iterations,
    certificate,
    ...(crossValidation && { crossValidation }),
    prepared,
    network: network.toJSON(),
  }
}

const numbers = v.array(v.pipe(v.number(), v.finite()))
const scaling = v.object({ mean: numbers, scale: numbers })
const atLeastZero = v.pipe(v.number(), v.minValue(0))
const schema = v.object({
  format: v.literal('cvxnn'),
  version: v.literal(1),
  kind: v.picklist(['relu-regressor', 'relu-classifier']),
  settings: v.object({
    program: v.picklist(programs),
    loss: v.picklist(Object.keys(losses) as (keyof typeof losses)[]),
    lambda: v.union([v.number(), v.literal('cv')]),
    gates: v.number(),
    gateOrder: v.union([v.number(), v.literal('cv')]),
    global: v.boolean(),
    penalty: v.picklist(Object.keys(penalties) as (keyof typeof penalties)[]),
    bias: v.boolean(),
    standardize: v.boolean(),
    seed: v.number(),
    tolerance: v.number(),
    maxIterations: v.number(),
    timeLimit: v.nullable(v.number()),
    folds: v.number(),
    lambdaCount: v.number(),
    lambdaRatio: v.number(),
    lambdaRule: v.optional(v.picklist(lambdaRules), 'min'),
    gateDraw: v.optional(v.picklist(gateDraws), 'normal'),
  }),
  classes: v.optional(v.pipe(v.union([v.array(v.string()), v.array(v.number())]), v.minLength(2))),
  selectedLambda: atLeastZero,
  selectedGateOrder: atLeastZero,
  status: v.picklist(['solved', 'iteration-limit', 'time-limit', 'aborted', 'diverged']),
  solver: v.string(),
  iterations: v.number(),
  certificate: v.looseObject({
    primal: measured,
    dual: measured,
    gap: measured,
    relativeGap: measured,
    stationarity: measured,
    primalFeasibility: measured,
    dualFeasibility: measured,
    complementarity: measured,
    scope: v.picklist(['network', 'program', 'block']),
  }),
  crossValidation: v.optional(
    v.object({
      points: v.array(v.object({ lambda: atLeastZero, mean: v.number(), standardError: v.number(), folds: numbers })),
      selectedLambda: atLeastZero,
      gateOrder: atLeastZero,
    }),
  ),
  prepared: v.object({ inputs: scaling, targets: scaling }),
  network: v.looseObject({ kind: v.picklist(['relu-network', 'gated-relu-network']) }),
})

/**
 * File to state.
 *
 * @throws TypeError in one sentence when the file is foreign, newer, of another kind, or damaged.
 */
export function stateFromJson(
  kind: EstimatorJson['kind'],
  json: string | object,
): { state: TrainedState; classes: readonly Label[] } {
  const written = fieldsOf(kind, json)
  return describeDamage(() => {
    const fields = v.parse(schema, written)
    requireFigures(fields.status, fields.certificate)
    trainSettings(optionsOf(fields.settings), 'settings', kind === 'relu-classifier' ? 'classification' : 'regression')
    const state = {
      ...fields,
      network: loadModel(fields.network as object) as TwoLayerNetwork,
    } as unknown as TrainedState
    const { outputs } = rawNetwork(state)
    const classes: readonly Label[] = fields.classes ?? []
    if (kind === 'relu-classifier') requireOutputs(classes, outputs)
    return { state, classes }
  })
}
