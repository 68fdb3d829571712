import { activate, affine, type LayerWeights } from '../layers/layer.ts'
import { matrix } from '../numerics/matrix.ts'
import { squaredNorm } from '../numerics/vectors.ts'
import type { BlockMeasure, Matrix } from '../types.ts'
import { type Chain, nodeCount, nodeOf } from './chain.ts'
import { fenchel } from './fenchel.ts'
import { jointGap } from './joint-nodes.ts'
import { linkGap, linkProblem, linkResidual } from './link-problem.ts'
import { nodeProblem, nodeResidual } from './node-problem.ts'
import type { Block } from './schedule.ts'
import { unaryLoss, type Work } from './work.ts'

/** Rows that pass the layers together: what is held between two layers stays small. */
const CHUNK = 1024

/**
 * The network's own objective: what the last layer pays when every layer's output is phi of its input, plus the ridge. For
 * Fenchel couplings it is F at those nodes.
 */
export function networkLoss({ links, input, target, freeOutput }: Chain, weights: readonly LayerWeights[]): number {
  const m = input.rows
  let total = 0
  for (const [i, { ridge }] of links.entries()) total += (ridge / 2) * squaredNorm(weights[i]!.W.data)
  for (let from = 0; from < m; from += CHUNK) {
    const rows = Math.min(CHUNK, m - from)
    const part = ({ columns, data }: Matrix): Matrix =>
      matrix(rows, columns, data.subarray(from * columns, (from + rows) * columns))
    let X = part(input)
    links.forEach(({ map, units, divergence, coupling }, i) => {
      const Z = affine(map, weights[i]!, X)
      if (i < links.length - 1) X = matrix(rows, Z.columns, activate(divergence.activation!, Z.data, Z.data))
      else if (freeOutput) {
        activate(divergence.activation!, Z.data, Z.data)
        total += unaryLoss(Z, part(target)) / m
      } else total += (coupling / m) * divergence.value(matrix(rows, units, part(target).data), Z)
    })
  }
  return total
}

/** How far a state is from a minimum of each block, as a sweep divides it, and from the network it stands for. */
export function measure(work: Work, blocks: readonly Block[], damping: number): BlockMeasure {
  const { chain, state } = work
  const primal = work.objective()
  let gap = 0
  let nodes = 0
  let links = 0
  for (const block of blocks)
    if (block.kind === 'link') {
      const problem = linkProblem(work, block.k, damping)
      links = Math.max(links, linkResidual(problem))
      gap = Math.max(gap, linkGap(problem))
    } else if (block.kind === 'node') {
      const problem = nodeProblem(work, block.k)
      nodes = Math.max(nodes, nodeResidual(problem))
      gap = Math.max(gap, nodeGap(work, block.k))
    } else {
      for (let k = 1; k <= nodeCount(chain); k++) nodes = Math.max(nodes, nodeResidual(nodeProblem(work, k)))
      gap = Math.max(gap, jointGap(work))
    }
  // Divergences, losses and ridges are at least 0, and so is every block's minimum.
  const dual = Math.max(0, primal - gap)
  const gaps = Array.from({ length: nodeCount(chain) }, (_, i) => rms(work, i + 1))
  return {
    certificate: {
      primal,
      dual,
      gap: primal - dual,
      relativeGap: primal === dual ? 0 : (primal - dual) / primal,
      stationarity: Math.max(nodes / (1 + largest(state.nodes)), links),
      primalFeasibility: 0,
      dualFeasibility: 0,
      complementarity: 0,
      scope: 'block',
    },
    networkLoss: networkLoss(chain, state.weights),
    gaps,
    nodeResidual: nodes,
    linkResidual: links,
  }
}

/**
 * How far node k is above its minimum at most: lambda/m D(v, u - dh(v) / lambda), its own Fenchel divergence once more. For
 * h lies above its tangent at v, and the minimum with the tangent in its place is a conjugate.
 */
export function nodeGap(work: Work, k: number): number {
  const { v, u, lambda, activation, gradient } = nodeProblem(work, k)
  const slope = gradient(v)
  const t = matrix(v.rows, v.columns)
  for (let e = 0; e < t.data.length; e++) t.data[e] = u.data[e]! - slope.data[e]! / lambda
  return (lambda / work.chain.input.rows) * Math.max(0, fenchel(activation).value(v, t))
}

function rms(work: Work, k: number): number {
  const X = nodeOf(work.chain, work.state, k)
  const { activation } = work.chain.links[k - 1]!.divergence
  const Z = work.fit(k)
  let total = 0
  for (let e = 0; e < X.data.length; e++) total += (X.data[e]! - activation!.value(Z.data[e]!)) ** 2
  return Math.sqrt(total / X.data.length)
}

function largest(nodes: readonly Matrix[]): number {
  let most = 0
  for (const { data } of nodes) for (const entry of data) most = Math.max(most, Math.abs(entry))
  return most
}
