import { gradientAtZero } from '../src/certificates/gradient-at-zero.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { random } from '../src/numerics/random.ts'
import { dot, norm, plus, scaled, squaredDistance, squaredNorm } from '../src/numerics/vectors.ts'
import type { ConvexProgram, ConvexSet, LinearOperator, Loss, Solver, Vector } from '../src/types.ts'
import { proximalGradient } from './proximal-gradient.ts'

/** Settings of `augmentedLagrangian`. */
export interface AugmentedLagrangianOptions {
  /** First penalty, relative to the one that bends the constraint as much as the loss, L |A|^2 / |G|^2 (default 1). */
  delta?: number
  /** Factor of the penalty when the violation has not fallen enough (default 2). */
  increase?: number
  /** What the violation must fall to from one outer step to the next, or the penalty is increased (default 0.5). */
  progress?: number
  /** The largest penalty over the first (default 4). */
  limit?: number
  /** How small the inner residual must be against the step that the multipliers would take (default 0.1). */
  accuracy?: number
  /** Inner iterations between two looks at the residual (default 10); each costs a product with A' and G'. */
  checkEvery?: number
}

/**
 * Augmented Lagrangian method:  minimise F(Au) + lambda R(u) subject to Gu in C, with R, the constraint's penalty, plain.
 *
 * Each outer step minimises, by accelerated proximal gradient from the last point,
 *
 *     L(u; gamma) = F(Au) + lambda R(u) + delta/2 dist^2(Gu + gamma/delta, C)
 *
 * and then moves the multipliers, gamma <- delta (s - Proj_C(s)) with s = Gu + gamma/delta. They lie in the normal cone
 * of C at Proj_C(s): for C the non-negative orthant they are at most 0, and they fall as well as rise. At the optimum
 * -A'dF(Au) - G'gamma is in lambda dR(u).
 *
 * - The outer step is a proximal point step on the dual, and is accelerated as such (Güler 1992): the next problem takes
 *   multipliers that are extrapolated, with restart when the extrapolation has turned against the step.
 * - An inner problem counts as solved when its proximal-gradient residual is small against the step that the
 *   multipliers would take, both as gradients (|step of gamma|) and both relative (the residual to |A'dF(0)|, the
 *   violation to |Gu|). The accuracy so tightens as the outer steps shrink, and no faster.
 * - delta starts where the constraint's curvature delta |G|^2 equals the loss's, and in the first steps it is moved, as in
 *   the paper, until the violation is in a window: doubled while large, halved while tiny. Afterwards it grows, up to a
 *   limit, when the violation does not fall by a factor: beyond the limit inner problems cost more than outer steps save.
 *
 * Every inner iterate is yielded; it may lie outside the constraint by a little, and the certificate speaks of the
 * nearest point inside. With `start.multipliers`, from a solution of this program, little is left to do; from one at a
 * near lambda, less than from zero. Per inner iterate one product with each of A, A', G and G'. Small lambda takes more outer
 * steps and longer inner problems; where the penalty's domain has an exact prox, proximalGradient() needs fewer iterates.
 *
 * Mishkin, Sahiner and Pilanci, ICML 2022. Inexact steps: Rockafellar 1976, Math. Oper. Res. 1(2). Acceleration: Güler
 * 1992, SIAM J. Optim. 2(4).
 *
 * @throws RangeError when an option is out of range, or on iterating from multipliers of another size.
 */
