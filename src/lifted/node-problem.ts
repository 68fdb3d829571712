import type { Activation } from '../layers/activation.ts'
import { times, timesTransposed } from '../layers/products.ts'
import { matrix } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import { nodeOf } from './chain.ts'
import { curvatureOf } from './curvature.ts'
import type { Work } from './work.ts'

/**
 * One node with everything else fixed, for all samples at once:
 *
 *     minimise over v:   lambda (Phi(v) - u'v) + h(v)
 *
 * h is what the next link pays, lambda' (R(W v + b) - x'(W v + b)), or |v - y|^2 / 2 at a free output. It is convex and
 * smooth, so the problem is (lambda / L)-strongly convex, and v solves it exactly when v = phi(u - dh(v) / lambda).
 */
export interface NodeProblem {
  /** Where the node is and goes. */
  readonly v: Matrix
  readonly u: Matrix
  readonly lambda: number
  readonly activation: Activation
  /** Lipschitz constant of dh. */
  readonly curvature: number
  /** The targets of a free output. */
  readonly target?: Matrix
  /** dh. Lent: the next call overwrites it. */
  gradient(at: Matrix): Matrix
  /** To be called when v has been written to. */
  moved(): void
}

export function nodeProblem(work: Work, k: number): NodeProblem {
  const { chain, state } = work
  const { links, input } = chain
  const { coupling, divergence } = links[k - 1]!
  const v = nodeOf(chain, state, k)
  const common = {
    v,
    u: work.fit(k),
    lambda: coupling,
    activation: divergence.activation!,
    moved: () => work.movedNode(k),
  }
  if (k === links.length) {
    const out = work.buffer('slope', v.rows, v.columns)
    return {
      ...common,
      curvature: 1,
      target: chain.target,
      gradient(at) {
        for (let e = 0; e < out.data.length; e++) out.data[e] = at.data[e]! - chain.target.data[e]!
        return out
      },
    }
  }
  const next = links[k]!
  const { W, b } = state.weights[k]!
  const rows = input.rows * next.map.positions
  const response = work.buffer('response', rows, next.units)
  const slope = work.buffer('slope', rows, next.map.fanIn)
  const wanted = nodeOf(chain, state, k + 1).data
  return {
    ...common,
    curvature:
      next.coupling *
      next.divergence.smoothness *
      curvatureOf(next.map, W, work.buffer(`direction ${k}`, 1, next.map.inputs)),
    gradient(at) {
      // The fit of the next link is computed where its response goes; at the node itself it may be known.
      if (at === v) response.data.set(work.fit(k + 1).data)
      else {
        timesTransposed(next.map.unfold(at), W, response)
        for (let e = 0; e < response.data.length; e += b.length)
          for (let j = 0; j < b.length; j++) response.data[e + j]! += b[j]!
      }
      next.divergence.response(response, response)
      for (let e = 0; e < response.data.length; e++) response.data[e] = next.coupling * (response.data[e]! - wanted[e]!)
      times(response, W, slope)
      return matrix(v.rows, v.columns, next.map.fold(slope).data)
    },
  }
}

/** max |v - phi(u - dh(v) / lambda)|: 0 exactly at the solution. */
export function nodeResidual({ v, u, lambda, activation, gradient }: NodeProblem): number {
  const slope = gradient(v)
  let most = 0
  for (let e = 0; e < v.data.length; e++)
    most = Math.max(most, Math.abs(v.data[e]! - activation.value(u.data[e]! - slope.data[e]! / lambda)))
  return most
}
