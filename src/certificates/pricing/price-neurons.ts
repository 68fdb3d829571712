import { matrix } from '../../numerics/matrix.ts'
import { random } from '../../numerics/random.ts'
import { spectralBound } from '../../numerics/spectral-bound.ts'
import { norm } from '../../numerics/vectors.ts'
import type { Matrix, Vector } from '../../types.ts'
import { BOUNDARY, branchAndBound } from './branch-and-bound.ts'
import { neuronAscent, type Priced } from './neuron-ascent.ts'
import { searchNeurons } from './neuron-search.ts'
import { rowSpace } from './row-space.ts'

/** How hard to search for the neuron of highest price, and to bound it. */
export interface PricingOptions {
  /** How low the bound is wanted at least: what is below this is not looked into (default 0: find the maximum). */
  readonly target?: number
  /** Ends as soon as a price above the target is found (default false). */
  readonly stopAtViolation?: boolean
  /** Local searches (default 200). */
  readonly starts?: number
  /** Cones of branch and bound (default 100,000, about 10 to 30 seconds); fewer than 2^rank leave it at a search and a crude bound. */
  readonly maxNodes?: number
  /** Seed of the random starts (default 1). */
  readonly seed?: number
  /** Directions to search from first, such as the neurons at hand. */
  readonly given?: readonly Vector[]
}

/** The neurons of highest price, and how high a price can be. */
export interface Pricing {
  /** max { r'(Xu)_+ : |u| <= 1 } is at most this. */
  readonly upper: number
  /** The highest price found. */
  readonly lower: number
  /** Directions found, |u| = 1, the highest price first. */
  readonly neurons: readonly Priced[]
  /** Local searches made, and cones bounded. */
  readonly searches: number
  readonly nodes: number
}

/** How many of the places that searches ended at are climbed from. */
const CLIMBED = 40
/** What products and sums of n terms lose, relative to sum_k |r_k| |x_k|. */
const ROUNDING = 4e-16

/**
 * The pricing problem of two-layer ReLU networks:  max { r'(Xu)_+ : |u| <= 1 } , by local search from many starts and, from
 * below and above, by branch and bound. `Xu` with a column of ones in X is a neuron with a bias.
 *
 * A residual r is dual feasible for networks of every width when the price of r and that of -r are at most lambda; a u with
 * a higher one is a neuron worth adding. Pilanci and Ergen, ICML 2020, show the duality; the problem is NP-hard in the
 * rank of X, and branch and bound is a matter of seconds up to a rank of about 6.
 */
export function* priceNeurons(X: Matrix, r: Vector, options: PricingOptions = {}): Generator<undefined, Pricing> {
  const { target = 0, stopAtViolation = false, starts = 200, maxNodes = 100_000, seed = 1, given = [] } = options
  const { coordinates, lengths, rests, lift, project } = rowSpace(X)
  let slack = 0
  for (let k = 0; k < X.rows; k++)
    slack += Math.abs(r[k]!) * (rests[k]! + (BOUNDARY + ROUNDING * (X.rows + X.columns)) * lengths[k]!)
  let upper = crudeBound(coordinates, r)
  if (!(upper > 0)) return { upper: slack, lower: 0, neurons: [], searches: 0, nodes: 0 }

  const inside = given.map(project)
  const count = Math.max(starts, inside.length)
  const ended = yield* searchNeurons(coordinates, r, { count, draws: random(seed), given: inside })
  const climb = neuronAscent(coordinates, r)
  let found: Priced[] = []
  for (const one of apart(ended).slice(0, CLIMBED)) {
    found.push(climb(one.direction))
    yield undefined
  }
  found = apart(found)
  let nodes = 0
  const violated = (found[0]?.price ?? 0) > target
  if (2 ** coordinates.columns <= maxNodes && !(stopAtViolation && violated)) {
    const bounded = yield* branchAndBound(coordinates, r, {
      target,
      maxNodes,
      starts: found.map(({ direction }) => direction),
      ...(stopAtViolation && { stopAbove: target }),
    })
    nodes = bounded.nodes
    upper = Math.min(upper, bounded.upper)
    found = apart([...found, ...bounded.found])
  }
  const neurons = found.map(({ direction, price }) => ({ direction: lift(direction), price }))
  const lower = neurons[0]?.price ?? 0
  return { upper: Math.max(upper, lower) + slack, lower, neurons, searches: count, nodes }
}

/** Sorted by price, the highest first, without those that are where a higher one is. */
function apart(found: readonly Priced[]): Priced[] {
  const kept: Priced[] = []
  for (const one of found.filter(({ price }) => price > 0).sort((a, b) => b.price - a.price)) {
    const near = kept.some((other) => {
      if (other.price - one.price > 1e-4 * other.price) return false
      let distance = 0
      for (let j = 0; j < one.direction.length; j++) distance += (one.direction[j]! - other.direction[j]!) ** 2
      return distance < 1e-10
    })
    if (!near) kept.push(one)
  }
  return kept
}

/**
 * max r'(Xu)_+ <= |X'r| / 2 + sqrt(sum_k (r_k)_+ |X' diag(r_+) X|_2) / 2 : of (t)_+ = (t + |t|) / 2 the absolute values of rows
 * with r_k < 0 are left out, and those of the others bounded by Cauchy and Schwarz.
 */
function crudeBound({ rows, columns, data }: Matrix, r: Vector): number {
  const slope = new Float64Array(columns)
  const weighted = matrix(rows, columns)
  let total = 0
  for (let k = 0; k < rows; k++) {
    const root = Math.sqrt(Math.max(0, r[k]!))
    total += root * root
    for (let j = 0, x = k * columns; j < columns; j++, x++) {
      slope[j]! += r[k]! * data[x]!
      weighted.data[x] = root * data[x]!
    }
  }
  return (norm(slope) + Math.sqrt(total) * spectralBound(weighted)) / 2
}
