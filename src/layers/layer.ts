import { matrix } from '../numerics/matrix.ts'
import type { Matrix, Vector } from '../types.ts'
import type { Activation } from './activation.ts'
import type { LayerMap } from './layer-map.ts'
import { timesTransposed } from './products.ts'

/** The weights of a layer: one row of W and one entry of b per unit. */
export interface LayerWeights {
  /** units x fanIn */
  readonly W: Matrix
  readonly b: Vector
}

/** x -> phi(unfold(x) W' + b): one layer of a deep network. */
export interface Layer extends LayerWeights {
  readonly map: LayerMap
  readonly activation: Activation
}

/** Entries of a layer's output row. */
export function outputsOf({ map, W }: Pick<Layer, 'map' | 'W'>): number {
  return map.positions * W.rows
}

/** Z = unfold(X) W' + 1 b': rows x (positions units). */
export function affine(
  map: LayerMap,
  { W, b }: LayerWeights,
  X: Matrix,
  out: Matrix = matrix(X.rows, map.positions * W.rows),
): Matrix {
  const A = map.unfold(X)
  const Z = matrix(A.rows, W.rows, out.data)
  timesTransposed(A, W, Z)
  for (let at = 0; at < Z.data.length; at += W.rows) for (let j = 0; j < W.rows; j++) Z.data[at + j]! += b[j]!
  return out
}

/** phi of every entry. */
export function activate(activation: Activation, Z: Vector, out: Vector = new Float64Array(Z.length)): Vector {
  for (let k = 0; k < Z.length; k++) out[k] = activation.value(Z[k]!)
  return out
}
