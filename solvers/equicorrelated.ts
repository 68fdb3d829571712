import { certifier } from '../src/certificates/certify.ts'
import { blockNorm, largestBlockNorm } from '../src/numerics/blocks.ts'
import type { Certificate, ConvexProgram, Iterate, Vector } from '../src/types.ts'
import { type FitPart, fitParts, reaches } from './fit-parts.ts'
import { dualRadius } from './screening.ts'

export interface EquicorrelationOptions {
  /**
   * How far below lambda, relative, |A_b'r| may be for a block to count as equicorrelated. Default: three times what the
   * active blocks of the point are off by, from 1e-9 to 1e-2. Blocks that the gap proves to be zero never count.
   */
  tolerance?: number
}

/** The blocks that can be non-zero at an optimum, with the only directions they can have there. */
export interface Equicorrelated {
  /** The point spoken of: the one given, inside its cones; its fit, and certificate. */
  readonly coefficients: Vector
  readonly fit: Vector
  readonly certificate: Certificate
  /** r = -dF(fit); the optimal dual point is no further than `radius` from it. */
  readonly dual: Vector
  readonly radius: number
  /** Coefficients of a block. */
  readonly size: number
  readonly parts: readonly EquicorrelatedPart[]
}

export interface EquicorrelatedPart {
  readonly part: FitPart
  /** Blocks of the penalty: first those that are equicorrelated to the tolerance, then the rest that the gap leaves open. */
  readonly blocks: Int32Array
  /** How many are of the first kind. */
  readonly count: number
  /** |P_b(A_b'r)| / lambda, P_b being the projection on the block's cone where it has one. */
  readonly correlations: Vector
  /** Rows of unit length, P_b(A_b'r) / |P_b(A_b'r)|, and their images. */
  readonly directions: Vector
  readonly images: Vector
  /** The point's coefficients along the directions, at least 0. */
  readonly scalings: Vector
  /** Upper bounds of |A_b|. */
  readonly reach: Vector
  /**
   * The most that the point's blocks, those of nothing but rounding apart, are off by: the distance of their directions from
   * these, and of their correlations from 1.
   */
  readonly inaccuracy: number
}

/** From and to where the default tolerance goes, and what it is to the inaccuracy of the point. */
const LEAST = 1e-9
const MOST = 1e-2
const SLACK = 3
/** The share of the largest block below which a block's direction and correlation say nothing of the accuracy. */
const SLIGHT = 1e-6

/** The largest relative gap of a point that is taken for nearly optimal. */
const FURTHEST = 1e-3

/** Whether a point is near enough to an optimum for its residual to tell which blocks are active there. */
export function isNearOptimal({ relativeGap }: Certificate): boolean {
  return relativeGap <= FURTHEST
}

/**
 * At an optimum with the dual point r, block b is zero unless |P_b(A_b'r)| = lambda, and then a non-negative multiple of
 * P_b(A_b'r): the inequality u'A_b'r <= lambda |u| holds with equality nowhere else. r is the same at all optima of a
 * smooth loss. One product with A', and a projection for each block near lambda.
 */
export function equicorrelated(
  program: ConvexProgram,
  iterate: Iterate,
  { tolerance }: EquicorrelationOptions,
  caller: string,
): Equicorrelated {
  const { loss, lambda, name, penalty, operator } = program
  const { size, parts } = fitParts(program, iterate, caller)
  if (!(lambda > 0))
    throw new RangeError(
      `${caller}: ${name} has lambda ${lambda}, expected above 0: without a penalty no direction is preferred; pass a program with lambda > 0.`,
    )
  if (!Number.isFinite(loss.smoothness))
    throw new RangeError(
      `${caller}: the ${loss.name} loss has a corner, so that a fit does not tell its dual point; use a smooth loss, for example smoothHinge().`,
    )
  if (tolerance !== undefined && !(tolerance >= 0 && tolerance < 1))
    throw new RangeError(`${caller}: tolerance is ${tolerance}, expected from 0 to below 1; pass for example 1e-8.`)
  const { certificate, correlation, at } = certifier(program)(iterate)
  if (!isNearOptimal(certificate))
    throw new RangeError(
      `${caller}: the point has a relative gap of ${certificate.relativeGap.toPrecision(2)}, expected at most ${FURTHEST}: so far from optimal it tells nothing of the optima; solve to a tolerance of 1e-12 first.`,
    )
  const coefficients = at.coefficients.slice()
  const fit = at.fit?.slice() ?? operator.apply(coefficients)
  const radius = dualRadius(program, certificate)
  const reach = reaches(program, size)
  const largest = largestBlockNorm(coefficients, size)

  const scratch = new Float64Array(size)
  /** |P_b(A_b'r)| with the projection in `scratch`, or undefined where the gap proves that the block is zero. */
  const project = (b: number): number | undefined => {
    const least = lambda - reach(b) * radius
    scratch.set(correlation.subarray(b * size, (b + 1) * size))
    let length = blockNorm(scratch, 0, size)
    if (length >= least && penalty.cones)
      length = penalty.cones.project(b, correlation, b * size, scratch, 0, Math.max(0, least * BELOW))
    return length >= least && length > 0 ? length : undefined
  }

  const gather = (part: FitPart): EquicorrelatedPart => {
    const found: { b: number; length: number; direction: Vector; scaling: number }[] = []
    let off = 0
    let misfit = 0
    for (const b of part.blocks) {
      const length = project(b)
      if (length === undefined) continue
      const direction = scratch.map((value) => value / length)
      let along = 0
      for (let j = 0; j < size; j++) along += coefficients[b * size + j]! * direction[j]!
      const norm = blockNorm(coefficients, b * size, size)
      if (norm > SLIGHT * largest) {
        off = Math.max(off, Math.abs(1 - length / lambda))
        let distance = 0
        for (let j = 0; j < size; j++) distance += (coefficients[b * size + j]! / norm - direction[j]!) ** 2
        misfit = Math.max(misfit, Math.sqrt(distance))
      }
      found.push({ b, length, direction, scaling: Math.max(0, along) })
    }
    const least = lambda * (1 - (tolerance ?? Math.min(MOST, Math.max(LEAST, SLACK * off))))
    const ordered = [...found.filter(({ length }) => length >= least), ...found.filter(({ length }) => length < least)]
    const blocks = Int32Array.from(ordered, ({ b }) => b)
    const directions = new Float64Array(ordered.length * size)
    ordered.forEach(({ direction }, i) => {
      directions.set(direction, i * size)
    })
    return {
      part,
      blocks,
      count: ordered.filter(({ length }) => length >= least).length,
      correlations: Float64Array.from(ordered, ({ length }) => length / lambda),
      directions,
      images: part.images(blocks, directions),
      scalings: Float64Array.from(ordered, ({ scaling }) => scaling),
      reach: Float64Array.from(blocks, reach),
      inaccuracy: Math.max(off, misfit),
    }
  }
  return {
    coefficients,
    fit,
    certificate,
    dual: loss.gradient(fit).map((value) => -value),
    radius,
    size,
    parts: parts.map(gather),
  }
}

/** What a projection may end early for stays clear of the least length that counts. */
const BELOW = 1 - 1e-9
