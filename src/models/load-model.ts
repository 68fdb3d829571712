import * as v from 'valibot'
import { WrongKind } from '../numerics/options.ts'
import type { Model, ModelJson } from '../types.ts'
import { circularCnnFromJson } from './circular-cnn.ts'
import { convexCnnFromJson } from './convex-cnn.ts'
import { deepNetworkFromJson } from './deep-network.ts'
import { gatedReluNetworkFromJson } from './gated-relu-network.ts'
import { rectifiedCnnFromJson } from './rectified-cnn.ts'
import { reluNetworkFromJson } from './relu-network.ts'
import { stackedCnnFromJson } from './stacked-cnn.ts'

/** Newest version of the model format that this release reads and writes. */
export const MODEL_VERSION = 1

const readers: Record<string, (json: ModelJson) => Model> = {
  'circular-cnn': circularCnnFromJson,
  'convex-cnn': convexCnnFromJson,
  'rectified-cnn': rectifiedCnnFromJson,
  'stacked-cnn': stackedCnnFromJson,
  'deep-network': deepNetworkFromJson,
  'gated-relu-network': gatedReluNetworkFromJson,
  'relu-network': reluNetworkFromJson,
}

/**
 * The model of a JSON object or text that `toJSON` wrote.
 *
 * @throws TypeError in one sentence when it is no JSON, another program's file, a newer version, an unknown kind, or damaged.
 */
export function loadModel(json: string | object): Model {
  const parsed = typeof json === 'string' ? parse(json) : json
  const head = parsed as Partial<ModelJson> | null
  if (typeof head !== 'object' || head === null || head.format !== 'cvxnn')
    throw new TypeError('loadModel: this is not a cvxnn model (no "format": "cvxnn"); pass what toJSON() wrote.')
  if (typeof head.version === 'number' && head.version > MODEL_VERSION)
    throw new TypeError(
      `loadModel: the model has format version ${head.version} and this release reads up to ${MODEL_VERSION}; update cvxnn.`,
    )
  const read = typeof head.kind === 'string' && Object.hasOwn(readers, head.kind) ? readers[head.kind] : undefined
  if (!read)
    throw new TypeError(
      `loadModel: the model is of kind ${JSON.stringify(head.kind)}, expected one of ${Object.keys(readers).join(', ')}; update cvxnn or check the file.`,
    )
  return describeDamage(() => read(head as ModelJson))
}

/** Runs a reader and turns a failed validation into a sentence that names the place. */
export function describeDamage<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    const told = error instanceof v.ValiError || error instanceof RangeError || error instanceof WrongKind
    if (!told) throw error
    const path = error instanceof v.ValiError ? v.getDotPath(error.issues[0]) : null
    throw new TypeError(
      `loadModel: the model is damaged${path ? ` at "${path}"` : ''} (${error.message}); save it again with toJSON().`,
      { cause: error },
    )
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new TypeError(`loadModel: the text is no JSON (${(error as Error).message}); pass what toJSON() wrote.`, {
      cause: error,
    })
  }
}
