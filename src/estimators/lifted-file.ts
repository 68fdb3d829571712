import * as v from 'valibot'
import { activations } from '../layers/activations.ts'
import type { ActivationName } from '../layers/index.ts'
import { type DeepNetwork, describeDamage, loadModel } from '../models/index.ts'
import type { BlockMeasure, ModelJson, Status } from '../types.ts'
import { fieldsOf, measured, requireFigures, requireOutputs } from './estimator-file.ts'
import type { Label } from './file.ts'
import { type LiftedSettings, liftedMethods, liftedOptionsOf, liftedSettings } from './lifted-options.ts'

/** What a lifted estimator keeps of its training, and writes to its file. */
export interface LiftedTrained {
  readonly settings: LiftedSettings
  /** Reads raw rows, answers in raw units. */
  readonly network: DeepNetwork
  readonly status: Status
  readonly sweeps: number
  /** Of the lifted network at the end, before its output was trained again. */
  readonly measure: BlockMeasure
}

/** The file of a lifted estimator. */
export interface LiftedEstimatorJson extends ModelJson, Omit<LiftedTrained, 'network'> {
  readonly kind: 'lifted-regressor' | 'lifted-classifier'
  readonly network: ModelJson
  /** Of a classifier: the class names, in the order of the outputs. */
  readonly classes?: readonly Label[]
}

export function liftedToJson(
  kind: LiftedEstimatorJson['kind'],
  { network, ...rest }: LiftedTrained,
  classes?: readonly Label[],
): LiftedEstimatorJson {
  return { format: 'cvxnn', version: 1, kind, ...(classes && { classes }), ...rest, network: network.toJSON() }
}

const finite = v.pipe(v.number(), v.finite())
const optionalNumber = v.nullable(finite)
const schema = v.object({
  format: v.literal('cvxnn'),
  version: v.literal(1),
  kind: v.picklist(['lifted-regressor', 'lifted-classifier']),
  classes: v.optional(v.pipe(v.union([v.array(v.string()), v.array(v.number())]), v.minLength(2))),
  settings: v.object({
    method: v.picklist(liftedMethods),
    hidden: v.array(finite),
    activation: v.picklist(Object.keys(activations) as ActivationName[]),
    ...{ coupling: optionalNumber, ridge: optionalNumber },
    batch: v.nullable(v.union([finite, v.literal('all')])),
    ...{ maxSweeps: optionalNumber, tolerance: finite, timeLimit: optionalNumber },
    ...{ standardize: v.boolean(), refit: v.boolean(), seed: finite },
  }),
  status: v.picklist(['solved', 'iteration-limit', 'time-limit', 'aborted', 'diverged']),
  sweeps: finite,
  measure: v.object({
    certificate: v.object({
      ...{ primal: measured, dual: measured, gap: measured, relativeGap: measured, stationarity: measured },
      ...{ primalFeasibility: measured, dualFeasibility: measured, complementarity: measured },
      scope: v.literal('block'),
    }),
    networkLoss: measured,
    gaps: v.array(measured),
    nodeResidual: measured,
    linkResidual: measured,
  }),
  network: v.looseObject({ kind: v.literal('deep-network') }),
})

/**
 * File to what it holds.
 *
 * @throws TypeError in one sentence when the file is foreign, newer, of another kind, or damaged.
 */
export function liftedFromJson(
  kind: LiftedEstimatorJson['kind'],
  json: string | object,
): { trained: LiftedTrained; classes: readonly Label[] } {
  const written = fieldsOf(kind, json)
  return describeDamage(() => {
    const { settings, status, sweeps, measure, classes = [], ...fields } = v.parse(schema, written)
    const { certificate, gaps, ...figures } = measure
    requireFigures(status, certificate)
    requireFigures(status, { ...figures, ...gaps })
    liftedSettings(liftedOptionsOf(settings), 'settings')
    const network = loadModel(fields.network) as DeepNetwork
    if (kind === 'lifted-classifier') requireOutputs(classes, network.outputs)
    return { trained: { settings, network, status, sweeps, measure }, classes }
  })
}
