import { type ActiveSpan, activeSpan } from '../src/numerics/active-span.ts'
import { backend } from '../src/numerics/backends/index.ts'
import { blockNorm } from '../src/numerics/blocks.ts'
import { requireOptions } from '../src/numerics/options.ts'
import type { Certificate, ConvexProgram, Iterate, Matrix, Vector } from '../src/types.ts'
import {
  type Equicorrelated,
  type EquicorrelatedPart,
  type EquicorrelationOptions,
  equicorrelated,
} from './equicorrelated.ts'
import { unitRows } from './fit-parts.ts'
import { nonnegativeLeastSquares } from './nonnegative-least-squares.ts'

/** How sharply `optimalSet` tells blocks and fits apart. */
export interface OptimalSetOptions extends EquicorrelationOptions {
  /**
   * Fits of unit length count as dependent where what tells them apart is shorter than this. Default: ten times what the
   * active blocks of the point are off by, in direction or correlation, from 1e-10 to 1e-6.
   */
  dependence?: number
}

/** All optima of a program: non-negative scalings of known directions, a polytope for each output. */
export interface OptimalSet {
  /** Whether no other scalings of the equicorrelated blocks give an optimum: a numerical decision, to the tolerances. */
  readonly unique: boolean
  /**
   * Whether the program certainly has one optimum only: the blocks that the gap leaves open have independent images, by
   * more than the gap can change them. False says nothing: solve to a smaller gap. It stays false where the set is a single point
   * although the images are dependent.
   */
  readonly proved: boolean
  /** Affine dimension, the sum over the faces; 0 when unique. */
  readonly dimension: number
  /**
   * Blocks that only repeat another's direction and image, like a ReLU neuron on the boundary of two cones. Where that is
   * all there is to the dimension, a ReLU program has one network only.
   */
  readonly copies: number
  /** Equicorrelated blocks. */
  readonly size: number
  /** A vertex has at most so many non-zero blocks, where the loss determines the fit: `prune` gets there. */
  readonly rank: number
  /** One for each output, or one for all where the loss or the penalty couples them. */
  readonly faces: readonly OptimalFace[]
  /** r = -dF(fit), one entry per row and output. */
  readonly dual: Vector
  /** The optimal dual point is no further than this from `dual`. */
  readonly radius: number
  /** Of the point given. */
  readonly certificate: Certificate
  /** The point with these scalings, one vector a face. */
  point(scalings: readonly ArrayLike<number>[]): Iterate
}

/** { alpha >= 0 : sum_i alpha_i fit_i = the optimal fit }, as far as the loss sees fits. */
export interface OptimalFace {
  /** The outputs it speaks of. */
  readonly outputs: readonly number[]
  /** Equicorrelated blocks of the penalty, m of them: block b is the coefficients from b size on. */
  readonly blocks: Int32Array
  /** |P_b(A_b'r)| / lambda of each. */
  readonly correlations: Vector
  /** m x size: the direction that each has at every optimum. */
  readonly directions: Matrix
  /** m x n for one output, m x (outputs n) for several, output after output: A_b times the direction. */
  readonly fits: Matrix
  /** The alpha of the point given. */
  readonly scalings: Vector
  /** 1 for blocks that are non-zero at some optimum. */
  readonly positive: Uint8Array
  /** Of the fits of those, as the loss sees them. */
  readonly rank: number
  readonly dimension: number
  /** Those of them that have the direction and the fit of one before. */
  readonly copies: number
  /** Blocks that are not among these, but that the gap does not prove to be zero. */
  readonly undecided: number
}

/** From and to where the default dependence goes. */
const LEAST = 1e-10
const MOST = 1e-6
const SLACK = 10

/**
 * The set of all optima, from one nearly optimal point:
 *
 *     { alpha >= 0 : sum_i alpha_i fit_i = fit },   block i = alpha_i P_i(A_i'r) / lambda over the i with |P_i(A_i'r)| = lambda
 *
 * with the dual point r, which all optima share, and P_i the projection on the cone of a ReLU block. All optima of a
 * strictly convex loss share the fit as well; where the loss is linear in some entries (huber, hinges, weights of zero) or
 * does not see a shift (an intercept, log-odds), the rest of it, and the dimension counts what that leaves open.
 *
 * It is as sharp as the point: solve to a relative gap of 1e-12 first; a point with one above 1e-3 is refused. Takes group norms over gates, of one output each or
 * joint, and ReLU programs. Costs a product with A', projections where there are cones, and some m^2 n flops for m blocks.
 *
 * Mishkin and Pilanci, ICML 2023.
 *
 * @throws RangeError when the program has no group norms, its lambda is 0, its loss has a corner, or the point is not solved.
 */
