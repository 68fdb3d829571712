import { activeSpan } from '../src/numerics/active-span.ts'
import { type Svd, svd } from '../src/numerics/svd.ts'
import { dot, norm } from '../src/numerics/vectors.ts'
import type { ConvexProgram, Iterate, Vector } from '../src/types.ts'
import { type CertifiedPoint, certifiedPoint } from './certified-point.ts'
import { type EquicorrelatedPart, equicorrelated } from './equicorrelated.ts'
import { unitRows } from './fit-parts.ts'
import { nonnegativeLeastSquares } from './nonnegative-least-squares.ts'
import { checkOptions, dependenceOf, type OptimalSetOptions, writeBlocks } from './optimal-set.ts'

/** The share of the largest scaling below which one is zero. */
const ZERO = 1e-9

/**
 * The optimum of least Euclidean norm: of all optima with the fit of this one, the one that minimises |u|_2^2 = |alpha|^2 over the
 * scalings alpha of the equicorrelated blocks (see `optimalSet`). It exists, and there is one.
 *
 *     minimise |alpha|^2   subject to   sum_i alpha_i fit_i = fit,  alpha >= 0
 *
 * The equality leaves a null space, in which this is the point nearest to zero of a polyhedron; by duality that is a
 * non-negative least squares problem in the multipliers of alpha >= 0 (Lawson and Hanson 1974, least distance
 * programming). Weight is shared as evenly as the fit allows, so that it has many neurons where `prune` has few. As
 * exact as the point given: solve to a relative gap of 1e-12 first.
 *
 * Where the loss is linear in some entries (huber, hinges) other optima may have another fit; they are not looked at.
 *
 * @throws RangeError when the program has no group norms, its lambda is 0, its loss has a corner, or the point is not solved:
 * its relative gap is above 1e-3.
 */
export function minimumNorm<M>(
  program: ConvexProgram<M>,
  at: Iterate,
  options: OptimalSetOptions = {},
): CertifiedPoint<M> {
  checkOptions(options, 'minimumNorm')
  const found = equicorrelated(program, at, options, 'minimumNorm')
  const coefficients = found.coefficients.slice()
  for (const one of found.parts) {
    const { part, blocks, count, directions } = one
    const alpha = leastScalings(one, found.fit, options.dependence ?? dependenceOf(one))
    if (!alpha) continue
    for (const b of part.blocks) coefficients.fill(0, b * found.size, (b + 1) * found.size)
    writeBlocks(coefficients, blocks.subarray(0, count), directions.subarray(0, count * found.size), alpha)
  }
  return certifiedPoint(program, coefficients)
}

/** The least scalings with the fit's columns of a part, or undefined where no others give that fit. */
function leastScalings(
  { part, count: m, images, scalings }: EquicorrelatedPart,
  fit: Vector,
  dependence: number,
): Vector | undefined {
  const { length } = part
  const seen = part.visible(images.slice(0, m * length))
  const start = scalings.subarray(0, m)
  const scale = norm(start)
  if (scale === 0 || areIndependent(seen, m, length, dependence)) return undefined
  const parts = svd(seen, m, length)
  const rank = rankOf(parts, dependence)
  if (rank === m) return undefined

  // P: the projection on the null space. The answer is base + t for the shortest t in it with base + t >= 0.
  const base = new Float64Array(m)
  const P = new Float64Array(m * m)
  for (let i = 0; i < m; i++) P[i * (m + 1)] = 1
  for (let e = 0; e < rank; e++) {
    const u = parts.left.subarray(e * m, (e + 1) * m)
    const along = dot(u, start) / scale
    for (let i = 0; i < m; i++) {
      base[i]! += along * u[i]!
      for (let j = 0; j < m; j++) P[i * m + j]! -= u[i]! * u[j]!
    }
  }
  const rows = new Float64Array(m * (m + 1))
  for (let i = 0; i < m; i++) {
    rows.set(P.subarray(i * m, (i + 1) * m), i * (m + 1))
    rows[i * (m + 1) + m] = -base[i]!
  }
  const target = new Float64Array(m + 1)
  target[m] = 1
  const multipliers = nonnegativeLeastSquares(rows, m, m + 1, target)
  const rest = target.map((value) => -value)
  multipliers.forEach((weight, i) => {
    for (let j = 0; j <= m; j++) rest[j]! += weight * rows[i * (m + 1) + j]!
  })
  const alpha = base.map((value, i) => scale * Math.max(0, value - rest[i]! / rest[m]!))
  return polished(alpha, seen, length, part.visible(part.columnsOf(fit)), dependence)
}

function areIndependent(rows: Vector, m: number, length: number, dependence: number): boolean {
  if (m > length) return false
  const { unit } = unitRows(rows, length, () => 0)
  const span = activeSpan(length, m, dependence)
  for (let i = 0; i < m; i++) if (!span.add(unit, i, 1)) return false
  return true
}

function rankOf({ values, count }: Svd, dependence: number): number {
  let rank = 0
  while (rank < count && values[rank]! > dependence * values[0]!) rank++
  return rank
}

/** The scalings of least norm for the fit itself, with those that are zero left so; the ones given where that has a negative one. */
function polished(alpha: Vector, seen: Vector, length: number, fit: Vector, dependence: number): Vector {
  const least = ZERO * alpha.reduce((most, value) => Math.max(most, value), 0)
  const free = Int32Array.from(alpha.keys()).filter((i) => alpha[i]! > least)
  const rows = new Float64Array(free.length * length)
  free.forEach((i, q) => {
    rows.set(seen.subarray(i * length, (i + 1) * length), q * length)
  })
  const parts = svd(rows, free.length, length)
  const found = new Float64Array(free.length)
  for (let e = 0; e < rankOf(parts, dependence); e++) {
    const along = dot(parts.right.subarray(e * length, (e + 1) * length), fit) / parts.values[e]!
    for (let q = 0; q < free.length; q++) found[q]! += along * parts.left[e * free.length + q]!
  }
  const out = new Float64Array(alpha.length)
  free.forEach((i, q) => {
    out[i] = found[q]! > 0 ? found[q]! : alpha[i]!
  })
  return out
}
