import type { Gates } from '../gates/gates.ts'
import { norm, plus, scaled } from '../numerics/vectors.ts'
import { type BlockedCones, conePoint, stacked } from '../sets/blocked-cones.ts'
import type { Vector } from '../types.ts'

/** Rows this near to the boundary of a gate, of unit vectors, are on it. */
const EDGE = 1e-12
/** Passes over X that the search for a direction away from a boundary may take. */
const PASSES = 30

/**
 * A unit vector strictly inside the cone of each of these gates: the gate's own vector g, which has no row on the wrong side. Where it
 * has rows on the boundary, x_r'g = 0, as images have that are black within a gate's window, it is g + t v with v the shortest
 * vector that has s_r x_r'v >= 1 for those, and t half of what would bring another row to the boundary. Undefined where there
 * is no such v, or the gate has an offset that neurons have not. A pass over X, and where rows are on a boundary one search
 * for v and another pass.
 */
export function insideDirections(cones: BlockedCones, gates: Gates, which: readonly number[]): (Vector | undefined)[] {
  const { rows: n, dimension: d } = cones
  const found = which.map((gate) => ownDirection(gates, gate, d))
  const lines = which.flatMap((gate, l) => (found[l] ? [{ gate, l, g: found[l], slacks: new Float64Array(n) }] : []))
  cones.slacks(
    lines.map(({ gate }) => gate),
    stacked(
      lines.map(({ g }) => g),
      d,
    ),
    (k, from, products) => lines[k]!.slacks.set(products, from),
  )
  const touching = lines.flatMap(({ gate, l, g, slacks }) => {
    if (slacks.every((slack) => slack > EDGE)) return []
    const bounds = slacks.map((slack) => (slack > EDGE ? Number.NEGATIVE_INFINITY : 1))
    return [{ l, g, slacks, at: conePoint({ gate, target: new Float64Array(d), margin: 0, tolerance: 1 / 2, bounds }) }]
  })
  if (touching.length === 0) return found
  cones.search(
    touching.map(({ at }) => at),
    PASSES,
  )
  const steps = touching.map(() => Number.POSITIVE_INFINITY)
  cones.slacks(
    touching.map(({ at }) => at.gate),
    stacked(
      touching.map(({ at }) => at.point),
      d,
    ),
    (k, from, products) => {
      const { slacks } = touching[k]!
      for (let r = 0; r < products.length; r++)
        if (slacks[from + r]! > EDGE && products[r]! < 0)
          steps[k] = Math.min(steps[k]!, slacks[from + r]! / -products[r]!)
    },
  )
  touching.forEach(({ l, g, at }, k) => {
    const length = norm(at.point)
    // Where nothing else is in the way, as far as the gate is long.
    const t = Math.min(steps[k]! / 2, length > 0 ? 1 / length : 0)
    const moved = plus(g, t, at.point)
    found[l] = at.missed <= at.tolerance ? scaled(moved, 1 / norm(moved)) : undefined
  })
  return found
}

/** The gate's vector, of length one; undefined where it has an offset that neurons have not. */
function ownDirection({ vectors, bias }: Gates, gate: number, d: number): Vector | undefined {
  if (vectors.columns > d && bias) return undefined
  const g = new Float64Array(d)
  g.set(vectors.data.subarray(gate * vectors.columns, (gate + 1) * vectors.columns))
  const length = norm(g)
  return length > 0 ? scaled(g, 1 / length) : undefined
}