export function optimalSet(program: ConvexProgram, at: Iterate, options: OptimalSetOptions = {}): OptimalSet {
  checkOptions(options, 'optimalSet')
  const { dependence } = options
  const found = equicorrelated(program, at, options, 'optimalSet')
  const { loss } = program
  const flat = loss.flat?.(found.fit)
  const maybeFlat = loss.flat?.(found.fit, found.radius)
  const faces = found.parts.map((part) => faceOf(found.size, part, dependence ?? dependenceOf(part), flat))
  const sum = (of: (face: OptimalFace) => number): number => faces.reduce((total, face) => total + of(face), 0)
  return {
    unique: faces.every((face) => face.dimension === 0),
    proved: found.parts.every((part) => surelyIndependent(program.lambda, found, part, maybeFlat)),
    dimension: sum((face) => face.dimension),
    copies: sum((face) => face.copies),
    size: sum((face) => face.blocks.length),
    rank: sum((face) => face.rank),
    faces,
    dual: found.dual,
    radius: found.radius,
    certificate: found.certificate,
    point(scalings) {
      if (scalings.length !== faces.length || faces.some((face, f) => face.blocks.length !== scalings[f]!.length))
        throw new RangeError(
          `point: there are scalings of ${Array.from(scalings, ({ length }) => length).join(', ') || 'no'} blocks, expected ${faces.map(({ blocks }) => blocks.length).join(', ')}; pass one number a block for each face.`,
        )
      const coefficients = new Float64Array(program.operator.columns)
      faces.forEach((face, f) => {
        writeBlocks(coefficients, face.blocks, face.directions.data, scalings[f]!)
      })
      return { coefficients }
    },
  }
}

/** @throws RangeError when there is no such option, or one is out of range. */
export function checkOptions(options: OptimalSetOptions, caller: string): void {
  requireOptions(options, { tolerance: 'number', dependence: 'number' }, caller)
  checkDependence(options.dependence, caller)
}

export function checkDependence(dependence: number | undefined, caller: string): void {
  if (dependence !== undefined && !(dependence > 0 && dependence < 1))
    throw new RangeError(`${caller}: dependence is ${dependence}, expected above 0 and below 1; pass for example 1e-8.`)
}

/** What counts as dependent at a part's point. */
export function dependenceOf({ inaccuracy }: EquicorrelatedPart): number {
  return Math.min(MOST, Math.max(LEAST, SLACK * inaccuracy))
}

/** Block blocks_i of u <- alpha_i times row i of `directions`. */
export function writeBlocks(u: Vector, blocks: Int32Array, directions: Vector, alpha: ArrayLike<number>): void {
  const size = directions.length / blocks.length
  blocks.forEach((b, i) => {
    for (let j = 0; j < size; j++) u[b * size + j] = alpha[i]! * directions[i * size + j]!
  })
}

function faceOf(
  size: number,
  { part, blocks, count, correlations, directions, images, scalings }: EquicorrelatedPart,
  dependence: number,
  flat: Uint8Array | undefined,
): OptimalFace {
  const { length, outputs } = part
  const fits = images.slice(0, count * length)
  const lengths = Float64Array.from({ length: count }, (_, i) => blockNorm(fits, i * length, length))
  const { unit } = unitRows(part.visible(fits.slice(), flat), length, (i) => dependence * lengths[i]!)
  const positive = Uint8Array.from(scalings.subarray(0, count), (alpha) => (alpha > 0 ? 1 : 0))
  const span = activeSpan(length, Math.min(count, length), dependence)
  for (let i = 0; i < count; i++) if (positive[i]) span.add(unit, i, 1)
  while (widen(unit, length, span, positive, dependence));
  const possible = Array.from(positive.keys()).filter((i) => positive[i])
  const copies = possible.filter((i) =>
    possible.some((k) => k < i && near(directions, size, k, i, dependence) && near(unit, length, k, i, dependence)),
  )
  return {
    outputs,
    blocks: blocks.slice(0, count),
    correlations: correlations.slice(0, count),
    directions: { rows: count, columns: size, data: directions.slice(0, count * size) },
    fits: { rows: count, columns: length, data: fits },
    scalings: scalings.slice(0, count),
    positive,
    rank: span.size,
    dimension: possible.length - span.size,
    copies: copies.length,
    undecided: blocks.length - count,
  }
}

