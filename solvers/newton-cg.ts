import { gatherBlocks, isZeroBlock } from '../src/numerics/blocks.ts'
import { random } from '../src/numerics/random.ts'
import { dot, norm } from '../src/numerics/vectors.ts'
import type { ConvexProgram, LinearOperator, Loss, Solver, Step, Vector } from '../src/types.ts'
import { positiveCurvatures } from './positive-curvatures.ts'
import { firstStep, proximalGradient } from './proximal-gradient.ts'

/** First-order steps before the first Newton step, and between bouts of at most so many Newton steps. */
const FIRST = 24
const BETWEEN = 8
const BOUT = 3
/** A system is solved until its residual, in the preconditioned norm, has fallen by this, or after so many iterations. */
const REDUCTION = 0.03
const MOST = 300
/** Less than this, over the objective, is what float32 cannot be trusted to find. */
const LEAST = 1e-9
/** Conjugate gradient iterations between two turns for others. */
const TURN = 10
/**
 * What is added to the Hessian, over its mean diagonal entry: at first, at least, and by what it is multiplied after a step
 * that counts in full, one that had to be shortened, and one that does not count.
 */
const DAMPING = { first: 1e-4, least: 1e-12, full: 0.1, shortened: 4, refused: 100 }
/** Armijo's share of the decrease that the slope promises, and the shortest step tried. */
const ARMIJO = 1e-4
const SHORTEST = 0.01

/**
 * Newton's method on the blocks that are not zero, by conjugate gradients:  minimise F(Au) + lambda sum_b |u_b|.
 *
 * Near the optimum only the set S of non-zero blocks matters, and on it the objective is smooth, with the Hessian
 *
 *     A_S' diag(F'') A_S + lambda diag( (I - u_b u_b' / |u_b|^2) / |u_b| ) .
 *
 * A few accelerated proximal-gradient steps find S, then up to three Newton steps move on it, each by preconditioned
 * conjugate gradients; a block whose step would turn it round becomes zero. A step counts when the objective falls enough,
 * else the Hessian is damped more and first-order steps go on. Products of both kinds of step are in float32 where the
 * operator offers that; float64 measures where they lead. Nothing is factored and nothing of n x n or (active x size)^2
 * held: a conjugate gradient iteration is one product with each of A_S and A_S'. For data with many more rows than
 * etaNewton can factor; inside
 * workingSet() products are with few blocks only.
 *
 * Takes losses that are sums over entries and group norms. Newton steps on the manifold that proximal gradient identifies:
 * Bareilles, Iutzeler and Malick 2023, Math. Program. 200; truncated Newton: Dembo and Steihaug 1983, Math. Program. 26.
 */