export function augmentedLagrangian(options: AugmentedLagrangianOptions = {}): Solver {
  const { increase = 2, progress = 0.5, limit = 4, accuracy = 0.1, checkEvery = 10 } = options
  requireOptions(
    options,
    {
      delta: 'number',
      increase: 'number',
      progress: 'number',
      limit: 'number',
      accuracy: 'number',
      checkEvery: 'number',
    },
    'augmentedLagrangian',
  )
  check(options)
  return {
    name: 'augmented-lagrangian',
    supports: (program) =>
      program.constraint !== undefined ||
      `augmented-lagrangian needs a constraint written out and ${program.name} has none; use proximalGradient().`,
    *iterate(program, start) {
      const { operator: A, loss, lambda } = program
      const { operator: G, set, penalty } = program.constraint!
      const n = A.rows
      const m = G.rows
      if (start?.multipliers && start.multipliers.length !== m)
        throw new RangeError(
          `augmentedLagrangian: start has ${start.multipliers.length} multipliers and the constraint of ${program.name} has ${m} rows; pass a point of this program.`,
        )
      const atZero = gradientAtZero(program)
      const bendA = loss.smoothness * stretch(A, atZero)
      const bendG = stretch(G, direction(G.columns)) || 1
      // state: what the inner loss reads, the penalty and the (extrapolated) multipliers of the outer step
      const state = {
        delta: ((options.delta ?? 1) * (bendA || 1)) / bendG,
        multipliers: start?.multipliers?.slice() ?? new Float64Array(m),
      }
      const inner: ConvexProgram = {
        name: `${program.name} (augmented Lagrangian)`,
        loss: augmentedLoss(loss, set, state),
        operator: stacked(A, G),
        penalty,
        lambda,
        scope: program.scope,
        recover: program.recover,
        embed: program.embed,
      }
      // multipliers: the last ones not extrapolated · at: last inner iterate, with [Au; Gu] · t: momentum
      const multipliers = state.multipliers.slice()
      let at: { coefficients: Vector; fit: Vector } = start
        ? { coefficients: start.coefficients, fit: inner.operator.apply(start.coefficients) }
        : { coefficients: new Float64Array(A.columns), fit: new Float64Array(n + m) }
      let t = 1
      // slope: [dF; new multipliers] · gradient: of the smooth part of L · moved: one proximal-gradient step from u
      const slope = new Float64Array(n + m)
      const proposed = slope.subarray(n)
      const gradient = new Float64Array(A.columns)
      const moved = new Float64Array(A.columns)
      // gradientScale, size: the yardsticks of residual and violation · previous: last outer step's violation
      const gradientScale = norm(atZero) || 1
      let size = 0
      let previous = Number.POSITIVE_INFINITY
      let tunings = start?.multipliers ? 0 : TUNINGS
      let most = limit * state.delta

      for (;;) {
        const step = 1 / (bendA + state.delta * bendG)
        let violation = 0
        // count: inner iterations · lowest, since: smallest residual and when it was met
        let count = 0
        let lowest = Number.POSITIVE_INFINITY
        let since = 0
        for (const iterate of proximalGradient({ step }).iterate(inner, at)) {
          at = { coefficients: iterate.coefficients, fit: iterate.fit! }
          yield { coefficients: at.coefficients, fit: at.fit.subarray(0, n), multipliers }
          if (++count % checkEvery !== 0) continue
          inner.operator.adjoint(inner.loss.gradient(at.fit, slope), gradient)
          const u = at.coefficients
          penalty.prox(plus(u, -step, gradient, moved), step * lambda, moved)
          const residual = Math.sqrt(squaredDistance(moved, u)) / step
          const change = Math.sqrt(squaredDistance(proposed, state.multipliers))
          size = Math.max(size, norm(at.fit.subarray(n)))
          violation = size > 0 ? change / (state.delta * size) : 0
          const small = residual <= accuracy * change && residual <= violation * gradientScale
          if (residual < lowest) {
            lowest = residual
            since = count
          }
          if (small || residual <= ROUNDING * (gradientScale + norm(u) / step) || count > 2 * since + PATIENCE) break
        }

        if (tunings > 0) {
          tunings--
          const factor = violation > WINDOW.large ? 2 : violation > 0 && violation < WINDOW.tiny ? 0.5 : 1
          if (factor === 1) tunings = 0
          else {
            state.delta *= factor
            most = limit * state.delta
            continue
          }
        }
        let against = 0
        for (let k = 0; k < m; k++) against += (state.multipliers[k]! - proposed[k]!) * (proposed[k]! - multipliers[k]!)
        const ahead = against > 0 ? 1 : (1 + Math.sqrt(1 + 4 * t * t)) / 2
        const momentum = against > 0 ? 0 : (t - 1) / ahead
        t = ahead
        for (let k = 0; k < m; k++) state.multipliers[k] = proposed[k]! + momentum * (proposed[k]! - multipliers[k]!)
        multipliers.set(proposed)
        if (violation > progress * previous) state.delta = Math.min(most, increase * state.delta)
        previous = violation
      }
    },
  }
}

/** Relative violations between which the first penalty is left as it is, and how often it is moved at most. */
const WINDOW = { large: 0.1, tiny: 1e-3 }
const TUNINGS = 6
/** An inner residual this small, relative to what it is the difference of, is rounding. */
const ROUNDING = 2e-16
/** Inner iterations without a new smallest residual, beyond as many as came before it, after which rounding is all there is. */
const PATIENCE = 1000

/**
 * F(z1) + delta/2 dist^2(z2 + gamma/delta, C) for z = [z1; z2]; `at` holds delta and gamma and is read at every call.
 *
 * Its gradient is [dF(z1); gamma+] with gamma+ the multipliers' next value. With e = s - Proj(s), the divergence of the
 * distance term is delta (|e' - e|^2 / 2 - e'(Proj(s') - Proj(s))), where neither term is negative: nothing cancels.
 */
