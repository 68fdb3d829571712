import { matrix } from '../numerics/matrix.ts'
import { type NodeProblem, nodeResidual } from './node-problem.ts'

/** How a node's problem is solved, or how far. */
export interface NodeSolver {
  readonly name: string
  /** Moves one layer's outputs, in place. */
  solve(problem: NodeProblem): void
}

/**
 * s <- (lambda u - dh(v) + kappa s) / (lambda + kappa), v <- phi(s), with phi(s) = v before and kappa = L Lip(dh), `steps`
 * times: Bregman proximal gradient with the kernel Phi. Never raises the objective, whatever lambda; uses phi and its
 * inverse, no derivative.
 */
export function damped({ steps = 5 }: { steps?: number } = {}): NodeSolver {
  requireSteps('damped', steps)
  return {
    name: 'damped',
    solve(problem) {
      if (solvedAtOnce(problem)) return
      for (let t = 0; t < steps; t++) mirrorStep(problem, problem.activation.lipschitz * problem.curvature)
    },
  }
}

/**
 * v <- phi(u - dh(v) / lambda), `steps` times: LPOM as published. Contracts where L Lip(dh) < lambda; elsewhere it may
 * diverge, and `damped` should be taken.
 */
export function fixedPoint({ steps = 5 }: { steps?: number } = {}): NodeSolver {
  requireSteps('fixedPoint', steps)
  return {
    name: 'fixed-point',
    solve(problem) {
      if (solvedAtOnce(problem)) return
      for (let t = 0; t < steps; t++) mirrorStep(problem, 0)
    },
  }
}

/** What is left when a node counts as solved: max |v - phi(u - dh(v) / lambda)|. */
const SETTLED = 1e-12
const LIMIT = 100_000

/**
 * The minimiser, to a residual of 1e-12: by proximal gradient with the momentum of strongly convex problems where phi has
 * a prox of its own, else by damped steps.
 */
export function exactNodes(): NodeSolver {
  return {
    name: 'exact',
    solve(problem) {
      if (solvedAtOnce(problem)) return
      const { activation, curvature } = problem
      if (activation.shrink && curvature > 0) accelerated(problem)
      for (let t = 0; t < LIMIT && nodeResidual(problem) > SETTLED; t++)
        mirrorStep(problem, activation.lipschitz * curvature)
    },
  }
}

/** A free output under the squared loss: v = argmin lambda (Phi(v) - u v) + (v - y)^2 / 2, where phi has a closed form. */
function solvedAtOnce({ v, u, lambda, activation, target, moved }: NodeProblem): boolean {
  if (!target || !activation.shrink) return false
  const share = lambda / (1 + lambda)
  for (let e = 0; e < v.data.length; e++)
    v.data[e] = activation.shrink((target.data[e]! + lambda * u.data[e]!) / (1 + lambda), share)
  moved()
  return true
}

function mirrorStep({ v, u, lambda, activation, gradient, moved }: NodeProblem, kappa: number): void {
  const slope = gradient(v).data
  const total = lambda + kappa
  for (let e = 0; e < v.data.length; e++) {
    const s = kappa > 0 ? kappa * activation.inverse(v.data[e]!) : 0
    v.data[e] = activation.value((lambda * u.data[e]! - slope[e]! + s) / total)
  }
  moved()
}

/** Nesterov 2004, constant momentum (1 - sqrt q) / (1 + sqrt q) with q = lambda / (lambda + curvature). */
function accelerated({ v, u, lambda, activation, curvature, gradient, moved }: NodeProblem): void {
  const total = lambda + curvature
  const share = lambda / total
  const root = Math.sqrt(share)
  const momentum = (1 - root) / (1 + root)
  const at = matrix(v.rows, v.columns, v.data.slice())
  for (let t = 0; t < LIMIT; t++) {
    const slope = gradient(at).data
    let most = 0
    for (let e = 0; e < v.data.length; e++) {
      const next = activation.shrink!((lambda * u.data[e]! - slope[e]! + curvature * at.data[e]!) / total, share)
      most = Math.max(most, Math.abs(next - at.data[e]!))
      at.data[e] = next + momentum * (next - v.data[e]!)
      v.data[e] = next
    }
    // A step of this size is a residual of (total / lambda) times as much at most.
    if (most * total <= (SETTLED / 4) * lambda) break
  }
  moved()
}

function requireSteps(caller: string, steps: number): void {
  if (!Number.isInteger(steps) || steps < 1)
    throw new RangeError(`${caller}: steps is ${steps}, expected a positive whole number; pass for example 5.`)
}
