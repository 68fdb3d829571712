import type { Gates } from '../gates/gates.ts'
import { norm, plus, scaled } from '../numerics/vectors.ts'
import { type BlockedCones, type ConePoint, stacked } from '../sets/blocked-cones.ts'
import type { Vector } from '../types.ts'

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
  margin: number
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
  const lineOf = (some: readonly OpenBlock[]): Line => {
    const mean = new Float64Array(d)
    for (const { u } of some) plus(mean, 1 / some.length, u, mean)
    const { gate } = some[0]!
    const inside = gateDirection(gates, gate, d)
    return {
      gate,
      target: new Float64Array(d),
      bounds: new Float64Array(n),
      ...(inside && { inside }),
      held: { rows: new Int32Array(0), multipliers: new Float64Array(0) },
      point: new Float64Array(d),
      missed: Number.POSITIVE_INFINITY,
      blocks: some,
      images: some.map((block) => images.get(block)!),
      mean,
      theta: 1 / 2,
      tried: { low: 0, high: 1 },
      margin: 0,
    }
  }
  const search = (lines: readonly Line[]): void => {
    for (const line of lines) setBounds(line, tolerance)
    cones.search(lines, { passes, tolerance: (at) => (at as Line).margin / 2 })
  }
  const finish = (lines: readonly Line[], inside: (line: Line) => Vector | undefined): number | undefined => {
    const late = lines.filter(({ missed, margin }) => !(missed < margin))
    const failed = repair(cones, late, inside)
    for (const line of lines) take(line, late.includes(line))
    return failed
  }

  const common = chosen.map(lineOf)
  search(common)
  const failed = finish(common, ({ inside }) => inside)
  if (failed !== undefined) return failed
  // Alone, from where they are together: a p of the gate that is found is a direction well inside.
  const direction = ({ gate, inside }: Line): Vector | undefined => {
    const together = common.find((line) => line.gate === gate)!
    return together.missed < together.margin ? together.point : inside
  }
  const several = shared ? [] : common.filter((line) => line.blocks.length > 1)
  const alone = several.flatMap((from) => from.blocks.map((block) => continued(lineOf([block]), from)))
  search(alone)
  finish(alone, direction)
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
    finish(open, direction)
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
  return line
}

/** The gate's own vector, which has no row on the wrong side; undefined where it has an offset that neurons have not. */
function gateDirection({ vectors, bias }: Gates, gate: number, d: number): Vector | undefined {
  if (vectors.columns > d && bias) return undefined
  const g = new Float64Array(d)
  g.set(vectors.data.subarray(gate * vectors.columns, (gate + 1) * vectors.columns))
  const length = norm(g)
  return length > 0 ? scaled(g, 1 / length) : undefined
}

/** What rows ask of p, and beyond that the margin. */
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
  for (let r = 0; r < n; r++) bounds[r]! += line.margin
}

/**
 * Adds to the points of these lines what they need of a direction inside, or takes that direction alone where this is shorter;
 * returns the gate of a line that has none.
 */
function repair(
  cones: BlockedCones,
  lines: readonly Line[],
  inside: (line: Line) => Vector | undefined,
): number | undefined {
  const d = cones.dimension
  const n = cones.rows
  const zero = new Float64Array(d)
  const directions = lines.map((line) => inside(line) ?? zero)
  const needed = new Float64Array(lines.length)
  const alone = new Float64Array(lines.length)
  const reached = new Float64Array(Math.min(n, 1024))
  const gates = lines.flatMap(({ gate }) => [gate, gate])
  const pairs = lines.flatMap(({ point }, l) => [point, directions[l]!])
  cones.slacks(gates, stacked(pairs, d), (line, from, products) => {
    const l = line >> 1
    const { bounds, margin } = lines[l]!
    if (line % 2 === 0) {
      reached.set(products)
      return
    }
    const steps = (missing: number, r: number): number =>
      missing > 0 ? (products[r]! > 0 ? missing / products[r]! : Number.POSITIVE_INFINITY) : 0
    for (let r = 0; r < products.length; r++) {
      const bound = bounds[from + r]! - margin
      needed[l] = Math.max(needed[l]!, steps(bound - reached[r]!, r))
      alone[l] = Math.max(alone[l]!, steps(bound, r))
    }
  })
  for (const [l, line] of lines.entries()) {
    if (!(needed[l]! < Number.POSITIVE_INFINITY) && !(alone[l]! < Number.POSITIVE_INFINITY)) return line.gate
    // A little more, for rounding.
    const both = plus(line.point, needed[l]! * (1 + 1e-9), directions[l]!)
    const single = scaled(directions[l]!, alone[l]! * (1 + 1e-9))
    line.point.set(norm(both) < norm(single) ? both : single)
  }
  return undefined
}

/** w = p - theta a for every block of the line that has none that is better. */
function take({ point, mean, theta, blocks }: Line, repaired: boolean): void {
  const w = plus(point, -theta, mean)
  for (const block of blocks) {
    if (block.w && !(norm(w) + norm(plus(block.u, 1, w)) < norm(block.w) + norm(plus(block.u, 1, block.w)))) continue
    block.w = w
    block.repaired = repaired
  }
}
