import { type Certified, certifier } from '../src/certificates/certify.ts'
import { atZero } from '../src/certificates/gradient-at-zero.ts'
import type { Certificate, ConvexProgram, Iterate, Vector } from '../src/types.ts'

/** What one pass over the blocks of a program shows of each. */
export interface Screening {
  /** g_b, the polar of A_b'r at r = -dF(Au); an upper bound of it where that is far below the others and lambda. */
  readonly polars: Vector
  /** s g_b, s r being the scaled dual point. */
  readonly scaled: Vector
  /** An upper bound of how much s g_b changes from s r to the optimal dual point; Infinity where |A_b| is not known. */
  readonly reach: Vector
}

/**
 * The gap-safe sphere: the optimal dual point lies within sqrt(2 L gap) of any dual feasible one, L being the smoothness of
 * F, since -F*(-r) is strongly concave with 1 / L. Therefore g_b there is at most s g_b + |A_b| sqrt(2 L gap), and where
 * that is below lambda the block is zero at every optimum.
 *
 * Ndiaye, Fercoq, Gramfort and Salmon 2017, JMLR 18.
 */
export function screening(program: ConvexProgram, { certificate, correlation, scale }: Certified): Screening {
  const { lambda, penalty } = program
  const { size, reach } = program.blocks!
  // Where s is at its limit, lambda / s is the largest polar.
  const enough = Math.max(0.9 * lambda, scale > 0 ? (0.5 * lambda) / scale : 0)
  const polars = penalty.polars!(correlation, size, enough)
  const radius = dualRadius(program, certificate)
  return {
    polars,
    scaled: polars.map((polar) => scale * polar),
    reach: reach ? reach().map((norm) => norm * radius) : polars.map(() => Number.POSITIVE_INFINITY),
  }
}

/**
 * sqrt(2 L gap): no further than this from the optimal dual point are both -dF at the point with this certificate and the
 * dual feasible point behind its bound.
 */
export function dualRadius(program: ConvexProgram, { gap, primal }: Certificate): number {
  const least = ROUNDING * Math.max(Math.abs(primal), Math.abs(atZero(program).loss))
  return Math.sqrt(2 * program.loss.smoothness * Math.max(gap, least))
}

/** Whether a screening proves that a block is zero at every optimum. */
export function isZeroForSure({ scaled, reach }: Screening, k: number, lambda: number): boolean {
  return scaled[k]! + reach[k]! < lambda * BELOW
}

/**
 * The blocks (gates) that are zero at every optimum of a program, as far as this point proves it: `program.restrict` to the
 * others has the same optimum. The smaller the point's gap, the more they are. One product with A'.
 *
 * @throws RangeError when the program has no blocks to choose among, or its penalty does not make them zero.
 */
export function screened(program: ConvexProgram, at: Iterate): Int32Array {
  const answer = screenable(program)
  if (answer !== true) throw new RangeError(`screened: ${answer}`)
  const found = screening(program, certifier(program)(at))
  return Int32Array.from(found.polars.keys()).filter((k) => isZeroForSure(found, k, program.lambda))
}

/** Whether a program falls into blocks that can be zero and left out, or why not. */
export function screenable({ name, blocks, restrict, penalty, lambda }: ConvexProgram): true | string {
  if (!blocks || !restrict)
    return `${name} cannot be restricted to some of its blocks, expected a program with restrict; use proximalGradient().`
  if (!penalty.polars || !penalty.blocks || blocks.size % penalty.blocks.size !== 0)
    return `${name} has ${penalty.name}, expected a penalty that is separable over the gates, groupL1() or l1(); use proximalGradient().`
  if (!(lambda > 0))
    return `${name} has lambda ${lambda}, expected above 0, so that blocks are zero; use proximalGradient().`
  return true
}

/** What rounding may take from a gap, relative to the objective here or at zero: its bound is a difference of such sums. */
const ROUNDING = 1e-13
/** What screening leaves to the rounding of polars and norms. */
const BELOW = 1 - 1e-10