export function newtonCg(): Solver {
  return {
    name: 'newton-cg',
    supports,
    *iterate(program, start) {
      const { operator, loss, penalty, lambda } = program
      const u = start?.coefficients.slice() ?? new Float64Array(operator.columns)
      const fit = operator.apply(u)
      let damping = DAMPING.first
      const gradientStep = firstStep(program)
      // Searches are in float32 until one of them leads nowhere that float64 finds much lower.
      let single = operator.single
      for (let wanted = FIRST; ; wanted = BETWEEN) {
        const from = { coefficients: u, fit }
        const search = proximalGradient({ step: gradientStep })
        const wasSingle = single !== undefined
        let taken = 0
        for (const at of search.iterate(single ? { ...program, operator: single } : program, from)) {
          yield single ? { ...from, certify: false } : { ...at, certify: false }
          if (++taken < wanted) continue
          const reached = single ? operator.apply(at.coefficients) : at.fit!
          const value = loss.value(reached) + lambda * penalty.value(at.coefficients)
          const last = loss.value(fit) + lambda * penalty.value(u)
          const lower = value <= last
          if (single && !(value < last - LEAST * Math.abs(last))) single = undefined
          if (lower || !wasSingle) {
            u.set(at.coefficients)
            fit.set(reached)
          }
          break
        }
        let accepted = true
        for (let k = 0; k < BOUT && accepted; k++) {
          const part = activePart(program, u)
          if (!part) break
          const search = (single && part.operator.single) ?? part.operator
          const step = yield* newtonStep(part, search, loss, lambda, damping, { coefficients: u, fit, certify: false })
          const before = loss.value(fit) + lambda * penalty.value(u)
          accepted = false
          for (let t = 1; t >= SHORTEST && !accepted && step.slope < 0; t /= 2) {
            const trial = part.moved(step.direction, t)
            const trialFit = part.operator.apply(trial)
            const trialPoint = part.scatter(trial)
            const value = loss.value(trialFit) + lambda * penalty.value(trialPoint)
            if (!(value <= before + ARMIJO * t * step.slope)) continue
            accepted = true
            damping = Math.max(DAMPING.least, damping * (t === 1 ? DAMPING.full : DAMPING.shortened))
            u.set(trialPoint)
            fit.set(trialFit)
          }
          if (!accepted) {
            damping *= DAMPING.refused
            single = undefined
          }
          yield { coefficients: u, fit, certify: accepted }
        }
      }
    },
  }
}

/** The blocks that are not zero, as a problem of their own. */
interface ActivePart {
  readonly operator: LinearOperator
  readonly size: number
  /** Their coefficients, and the norm of each group. */
  readonly x: Vector
  readonly lengths: Vector
  /** x + t direction, where groups that it would turn round are zero. */
  moved(direction: Vector, t: number): Vector
  scatter(some: Vector): Vector
}

function activePart({ operator, penalty, blocks }: ConvexProgram, u: Vector): ActivePart | undefined {
  const unit = blocks!.size
  const { size } = penalty.groups!
  const chosen: number[] = []
  for (let b = 0; b * unit < u.length; b++) if (!isZeroBlock(u, b * unit, unit)) chosen.push(b)
  if (chosen.length === 0) return undefined
  const x = gatherBlocks(u, Int32Array.from(chosen), unit)
  const lengths = Float64Array.from({ length: x.length / size }, (_, g) => norm(x.subarray(g * size, (g + 1) * size)))
  return {
    operator: operator.select!(Int32Array.from(chosen)),
    size,
    x,
    lengths,
    moved(direction, t) {
      const out = new Float64Array(x.length)
      for (let g = 0; g < lengths.length; g++) {
        let along = 0
        for (let j = g * size; j < (g + 1) * size; j++) along += x[j]! * (x[j]! + t * direction[j]!)
        if (along > 0) for (let j = g * size; j < (g + 1) * size; j++) out[j] = x[j]! + t * direction[j]!
      }
      return out
    },
    scatter(some) {
      const out = new Float64Array(u.length)
      chosen.forEach((b, k) => {
        out.set(some.subarray(k * unit, (k + 1) * unit), b * unit)
      })
      return out
    },
  }
}

/**
 * The Newton direction on the non-zero groups, and the objective's slope along it. `operator` is the part's, or the same in
 * float32: a system's residual falls by so little that either will do. Preconditioned per group by the inverse
 * of a I + lambda (I - u u'/|u|^2) / |u|, a being the mean diagonal entry of the loss's Hessian, estimated from two random
 * vectors of signs (Hutchinson 1990).
 */
