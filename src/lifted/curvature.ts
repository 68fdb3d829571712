import type { LayerMap } from '../layers/layer-map.ts'
import { times, timesTransposed } from '../layers/products.ts'
import { backend } from '../numerics/backends/index.ts'
import { matrix } from '../numerics/matrix.ts'
import { random } from '../numerics/random.ts'
import { norm } from '../numerics/vectors.ts'
import type { Matrix } from '../types.ts'

/** Up to this many rows or columns, the eigenvalues of the Gram matrix are computed. */
const SMALL = 32
/** Rounds of the power method, and the share by which what it finds is raised: it comes from below. */
const ROUNDS = 60
const MARGIN = 1.05

/** How much of a random direction joins the one that is known: what W has grown since must show in it. */
const NUDGE = 0.01

/**
 * |x -> W unfold(x)|^2, the largest squared singular value; of large matrices an estimate from above. `direction`, a row as
 * long as x, is where the search starts unless it is zero, and is left where it ends: of weights that moved little since, it
 * takes two or three rounds.
 */
export function curvatureOf(map: LayerMap, W: Matrix, direction?: Matrix): number {
  const side = Math.min(W.rows, W.columns)
  if (map.json.kind === 'dense' && side <= SMALL) {
    const gram = new Float64Array(side * side)
    const wide = W.columns > W.rows
    backend().syrk(!wide, side, wide ? W.columns : W.rows, 1, W.data, W.columns, 0, gram, side)
    return Math.max(0, backend().symmetricEigen(side, gram, side).values[side - 1]!)
  }
  const draws = random(1)
  const known = direction ? norm(direction.data) : 0
  const share = known > 0 ? (NUDGE * known) / Math.sqrt(map.inputs) : 1
  let x = matrix(
    1,
    map.inputs,
    Float64Array.from({ length: map.inputs }, (_, j) => (direction?.data[j] ?? 0) + share * draws.normal()),
  )
  const image = matrix(map.positions, W.rows)
  const back = matrix(map.positions, W.columns)
  let found = 0
  for (let round = 0; round < ROUNDS; round++) {
    const size = norm(x.data)
    if (!(size > 0)) return 0
    for (let j = 0; j < x.data.length; j++) x.data[j]! /= size
    timesTransposed(map.unfold(x), W, image)
    const now = norm(image.data) ** 2
    const settled = Math.abs(now - found) <= 1e-4 * now
    found = now
    if (settled) break
    x = matrix(1, map.inputs, map.fold(times(image, W, back)).data.slice())
  }
  direction?.data.set(x.data)
  return MARGIN * found
}
