import { backend } from '../src/numerics/backends/index.ts'
import { gatherBlocks } from '../src/numerics/blocks.ts'
import { norm } from '../src/numerics/vectors.ts'
import type { BlockMaps, Vector } from '../src/types.ts'
import { movable } from './movable.ts'
import { nonnegativeQp } from './nonnegative-qp.ts'
import type { NystromModel } from './nystrom-model.ts'

/** Between two lambdas of the way to a small one: their ratio, and the steps at each. */
const RATIO = 3
const WARM_STEPS = 2
/** The share of lambda_max that the way begins at, or near. */
const FIRST = 0.1
/** Blocks that a cold start gives weight to. */
const FEW = 100
/** The diagonal of the Hessian is raised by this, relative, at first, and at most. */
const DAMPING = 1e-5
const MOST_DAMPING = 1e3

/** The lambda of every step of a cold start down to the goal: two at each lambda above it, which are a third of the last, and one there. */
export function wayDown(largest: number, goal: number): number[] {
  return stepsBelow(Math.sqrt(RATIO) * FIRST * largest, goal)
}

/** The same from a start with |A_b'theta| up to `largest`, which is the lambda that it is an optimum for, if it is one. */
export function wayFrom(largest: number, goal: number): number[] {
  return stepsBelow(largest / Math.sqrt(RATIO), goal)
}

function stepsBelow(most: number, goal: number): number[] {
  const lambdas: number[] = []
  for (let lambda = RATIO * goal; lambda < most; lambda *= RATIO) lambdas.unshift(lambda)
  return [...lambdas.flatMap((lambda) => Array<number>(WARM_STEPS).fill(lambda)), goal]
}

/** The blocks of largest |A_b'theta|, a few, in ascending order. */
export function strongest(lengths: Vector): Int32Array {
  return Int32Array.from(lengths.keys())
    .sort((a, b) => lengths[b]! - lengths[a]! || a - b)
    .slice(0, FEW)
    .sort()
}

/**
 * One weight t for all of these blocks, zero for the others: the largest found between `low` and `high` that leaves |A_b'theta(t)|
 * above lambda in the mean, which is taken over every fourth of the blocks.
 */
export function evenWeights(
  maps: BlockMaps,
  blocks: Int32Array,
  lambda: number,
  { low, high, rounds }: { low: number; high: number; rounds: number },
  theta: (t: number) => Vector,
): Vector {
  const { size: d } = maps
  const tried = blocks.filter((_, i) => i % 4 === 0)
  for (let k = 0; k < rounds; k++) {
    const t = Math.sqrt(low * high)
    const found = maps.correlations(tried, theta(t))
    let total = 0
    for (let i = 0; i < tried.length; i++) total += norm(found.subarray(i * d, (i + 1) * d))
    if (total > lambda * tried.length) low = t
    else high = t
  }
  const eta = new Float64Array(maps.count)
  for (const b of blocks) eta[b] = low
  return eta
}

/**
 * Newton's step on eta: a non-negative quadratic program over the blocks that may move, with the Hessian's diagonal
 * raised by at least the share `least`. Undefined when none is found.
 */
export function newtonStep(
  { size: d, rows: n }: BlockMaps,
  model: NystromModel,
  eta: Vector,
  vectors: Vector,
  lengths: Vector,
  lambda: number,
  least: number = DAMPING,
): Vector | undefined {
  const free = movable(eta, lengths, lambda, n)
  const f = free.length
  if (f === 0) return eta.slice()
  const H = model.hessian(free, gatherBlocks(vectors, free, d))
  for (let damping = least; damping <= MOST_DAMPING; damping *= 100) {
    const damped = H.slice()
    for (let i = 0; i < f; i++) damped[i * (f + 1)]! *= 1 + damping
    const b = new Float64Array(f)
    for (let i = 0; i < f; i++) {
      // Newton's step for log |A_b'theta| = log lambda: those for 1 / |A_b'theta| are too long from afar, those for its square too short.
      const length = lengths[free[i]!]!
      b[i] = length > 0 ? length * length * Math.log(length / lambda) : 0
      for (let j = 0; j < f; j++) b[i]! += damped[i * f + j]! * eta[free[j]!]!
    }
    const goal = nonnegativeQp(
      backend(),
      f,
      damped,
      b,
      Uint8Array.from(free, () => 1),
    )
    if (!goal) continue
    const next = new Float64Array(eta.length)
    free.forEach((block, i) => {
      next[block] = goal[i]!
    })
    return next
  }
  return undefined
}
