import { activeSpan } from '../src/numerics/active-span.ts'
import { blockNorm } from '../src/numerics/blocks.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { type Random, random } from '../src/numerics/random.ts'
import type { ConvexProgram, Iterate, Vector } from '../src/types.ts'
import { type CertifiedPoint, certifiedPoint } from './certified-point.ts'
import { type FitPart, fitParts, reaches, unitRows } from './fit-parts.ts'
import { checkDependence } from './optimal-set.ts'

/** How `prune` chooses what goes. */
export interface PruneOptions {
  /** Images of unit length count as dependent where what tells them apart is shorter than this (default 1e-10). */
  dependence?: number
  /**
   * Other vertices to try, each from the point given with blocks in a random order, of which the one with the fewest non-zero
   * blocks is kept: a heuristic, since the fewest of all are NP-hard to find. It helps where the fit lies on a face of the
   * cone of the images; elsewhere all vertices have equally many. Default 0.
   */
  tries?: number
  /** Of the orders tried (default 1). */
  seed?: number
}

/**
 * A point with the same fit, no larger penalty, and images of its non-zero blocks that are linearly independent: at most n
 * neurons an output, at most n - 1 with an unpenalised intercept.
 *
 * While images A_b u_b are dependent, the scalings of their blocks move along a null vector, in the direction that does not
 * raise the sum of their norms, until one of them is zero. Nothing has to be optimal for that: an optimum becomes a vertex
 * of the optimal set, any other point one with fewer neurons that is as good or better. Directions stay as they are.
 * Neurons whose images are collinear become one. Blocks enter an updated orthogonal factorisation one at a time, the
 * largest first; a dependent one leaves, or takes another's place: m n^2 flops for m blocks.
 *
 * Mishkin and Pilanci, ICML 2023, algorithm 1.
 *
 * @throws RangeError when the program has no group norms, or the point another size.
 */
export function prune<M>(program: ConvexProgram<M>, at: Iterate, options: PruneOptions = {}): CertifiedPoint<M> {
  requireOptions(options, { dependence: 'number', tries: 'number', seed: 'number' }, 'prune')
  const { dependence = 1e-10, tries = 0, seed = 1 } = options
  const { size, parts } = fitParts(program, at, 'prune')
  checkDependence(dependence, 'prune')
  if (!Number.isInteger(tries) || tries < 0)
    throw new RangeError(`prune: tries is ${tries}, expected a whole number from 0; pass for example 10.`)
  const draws = random(seed)
  const coefficients = at.coefficients.slice()
  const reach = reaches(program, size)
  for (const part of parts) {
    const images = imagesOf(part, coefficients, size, dependence, reach)
    let best = vertex(images, dependence)
    for (let k = 0; k < tries; k++) {
      const other = vertex(images, dependence, draws)
      if (positives(other) < positives(best)) best = other
    }
    images.blocks.forEach((b, i) => {
      const factor = best[i]! / images.scalings[i]!
      for (let j = b * size; j < (b + 1) * size; j++) coefficients[j] = factor === 0 ? 0 : factor * coefficients[j]!
    })
  }
  return certifiedPoint(program, coefficients)
}

/** What is left of a scaling or a sum, relative to what it comes from, is rounding below this. */
const ROUNDING = 1e-13

/** The non-zero blocks of a part: u_b = scaling direction, and the images of the directions as the loss sees them. */
interface Images {
  readonly blocks: Int32Array
  readonly scalings: Vector
  readonly length: number
  /** Images of unit length, zero where the loss does not see them. */
  readonly unit: Vector
  /** How long they were. */
  readonly lengths: Vector
}

