import { matrix } from '../numerics/matrix.ts'
import type { Matrix, Vector } from '../types.ts'
import type { LinkProblem } from './link-problem.ts'
import { overRows } from './majoriser-rows.ts'
import { overWeights } from './majoriser-weights.ts'

/** How a link's problem is solved, or how far. */
export interface LinkSolver {
  readonly name: string
  /** Moves the weights of one link, in place. */
  solve(problem: LinkProblem): void
}

/**
 * The quadratic that is above a link's objective everywhere and touches it where one is, in some coordinates theta of the
 * weights: theta and its fit are linear in each other, so that what is between two points has the fit between theirs.
 */
export interface Majoriser {
  /** Coordinates of the weights as they are. */
  readonly start: Vector
  /** next <- at - M^-1 gradient, given the residual scale (r(fit) - T) at `at`; its fit goes to `nextFit`. */
  step(at: Vector, residual: Matrix, next: Vector, nextFit: Matrix): void
  /** ridge/2 |W|^2 + damping/2 |Th - Th_0|^2 at these coordinates, which have this fit. */
  penalty(at: Vector, fit: Matrix): number
  /** Writes the weights of these coordinates. */
  store(at: Vector): void
}

/** Settings of `majorised`. */
export interface MajoriserOptions {
  /** Steps of each link (default 5). */
  steps?: number
  /** Nesterov's momentum, taken back whenever the objective rises (default true). */
  momentum?: boolean
}

/**
 * `steps` times to the minimum of a quadratic above the objective,
 *
 *     Th <- Th - G(Th) M^-1,    M = scale beta [A 1]'[A 1] + diag(ridge, .., ridge, 0) + damping I
 *
 * for the smoothness beta of the divergence: one factorisation a sweep, two products a step, no derivative of phi. Never
 * raises the objective. One step is exact where the response is linear. With fewer rows than weights of a unit, as in
 * small batches, the same steps are taken in coordinates of the rows, where they cost no product with A at all.
 */
export function majorised({ steps = 5, momentum = true }: MajoriserOptions = {}): LinkSolver {
  if (!Number.isInteger(steps) || steps < 1)
    throw new RangeError(`majorised: steps is ${steps}, expected a positive whole number; pass for example 5.`)
  return {
    name: 'majorised',
    solve(problem) {
      descend(problem, steps, momentum)
    },
  }
}

/** The loop of `majorised`; ends early when `settled` says so of the squared length of the last step. */
export function descend(
  problem: LinkProblem,
  steps: number,
  momentum: boolean,
  settled?: (change: number, size: number) => boolean,
): void {
  const { A, T, divergence, scale, damping, weights, buffer } = problem
  const majoriser = damping > 0 && A.rows <= weights.W.columns ? overRows(problem) : overWeights(problem)
  const shape = [T.rows, T.columns] as const
  const residual = buffer('response', ...shape)
  // theta, fit: where we are · y, yFit: where the step is taken from · next, nextFit: where it leads
  let theta: Vector = majoriser.start.slice()
  let fit = matrix(...shape, problem.fit().data.slice())
  let next: Vector = new Float64Array(theta.length)
  let nextFit = matrix(...shape)
  const y = momentum ? theta.slice() : theta
  const yFit = momentum ? matrix(...shape, fit.data.slice()) : fit
  const value = (at: Vector, z: Matrix): number => scale * divergence.value(T, z) + majoriser.penalty(at, z)
  let reached = momentum ? value(theta, fit) : 0
  let t = 1
  for (let done = 0; done < steps; done++) {
    const [from, fromFit] = momentum ? [y, yFit] : [theta, fit]
    divergence.response(fromFit, residual)
    for (let e = 0; e < residual.data.length; e++) residual.data[e] = scale * (residual.data[e]! - T.data[e]!)
    majoriser.step(from, residual, next, nextFit)
    if (momentum) {
      const now = value(next, nextFit)
      // The momentum went too far: the same step again, from where we are. Without momentum it does not rise.
      if (now > reached && t > 1) {
        t = 1
        y.set(theta)
        yFit.data.set(fit.data)
        continue
      }
      reached = now
      const grown = (1 + Math.sqrt(1 + 4 * t * t)) / 2
      const share = (t - 1) / grown
      t = grown
      for (let e = 0; e < y.length; e++) y[e] = next[e]! + share * (next[e]! - theta[e]!)
      for (let e = 0; e < yFit.data.length; e++)
        yFit.data[e] = nextFit.data[e]! + share * (nextFit.data[e]! - fit.data[e]!)
    }
    ;[theta, next] = [next, theta]
    ;[fit, nextFit] = [nextFit, fit]
    if (!settled) continue
    let change = 0
    let size = 0
    for (let e = 0; e < theta.length; e++) {
      change = Math.max(change, Math.abs(theta[e]! - next[e]!))
      size = Math.max(size, Math.abs(theta[e]!))
    }
    if (settled(change, size)) break
  }
  majoriser.store(theta)
  problem.moved(fit.data)
}
