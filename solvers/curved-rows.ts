import { random } from '../src/numerics/random.ts'
import type { BlockMaps, LossHessian, Vector } from '../src/types.ts'
import { type NystromModel, nystromModel } from './nystrom-model.ts'

/** Rows that have all but a small share of a loss's curvature, the maps on them, and a Nystrom model for each output. */
export interface CurvedRows {
  readonly maps: BlockMaps
  readonly models: readonly NystromModel[]
  /** Whether they are all rows. */
  readonly whole: boolean
  /** From all rows of a fit to these, and back with zeros elsewhere. */
  gather(v: Vector): Vector
  scatter(v: Vector): Vector
}

/** Rows are left out that have this share of all curvature together, and none that has more than this share of the largest. */
const DROPPED = 0.003
const LITTLE = 0.02
/** Fewer rows are worth a copy of theirs when they are at most this share. */
const WORTH = 0.8

/**
 * The rows with curvature at a fit: `landmarks` of them are what models sketch by, the likelier the more they have. `storage`
 * holds the models' sketches, an array an output, and is what the next call overwrites.
 */
export function curvedRows(
  maps: BlockMaps,
  { diagonal }: LossHessian,
  { landmarks, seed, storage }: { landmarks: number; seed: number; storage: Float32Array[] },
): CurvedRows {
  const { rows: n, outputs } = maps
  const total = new Float64Array(n)
  for (let k = 0; k < diagonal.length; k++) total[Math.floor(k / outputs)]! += diagonal[k]!
  const order = Int32Array.from(total.keys()).sort((a, b) => total[b]! - total[a]! || a - b)
  const little = LITTLE * total[order[0]!]!
  let open = DROPPED * total.reduce((sum, entry) => sum + entry, 0)
  let count = n
  while (count > 1 && total[order[count - 1]!]! <= Math.min(open, little)) open -= total[order[--count]!]!
  const whole = !maps.onRows || count > WORTH * n
  const chosen = whole ? Int32Array.from(total.keys()) : order.slice(0, count).sort()
  const some = whole ? maps : maps.onRows!(chosen)
  const marks = likelyRows(
    Float64Array.from(chosen, (row) => total[row]!),
    Math.min(landmarks, some.rows),
    seed,
  )
  const sketch = some.sketch!(marks)
  return {
    maps: some,
    models: Array.from({ length: outputs }, (_, k) => {
      const size = some.rows * marks.length
      if (!(storage[k] && storage[k].length >= size)) storage[k] = new Float32Array(size)
      return nystromModel(some, marks, sketch, storage[k])
    }),
    whole,
    gather(v) {
      if (whole) return v
      const out = new Float64Array(chosen.length * outputs)
      chosen.forEach((row, r) => {
        for (let k = 0; k < outputs; k++) out[r * outputs + k] = v[row * outputs + k]!
      })
      return out
    },
    scatter(v) {
      if (whole) return v
      const out = new Float64Array(n * outputs)
      chosen.forEach((row, r) => {
        for (let k = 0; k < outputs; k++) out[row * outputs + k] = v[r * outputs + k]!
      })
      return out
    },
  }
}

/**
 * So many row numbers, ascending, drawn without replacement with these weights: those of smallest -log(u) / w for uniform u.
 * Efraimidis and Spirakis 2006, Inf. Process. Lett. 97(5).
 */
function likelyRows(weights: Vector, count: number, seed: number): Int32Array {
  const draws = random(seed)
  const keys = weights.map((weight) => -Math.log(draws.uniform()) / weight)
  return Int32Array.from(keys.keys())
    .sort((a, b) => keys[a]! - keys[b]! || a - b)
    .slice(0, count)
    .sort()
}
