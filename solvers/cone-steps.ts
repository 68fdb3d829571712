import type { Backend } from '../src/numerics/backend.ts'
import { dot, largest, plus, squaredNorm } from '../src/numerics/vectors.ts'
import type { Vector } from '../src/types.ts'
import { type ConeIterate, slopeAt } from './cone-iterate.ts'
import { nonnegativeQp } from './nonnegative-qp.ts'

/** Newton steps of a point of coneNewton. */
export interface ConeSteps {
  /**
   * One step towards the optimum on the working set at lambda; false when none leads anywhere.
   *
   * Steps are of eta and theta at once until one fails, as they do where blocks nearly repeat each other and Z M^-1 Z' is
   * singular; from then on, until `begin`, they are of eta alone, damped, with theta the minimiser that belongs to it.
   */
  step(lambda: number): boolean
  /** Steps are of both at once again: for another lambda. */
  begin(): void
  /** The merit of steps of both is to know the multipliers of this working set only. */
  forget(): void
}

/** Halvings of a step of both, of one whose constraints are in the secular form, and of one of eta alone. */
const HALVINGS = 20
const SECULAR_HALVINGS = 4
const ETA_HALVINGS = 2
/** A price so many times lambda is far from it. */
const FAR = 1.5
/** Armijo's share of the decrease that the slope promises. */
const ARMIJO = 1e-4
/** What rounding leaves of a relative difference. */
const ROUNDING = 1e-14
/** Newton steps for theta at given eta, and the squared residual at which they end, relative to half the target's. */
const SETTLING = 30
const SETTLED = 1e-22
/** What the diagonal is raised by, relative, in steps of eta alone: at least, at most, and by what it changes. */
const DAMPING = { least: 1e-10, most: 1e6, less: 0.1, more: 100 }

type Form = (g: number, lambda: number) => number

/** (g^2 - lambda^2) / 2: by which the constraint g <= lambda is violated. */
const plain: Form = (g, lambda) => (g * g - lambda * lambda) / 2
/** g = lambda in the form 1/g = 1/lambda is nearly linear in eta, which is worth much but may ask for too much. */
const secular: Form = (g, lambda) => (g > lambda / 2 ? (g * g * (g - lambda)) / lambda : plain(g, lambda))