function imagesOf(
  part: FitPart,
  u: Vector,
  size: number,
  dependence: number,
  reach: (block: number) => number,
): Images {
  const blocks = part.blocks.filter((b) => blockNorm(u, b * size, size) > 0)
  const scalings = Float64Array.from(blocks, (b) => blockNorm(u, b * size, size))
  const directions = new Float64Array(blocks.length * size)
  blocks.forEach((b, i) => {
    for (let j = 0; j < size; j++) directions[i * size + j] = u[b * size + j]! / scalings[i]!
  })
  const images = part.images(blocks, directions)
  const { length } = part
  const whole = Float64Array.from(blocks, (_, i) => blockNorm(images, i * length, length))
  // What is a rounding of |A_b|, or adds no more than a rounding to the fit, has no direction.
  const share = whole.reduce((most, length, i) => Math.max(most, scalings[i]! * length), 0) * ROUNDING
  const least = (i: number): number =>
    Math.max(dependence * whole[i]!, ROUNDING * reach(blocks[i]!), share / scalings[i]!)
  return { blocks, scalings, length, ...unitRows(part.visible(images), length, least) }
}

function positives(alpha: Vector): number {
  return alpha.reduce((count, value) => count + (value > 0 ? 1 : 0), 0)
}

/**
 * Scalings with the same fit and no larger sum whose images are independent; in a random order with `draws`, else from the
 * largest image down.
 */
function vertex(images: Images, dependence: number, draws?: Random): Vector {
  const { scalings, lengths } = images
  const alpha = scalings.slice()
  const keys = scalings.map((value, i) => (draws ? draws.uniform() : value * lengths[i]!))
  const order = Array.from(keys.keys()).sort((a, b) => keys[b]! - keys[a]! || a - b)
  // A pass with exchanges may leave images that are dependent to the rounding of its factorisation.
  while (reduce(images, alpha, order, dependence));
  return alpha
}

/** One pass over the images; alpha follows. False when all were independent: then alpha was set right to rounding, too. */
function reduce(
  { unit, lengths, scalings, length }: Images,
  alpha: Vector,
  order: number[],
  dependence: number,
): boolean {
  const span = activeSpan(length, Math.min(length, order.length), dependence)
  const opposite = new Float64Array(length)
  let changed = false
  for (const i of order) {
    while (alpha[i]! > 0 && !span.add(unit, i, 1)) {
      changed = true
      // unit_i = sum_k weights_k unit_k: alpha_i shrinks as the others take over, or the other way round.
      for (let j = 0; j < length; j++) opposite[j] = -unit[i * length + j]!
      const weights = span.solve(opposite, 0)
      const members = [i, ...span.rows.subarray(0, span.size)]
      const rates = members.map((k, q) => (q === 0 ? -1 : weights[q - 1]!) / (lengths[k]! || 1))
      if (lengths[i] === 0) rates.fill(0, 1)
      const total = rates.reduce((sum, rate) => sum + rate, 0)
      const size = rates.reduce((sum, rate) => sum + Math.abs(rate), 0)
      if (total > ROUNDING * size) for (let q = 0; q < rates.length; q++) rates[q]! *= -1
      let step = Number.POSITIVE_INFINITY
      let first = 0
      members.forEach((k, q) => {
        if (rates[q]! < 0 && alpha[k]! < -rates[q]! * step) {
          step = alpha[k]! / -rates[q]!
          first = q
        }
      })
      members.forEach((k, q) => {
        const moved = alpha[k]! + step * rates[q]!
        alpha[k] = q !== first && moved > ROUNDING * alpha[k]! ? moved : 0
      })
      for (let place = span.size - 1; place >= 0; place--) if (!(alpha[span.rows[place]!]! > 0)) span.remove(place)
    }
  }
  if (!changed) settle()
  return changed

  /** The least squares of what is left of the fit, which is rounding of the steps. */
  function settle(): void {
    const rest = new Float64Array(length)
    for (let i = 0; i < alpha.length; i++) {
      const missing = (alpha[i]! - scalings[i]!) * lengths[i]!
      if (missing !== 0) for (let j = 0; j < length; j++) rest[j]! += missing * unit[i * length + j]!
    }
    const weights = span.solve(rest, 0)
    for (let place = 0; place < span.size; place++) {
      const k = span.rows[place]!
      const value = alpha[k]! + weights[place]! / lengths[k]!
      if (value > 0) alpha[k] = value
    }
  }
}