/** Whether rows a and b differ by no more than `most`. */
function near(rows: Vector, length: number, a: number, b: number, most: number): boolean {
  let total = 0
  for (let j = 0; j < length && total <= most * most; j++) total += (rows[a * length + j]! - rows[b * length + j]!) ** 2
  return total <= most * most
}

/**
 * Finds blocks that may become positive together while those that are take up the difference: non-negative weights of the
 * others whose sum lies in the span of the positive ones, which is to say that zero lies in the convex hull of what is left
 * of their fits. False when there are none.
 */
function widen(unit: Vector, length: number, span: ActiveSpan, positive: Uint8Array, dependence: number): boolean {
  const others: number[] = []
  const rests: Vector[] = []
  let joined = false
  for (let i = 0; i < positive.length; i++) {
    if (positive[i]) continue
    // With a last entry of 1, so that the nearest point to (0, 1) is a convex combination but for a factor.
    const rest = new Float64Array(length + 1)
    span.residual(unit, i * length, rest.subarray(0, length))
    const size = blockNorm(rest, 0, length)
    if (size <= dependence) {
      positive[i] = 1
      joined = true
      continue
    }
    for (let j = 0; j < length; j++) rest[j]! /= size
    rest[length] = 1
    others.push(i)
    rests.push(rest)
  }
  if (joined) return true
  if (others.length === 0) return false
  const rows = new Float64Array(others.length * (length + 1))
  rests.forEach((rest, q) => {
    rows.set(rest, q * (length + 1))
  })
  const one = new Float64Array(length + 1)
  one[length] = 1
  const weights = nonnegativeLeastSquares(rows, others.length, length + 1, one)
  const nearest = new Float64Array(length + 1)
  weights.forEach((weight, q) => {
    for (let j = 0; j <= length; j++) nearest[j]! += weight * rests[q]![j]!
  })
  if (!(blockNorm(nearest, 0, length) <= dependence * nearest[length]!)) return false
  const least = dependence * Math.max(...weights)
  for (const [q, i] of others.entries()) {
    if (!(weights[q]! > least)) continue
    positive[i] = 1
    span.add(unit, i, 1)
  }
  return true
}

/**
 * Whether the images of all blocks that the gap leaves open are independent at the optimal dual point, wherever within the
 * radius that is: A_b'r moves by at most |A_b| radius and a projection by no more, hence a unit direction by 2 |A_b| radius /
 * (lambda + |P_b(A_b'r)|) when the optimal one is of length lambda, and its image by |A_b| times that. If that is in all less than the least singular
 * value, no combination vanishes.
 */
function surelyIndependent(
  lambda: number,
  { radius }: Equicorrelated,
  { part, blocks, correlations, images, reach }: EquicorrelatedPart,
  flat: Uint8Array | undefined,
): boolean {
  const m = blocks.length
  const { length } = part
  if (m > length) return false
  const { unit, lengths } = unitRows(part.visible(images.slice(), flat), length, () => 0)
  let moved = 0
  for (let i = 0; i < m; i++) {
    const change = (2 * reach[i]! ** 2 * radius) / (lambda * (1 + correlations[i]!))
    moved += (change / lengths[i]!) ** 2
  }
  if (!(moved < 1)) return m === 0
  const gram = new Float64Array(m * m)
  backend().syrk(false, m, length, 1, unit, length, 0, gram, m)
  for (let i = 0; i < m; i++) gram[i * (m + 1)]! -= moved + (m + length) * m * 2 ** -52
  return m === 0 || backend().cholesky(m, gram, m) === m
}