export function coneSteps(backend: Backend, point: ConeIterate, y: Vector): ConeSteps {
  const half = squaredNorm(y) / 2
  const slack = ROUNDING * half
  let penalties: Vector = new Float64Array(0)
  let ofEta = false
  let damping = DAMPING.least

  const put = (eta: Vector, theta: Vector): void => {
    point.eta = eta
    point.theta = theta
    point.evaluate()
  }

  /** argmin over x >= 0 of x'Hx / 2 - x'(tangent + excess), from a guess by what is active or violated. */
  const multipliers = (
    H: Vector,
    tangent: Vector,
    { eta, lengths }: { eta: Vector; lengths: Vector },
    form: Form,
    lambda: number,
  ): Vector | undefined => {
    const wanted = Uint8Array.from(eta, (weight, i) => (weight > 0 || lengths[i]! > lambda ? 1 : 0))
    const excess = lengths.map((g) => form(g, lambda))
    return nonnegativeQp(backend, eta.length, H, plus(tangent, 1, excess), wanted)
  }

  const product = (H: Vector, x: Vector): Vector => {
    const out = new Float64Array(x.length)
    if (x.length > 0) backend.gemv(false, x.length, x.length, 1, H, x.length, x, 0, out)
    return out
  }

  /** |theta|^2 / 2 - y'theta + sum_b penalty_b (g_b^2 - lambda^2)_+ / 2: an exact penalty of the dual. */
  const merit = (lambda: number): number => {
    const { theta, lengths } = point
    let total = squaredNorm(theta) / 2 - dot(y, theta)
    for (let i = 0; i < lengths.length; i++)
      if (lengths[i]! > lambda) total += penalties[i]! * plain(lengths[i]!, lambda)
    return total
  }

  /**
   * A step of both: theta minimises the dual's second-order model, whose Hessian is M, where each constraint g_b <= lambda is
   * replaced by its tangent; eta are the multipliers. Shortened until an exact penalty of the dual falls.
   */
  const jump = (lambda: number): boolean => {
    const H = point.hessian()
    const tangent = plus(product(H, point.eta), -1, point.times(point.solve(slopeAt(point))))
    const before = { eta: point.eta, theta: point.theta }
    // From far away a whole step leads too far, and a try costs the projections of all blocks.
    const first = largest(point.lengths) > FAR * lambda ? 1 / 2 : 1
    return [secular, plain].some((form) => {
      const next = multipliers(H, tangent, point, form, lambda)
      if (!next) return false
      const slope = plus(before.theta, -1, y)
      const move = point.solve(point.addCombination(next, slope.slice())).map((value) => -value)
      // Penalties above the multipliers make the step one of descent; as they never fall, no point comes back.
      const rates = point.times(move)
      let descent = dot(slope, move)
      for (let i = 0; i < next.length; i++) {
        penalties[i] = Math.max(1.1 * next[i]!, penalties[i]!)
        if (point.lengths[i]! > lambda) descent += penalties[i]! * rates[i]!
      }
      const value = merit(lambda)
      const halvings = form === secular ? SECULAR_HALVINGS : HALVINGS
      for (let t = first, halving = 0; halving < halvings; t /= 2, halving++) {
        put(between(before.eta, next, t), plus(before.theta, t, move))
        if (merit(lambda) <= value + ARMIJO * t * Math.min(0, descent) + slack) return true
      }
      put(before.eta, before.theta)
      return false
    })
  }

  /** |theta|^2 / 2 - y'theta + sum_b eta_b g_b^2 / 2 */
  const lagrangian = (): number => {
    const { eta, theta, lengths } = point
    let total = squaredNorm(theta) / 2 - dot(y, theta)
    for (let i = 0; i < eta.length; i++) total += (eta[i]! * lengths[i]! ** 2) / 2
    return total
  }

  /** Moves theta to where the Lagrangian is least at these eta, by Newton's method; M's factor is of there. */
  const settle = (): boolean => {
    for (let k = 0; k < SETTLING; k++) {
      if (!point.factor()) return false
      const slope = slopeAt(point)
      if (squaredNorm(slope) <= SETTLED * half) return true
      const move = point.solve(slope)
      const descent = dot(slope, move)
      const from = point.theta
      const value = lagrangian()
      let moved = false
      for (let t = 1, halving = 0; halving < HALVINGS && !moved; t /= 2, halving++) {
        put(point.eta, plus(from, -t, move))
        moved = lagrangian() <= value - ARMIJO * t * descent + slack
      }
      if (!moved) return false
    }
    return false
  }

  /** A step of eta alone: phi(eta) = lambda^2 sum_b eta_b / 2 - min_theta Lagrangian is convex, and every step lowers it. */
  const slide = (lambda: number): boolean => {
    if (!settle()) return false
    const phi = (): number => (lambda * lambda * point.eta.reduce((sum, x) => sum + x, 0)) / 2 - lagrangian()
    const before = { eta: point.eta, theta: point.theta, lengths: point.lengths.slice(), value: phi() }
    const H = point.hessian()
    const m = before.eta.length
    const force = before.lengths.map((g) => plain(g, lambda))
    for (; damping <= DAMPING.most; damping *= DAMPING.more) {
      const damped = H.slice()
      for (let i = 0; i < m; i++) damped[i * (m + 1)]! *= 1 + damping
      const tangent = product(damped, before.eta)
      for (const form of [secular, plain]) {
        const next = multipliers(damped, tangent, before, form, lambda)
        if (!next) continue
        const slope = -dot(force, plus(next, -1, before.eta))
        if (!(slope < 0)) continue
        for (let t = 1, halving = 0; halving <= ETA_HALVINGS; t /= 2, halving++) {
          put(between(before.eta, next, t), before.theta)
          if (!settle() || phi() > before.value + ARMIJO * t * slope + slack) continue
          if (t === 1) damping = Math.max(DAMPING.least, DAMPING.less * damping)
          return true
        }
      }
    }
    damping = DAMPING.least
    put(before.eta, before.theta)
    return false
  }

  return {
    step(lambda) {
      if (!ofEta) {
        if (!point.factor()) return false
        if (jump(lambda)) return true
        ofEta = true
      }
      return slide(lambda)
    },
    begin() {
      ofEta = false
      damping = DAMPING.least
    },
    forget() {
      penalties = new Float64Array(point.chosen.length)
    },
  }
}

/** from + t (to - from), and exactly `to` at t = 1. */
function between(from: Vector, to: Vector, t: number): Vector {
  return t === 1 ? to : from.map((value, i) => value + t * (to[i]! - value))
}
