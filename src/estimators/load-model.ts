import { loadModel as loadNetwork } from '../models/load-model.ts'
import type { Model } from '../types.ts'
import { ReluClassifier } from './relu-classifier.ts'
import { ReluRegressor } from './relu-regressor.ts'

/**
 * Any saved model, from its JSON object or text: a network, a `ReluRegressor` or a `ReluClassifier`.
 *
 * @throws TypeError in one sentence when it is no JSON, another program's file, a newer version, an unknown kind, or damaged.
 */
export function loadModel(json: string | object): Model | ReluRegressor | ReluClassifier {
  const kind = kindOf(json)
  if (kind === 'relu-regressor') return ReluRegressor.load(json)
  if (kind === 'relu-classifier') return ReluClassifier.load(json)
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
