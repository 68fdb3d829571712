import { loadModel as loadNetwork } from '../models/load-model.ts'
import type { Model } from '../types.ts'
import { CcnnClassifier } from './ccnn-classifier.ts'
import { LiftedClassifier } from './lifted-classifier.ts'
import { LiftedRegressor } from './lifted-regressor.ts'
import { ReluClassifier } from './relu-classifier.ts'
import { ReluRegressor } from './relu-regressor.ts'

/**
 * Any saved model, from its JSON object or text: a network, or a regressor or classifier of either family.
 *
 * @throws TypeError in one sentence when it is no JSON, another program's file, a newer version, an unknown kind, or damaged.
 */
export function loadModel(
  json: string | object,
): Model | ReluRegressor | ReluClassifier | CcnnClassifier | LiftedRegressor | LiftedClassifier {
  const kind = kindOf(json)
  if (kind === 'relu-regressor') return ReluRegressor.load(json)
  if (kind === 'relu-classifier') return ReluClassifier.load(json)
  if (kind === 'ccnn-classifier') return CcnnClassifier.load(json)
  if (kind === 'lifted-regressor') return LiftedRegressor.load(json)
  if (kind === 'lifted-classifier') return LiftedClassifier.load(json)
  return loadNetwork(json)
}

function kindOf(json: string | object): unknown {
  try {
    return (typeof json === 'string' ? JSON.parse(json) : json)?.kind
  } catch {
    // Not JSON: the reader of networks says so.
    return undefined
  }
}
