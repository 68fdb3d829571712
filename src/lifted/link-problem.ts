import type { LayerWeights } from '../layers/layer.ts'
import { transposedTimes } from '../layers/products.ts'
import { matrix } from '../numerics/matrix.ts'
import { dot } from '../numerics/vectors.ts'
import type { Matrix, Vector } from '../types.ts'
import { nodeOf } from './chain.ts'
import { factor, solveRows } from './cholesky.ts'
import type { Divergence } from './divergence.ts'
import type { Work } from './work.ts'

/**
 * The weights of one link with the nodes fixed:
 *
 *     minimise over Th = [W b]:   scale sum (R(A W' + 1 b') - T'(A W' + 1 b')) + ridge/2 |W|^2 + damping/2 |Th - Th_0|^2
 *
 * A: the rows its units see, T: the node it leads to, scale = lambda / m, Th_0 the weights as they were. Convex, and
 * apart from the others: links may be solved in any order or all at once.
 */
export interface LinkProblem {
  readonly A: Matrix
  readonly T: Matrix
  readonly divergence: Divergence
  readonly scale: number
  readonly ridge: number
  readonly damping: number
  /** Where the weights are and go. */
  readonly weights: LayerWeights
  /** A W' + 1 b' at the weights as they are. Not to be written to. */
  fit(): Matrix
  /** [A 1]'[A 1], its lower triangle. Not to be written to. */
  gram(): Vector
  /** To be called when the weights have been written to; with their fit, when that is known. */
  moved(fit?: Vector): void
  /** An array to write to, the same one for the same name. */
  buffer(name: string, rows: number, columns: number): Matrix
}

export function linkProblem(work: Work, k: number, damping: number): LinkProblem {
  const { chain, state, buffer } = work
  const { divergence, coupling, ridge, units } = chain.links[k - 1]!
  const A = work.windows(k)
  return {
    A,
    T: matrix(A.rows, units, nodeOf(chain, state, k).data),
    divergence,
    scale: coupling / chain.input.rows,
    ridge,
    damping,
    weights: state.weights[k - 1]!,
    fit: () => matrix(A.rows, units, work.fit(k).data),
    gram: () => work.gram(k),
    moved: (fit) => work.movedLink(k, fit),
    buffer,
  }
}

/** Gradient of the problem at its present weights, proximal term apart (it is zero at Th_0): units x (fanIn + 1). */
export function linkGradient(problem: LinkProblem): Matrix {
  const { A, T, divergence, scale, ridge, weights, buffer } = problem
  const { W, b } = weights
  const R = divergence.response(problem.fit(), buffer('response', T.rows, T.columns))
  for (let e = 0; e < R.data.length; e++) R.data[e] = scale * (R.data[e]! - T.data[e]!)
  const slopes = transposedTimes(R, A, buffer('slopes', W.rows, W.columns))
  const gradient = matrix(W.rows, W.columns + 1)
  const side = W.columns + 1
  for (let j = 0; j < W.rows; j++)
    for (let l = 0; l < W.columns; l++)
      gradient.data[j * side + l] = slopes.data[j * W.columns + l]! + ridge * W.data[j * W.columns + l]!
  for (let e = 0; e < R.data.length; e += b.length)
    for (let j = 0; j < b.length; j++) gradient.data[j * side + W.columns]! += R.data[e + j]!
  return gradient
}

/** max |gradient|: 0 exactly at the solution. */
export function linkResidual(problem: LinkProblem): number {
  let most = 0
  for (const entry of linkGradient(problem).data) most = Math.max(most, Math.abs(entry))
  return most
}

/**
 * How far the weights are above the problem's minimum at most, its proximal term counted from where they are. Exact for
 * linear responses, G M^-1 G' / 2; elsewhere from strong convexity, |G_W|^2 / 2 (ridge + damping) + |G_b|^2 / 2 damping.
 */
export function linkGap(problem: LinkProblem): number {
  const { divergence, scale, ridge, damping } = problem
  const G = linkGradient(problem)
  const side = G.columns
  if (divergence.leastSquares) {
    const M = matrix(side, side, problem.gram().slice())
    for (let e = 0; e < M.data.length; e++) M.data[e]! *= scale
    for (let l = 0; l < side; l++) M.data[l * side + l]! += damping + (l < side - 1 ? ridge : 0)
    factor(M)
    const step = matrix(G.rows, side, G.data.slice())
    solveRows(M, step)
    return dot(G.data, step.data) / 2
  }
  let gap = 0
  for (let e = 0; e < G.data.length; e++) {
    const weight = damping + (e % side < side - 1 ? ridge : 0)
    if (G.data[e] !== 0) gap += G.data[e]! ** 2 / (2 * weight)
  }
  return gap
}