function* newtonStep(
  part: ActivePart,
  operator: LinearOperator,
  loss: Loss,
  lambda: number,
  damping: number,
  at: Required<Pick<Step, 'coefficients' | 'fit' | 'certify'>>,
): Generator<Step, { direction: Vector; slope: number }> {
  const { size, x, lengths } = part
  const m = x.length
  const slope = loss.gradient(at.fit)
  const curvatures = positiveCurvatures(loss, at.fit, slope)
  const gradient = part.operator.adjoint(slope)
  for (let g = 0; g < lengths.length; g++) {
    // A zero group among those of an active block stays where it is.
    if (lengths[g] === 0) gradient.fill(0, g * size, (g + 1) * size)
    else for (let j = g * size; j < (g + 1) * size; j++) gradient[j]! += (lambda * x[j]!) / lengths[g]!
  }
  const image = new Float64Array(operator.rows)
  const mean = meanDiagonal(operator, curvatures, image)
  const added = damping * mean
  const diagonal = mean + added

  /** out <- the part of v across each group's u, times lambda / |u|, and optionally its inverse with the diagonal added. */
  const across = (v: Vector, out: Vector, inverse: boolean): Vector => {
    for (let g = 0; g < lengths.length; g++) {
      const [from, to] = [g * size, (g + 1) * size]
      const length = lengths[g]!
      if (length === 0) {
        out.fill(0, from, to)
        continue
      }
      let along = 0
      for (let j = from; j < to; j++) along += v[j]! * x[j]!
      along /= length * length
      const bend = lambda / length
      for (let j = from; j < to; j++) {
        const radial = along * x[j]!
        if (inverse) out[j] = (v[j]! - radial) / (diagonal + bend) + radial / diagonal
        else out[j]! += bend * (v[j]! - radial)
      }
    }
    return out
  }

  const direction = new Float64Array(m)
  const residual = gradient.map((entry) => -entry)
  const conditioned = across(residual, new Float64Array(m), true)
  const search = conditioned.slice()
  const product = new Float64Array(m)
  let size2 = dot(residual, conditioned)
  const goal = REDUCTION * REDUCTION * size2
  for (let k = 1; k <= MOST && size2 > goal; k++) {
    operator.apply(search, image)
    for (let r = 0; r < image.length; r++) image[r]! *= curvatures[r]!
    operator.adjoint(image, product)
    for (let j = 0; j < m; j++) product[j]! += added * search[j]!
    across(search, product, false)
    const bend = dot(search, product)
    if (!(bend > 0)) break
    const t = size2 / bend
    for (let j = 0; j < m; j++) {
      direction[j]! += t * search[j]!
      residual[j]! -= t * product[j]!
    }
    across(residual, conditioned, true)
    const next = dot(residual, conditioned)
    const turn = next / size2
    size2 = next
    for (let j = 0; j < m; j++) search[j] = conditioned[j]! + turn * search[j]!
    if (k % TURN === 0) yield at
  }
  return { direction, slope: dot(gradient, direction) }
}

/** The mean of the diagonal of A' diag(h) A. */
function meanDiagonal(operator: LinearOperator, h: Vector, image: Vector): number {
  const draws = random(1)
  const signs = new Float64Array(operator.columns)
  let total = 0
  for (let probe = 0; probe < 2; probe++) {
    for (let j = 0; j < signs.length; j++) signs[j] = draws.uniform() < 0.5 ? -1 : 1
    operator.apply(signs, image)
    for (let r = 0; r < image.length; r++) total += (h[r]! * image[r]! * image[r]!) / 2
  }
  return total / signs.length || 1
}

function supports({ name, loss, operator, penalty, blocks, lambda }: ConvexProgram): true | string {
  if (!loss.quadratic && !loss.curvatures)
    return `newton-cg needs a loss with second derivatives entry by entry and ${name} has ${loss.name}; use proximalGradient().`
  if (!operator.select || !blocks)
    return `newton-cg needs an operator with blocks to select and that of ${name} has none; use proximalGradient().`
  if (!penalty.groups || blocks.size % penalty.groups.size !== 0)
    return `newton-cg needs a penalty that is a sum of Euclidean norms of blocks and ${name} has ${penalty.name}; use proximalGradient().`
  if (!(lambda > 0)) return `newton-cg needs a lambda above 0 and ${name} has ${lambda}; use proximalGradient().`
  return true
}
