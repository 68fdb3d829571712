import type { Gates } from '../gates/gates.ts'
import { norm, plus } from '../numerics/vectors.ts'
import { type BlockedCones, type ConePoint, conePoint, stacked } from '../sets/blocked-cones.ts'
import type { Vector } from '../types.ts'
import { insideDirections } from './inside-directions.ts'

/** A block of a gated solution that does not lie in its cone, nor opposite to it. */
export interface OpenBlock {
  readonly gate: number
  readonly u: Vector
  /** Out: w, in the cone together with u + w. */
  w?: Vector
  /** Out: whether the passes ended before a w as short as can be was found. */
  repaired?: boolean
}

/** How blocks are split. */
export interface SplitOptions {
  /** One w for all blocks of a gate. */
  readonly shared: boolean
  readonly passes: number
  /** How far inside the cones v and w are kept, relative to the mean of what rows ask for. */
  readonly tolerance: number
}

/** Gates whose blocks are split together. */
const TOGETHER = 16
/** Searches for the theta that agrees with itself. */
const ROUNDS = 20

/**
 * Splits u = v - w, v and w in the cone, by working sets of rows. With p = w + theta u, both are in the cone when
 *
 *     B p >= max(theta B u, -(1 - theta) B u) ,
 *
 * and the shortest such p is that of least |w|^2 / theta + |v|^2 / (1 - theta), which is (|v| + |w|)^2 at theta = |w| / (|v| + |w|). The
 * blocks u_k of a gate begin together, with one w for all: B p >= max_k max(theta B a, theta B a - B u_k), a their mean, theta = 1/2.
 *
 * Where the passes end too early, a direction inside the cone is added, as little of it as will do.
 *
 * @returns the first gate whose cone has no interior, or undefined when every block has its w.
 */
export function splitByRows(
  cones: BlockedCones,
  gates: Gates,
  blocks: readonly OpenBlock[],
  options: SplitOptions,
  onProgress?: (done: number) => void,
): number | undefined {
  const byGate: OpenBlock[][] = []
  for (const block of blocks) {
    const last = byGate.at(-1)
    if (last && last[0]!.gate === block.gate) last.push(block)
    else byGate.push([block])
  }
  for (let first = 0; first < byGate.length; first += TOGETHER) {
    const chosen = byGate.slice(first, first + TOGETHER)
    const failed = splitSome(cones, gates, chosen, options)
    if (failed !== undefined) return failed
    onProgress?.(chosen.reduce((total, some) => total + some.length, 0))
  }
  return undefined
}

/** One search: p, the blocks that share it, and theta. */
interface Line extends ConePoint {
  readonly bounds: Vector
  readonly blocks: readonly OpenBlock[]
  readonly images: readonly Vector[]
  readonly mean: Vector
  theta: number
  /** Where the theta that agrees with itself lies, and the last one tried. */
  readonly tried: { low: number; high: number; last?: { theta: number; excess: number } }
}

function splitSome(
  cones: BlockedCones,
  gates: Gates,
  chosen: readonly (readonly OpenBlock[])[],
  options: SplitOptions,
): number | undefined {
  const { rows: n, dimension: d } = cones
  const { passes, shared, tolerance } = options
  const all = chosen.flat()
  const images = new Map(all.map((block) => [block, new Float64Array(n)]))
  cones.slacks(
    all.map(({ gate }) => gate),
    stacked(
      all.map(({ u }) => u),
      d,
    ),
    (l, from, products) => images.get(all[l]!)!.set(products, from),
  )
  const which = chosen.map(([block]) => block!.gate)
  const directions = insideDirections(cones, gates, which)
  const insides = new Map(which.map((gate, k) => [gate, directions[k]]))
  const lineOf = (some: readonly OpenBlock[]): Line => {
    const mean = new Float64Array(d)
    for (const { u } of some) plus(mean, 1 / some.length, u, mean)
    const { gate } = some[0]!
    const inside = insides.get(gate)
    return {
      ...conePoint({ gate, target: new Float64Array(d), margin: 0, tolerance: 0, ...(inside && { inside }) }),
      bounds: new Float64Array(n),
      blocks: some,
      images: some.map((block) => images.get(block)!),
      mean,
      theta: 1 / 2,
      tried: { low: 0, high: 1 },
    }
  }
  /** Searches, and returns the lines that have no point. */
  const search = (lines: readonly Line[]): readonly ConePoint[] => {
    for (const line of lines) setBounds(line, tolerance)
    cones.search(lines, passes)
    const failed = cones.complete(lines)
    for (const line of lines) if (!failed.includes(line)) take(line)
    return failed
  }

  const common = chosen.map(lineOf)
  const [failed] = search(common)
  if (failed) return failed.gate
  // Alone, from where they are together: a p of the gate that is found is a direction well inside.
  const several = shared ? [] : common.filter((line) => line.blocks.length > 1)
  const alone = several.flatMap((from) => from.blocks.map((block) => continued(lineOf([block]), from)))
  search(alone)
  let open = [...common.filter((line) => line.blocks.length === 1), ...alone]
  for (let round = 0; round < ROUNDS; round++) {
    open = open.filter((line) => {
      const { w, u } = line.blocks[0]!
      const length = norm(w!)
      const theta = length / (length + norm(plus(u, 1, w!)))
      const excess = theta - line.theta
      // An error of theta costs its square.
      if (excess ** 2 <= tolerance * theta * (1 - theta)) return false
      line.theta = nextTheta(line.tried, line.theta, excess)
      return true
    })
    search(open)
  }
  return undefined
}

/** A secant step to where |w| / (|v| + |w|) - theta, which falls with theta, is zero; between the thetas known to be too small and too large. */
function nextTheta(tried: Line['tried'], theta: number, excess: number): number {
  if (excess > 0) tried.low = theta
  else tried.high = theta
  const { low, high, last } = tried
  tried.last = { theta, excess }
  const secant = last ? theta - (excess * (theta - last.theta)) / (excess - last.excess) : theta + excess
  return secant > low && secant < high ? secant : (low + high) / 2
}

/** A line that begins where another one of its gate has ended. */
function continued(line: Line, from: Line): Line {
  line.held = { rows: from.held.rows, multipliers: new Float64Array(from.held.rows.length) }
  if (from.missed < from.margin) line.inside = from.point
  return line
}

/** What rows ask of p, and the margin beyond that. */
function setBounds(line: Line, tolerance: number): void {
  const { bounds, images, theta } = line
  const n = bounds.length
  let total = 0
  for (let r = 0; r < n; r++) {
    let mean = 0
    let least = 0
    for (const image of images) {
      mean += image[r]!
      least = Math.min(least, image[r]!)
    }
    bounds[r] = (theta * mean) / images.length - least
    total += Math.max(0, bounds[r]!)
  }
  line.margin = (tolerance * total) / n
  line.tolerance = line.margin / 2
}

/** w = p - theta a for every block of the line that has none that is better. */
function take({ point, mean, theta, blocks, missed, margin }: Line): void {
  const w = plus(point, -theta, mean)
  for (const block of blocks) {
    if (block.w && !(norm(w) + norm(plus(block.u, 1, w)) < norm(block.w) + norm(plus(block.u, 1, block.w)))) continue
    block.w = w
    block.repaired = !(missed < margin)
  }
}