export function augmentedLoss(loss: Loss, set: ConvexSet, at: { delta: number; multipliers: Vector }): Loss {
  const n = loss.size
  const m = at.multipliers.length
  // s: the shifted point, near: its projection; both also for the second point of a divergence
  const s = new Float64Array(m)
  const near = new Float64Array(m)
  const sTo = new Float64Array(m)
  const nearTo = new Float64Array(m)
  const place = (z: Vector, s: Vector, near: Vector): void => {
    for (let k = 0; k < m; k++) s[k] = z[n + k]! + at.multipliers[k]! / at.delta
    set.project(s, near)
  }
  return {
    name: `${loss.name}, augmented`,
    size: n + m,
    get smoothness() {
      return Math.max(loss.smoothness, at.delta)
    },
    value(z) {
      place(z, s, near)
      return loss.value(z.subarray(0, n)) + (at.delta / 2) * squaredDistance(s, near)
    },
    gradient(z, out = new Float64Array(n + m)) {
      loss.gradient(z.subarray(0, n), out.subarray(0, n))
      place(z, s, near)
      for (let k = 0; k < m; k++) out[n + k] = at.delta * (s[k]! - near[k]!)
      return out
    },
    conjugate(p) {
      const q = p.subarray(n)
      const shift = (squaredNorm(q) / 2 - dot(q, at.multipliers)) / at.delta
      return loss.conjugate(p.subarray(0, n)) + set.support(q) + shift
    },
    divergence(to, from) {
      place(from, s, near)
      place(to, sTo, nearTo)
      let total = 0
      for (let k = 0; k < m; k++) {
        const outside = s[k]! - near[k]!
        // Where both have the same nearest entry the shift drops out, and its rounding with it.
        const same = nearTo[k]! === near[k]!
        const turn = same ? to[n + k]! - from[n + k]! : sTo[k]! - nearTo[k]! - outside
        total += (turn * turn) / 2 - outside * (nearTo[k]! - near[k]!)
      }
      return loss.divergence(to.subarray(0, n), from.subarray(0, n)) + at.delta * total
    },
  }
}

/** [A; G] */
function stacked(A: LinearOperator, G: LinearOperator): LinearOperator {
  const n = A.rows
  const back = new Float64Array(A.columns)
  return {
    rows: n + G.rows,
    columns: A.columns,
    apply(u, out = new Float64Array(n + G.rows)) {
      A.apply(u, out.subarray(0, n))
      G.apply(u, out.subarray(n))
      return out
    },
    adjoint(p, out = new Float64Array(A.columns)) {
      A.adjoint(p.subarray(0, n), out)
      return plus(out, 1, G.adjoint(p.subarray(n), back), out)
    },
  }
}

/** |A|^2 from below by ten power iterations; backtracking does the rest. */
function stretch(A: LinearOperator, first: Vector): number {
  const v = first.slice()
  const image = new Float64Array(A.rows)
  let square = 0
  let length = norm(v)
  for (let k = 0; k < 10 && length > 0; k++) {
    scaled(v, 1 / length, v)
    A.apply(v, image)
    square = squaredNorm(image)
    A.adjoint(image, v)
    length = norm(v)
  }
  return square
}

function direction(size: number): Vector {
  const { normal } = random(1)
  return Float64Array.from({ length: size }, normal)
}

function check({
  delta = 1,
  increase = 2,
  progress = 0.5,
  limit = 4,
  accuracy = 0.1,
  checkEvery = 10,
}: AugmentedLagrangianOptions): void {
  const refuse = (name: string, value: number, expected: string, example: number): never => {
    throw new RangeError(`augmentedLagrangian: ${name} is ${value}, expected ${expected}; pass for example ${example}.`)
  }
  if (!(delta > 0 && delta < Number.POSITIVE_INFINITY)) refuse('delta', delta, 'a finite number above 0', 1)
  if (!(increase >= 1 && increase < Number.POSITIVE_INFINITY)) refuse('increase', increase, 'at least 1', 2)
  if (!(progress > 0)) refuse('progress', progress, 'above 0', 0.5)
  if (!(limit >= 1)) refuse('limit', limit, 'at least 1', 4)
  if (!(accuracy > 0)) refuse('accuracy', accuracy, 'above 0', 0.1)
  if (!Number.isInteger(checkEvery) || checkEvery < 1) refuse('checkEvery', checkEvery, 'a positive whole number', 10)
}
