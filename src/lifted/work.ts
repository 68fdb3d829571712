import { activate } from '../layers/layer.ts'
import { timesTransposed } from '../layers/products.ts'
import { backend } from '../numerics/backends/index.ts'
import { matrix } from '../numerics/matrix.ts'
import { squaredNorm } from '../numerics/vectors.ts'
import type { Matrix, Vector } from '../types.ts'
import { type Chain, type LiftedState, nodeCount, nodeOf } from './chain.ts'

/** What sweeps over one chain compute with: the fits of its links, kept while they hold, and buffers to share. */
export interface Work {
  readonly chain: Chain
  readonly state: LiftedState
  /** Z_k at the present nodes and weights. */
  fit(k: number): Matrix
  /** The rows that link k's units see: unfold(X_{k-1}). */
  windows(k: number): Matrix
  /** [A 1]'[A 1] of those rows, its lower triangle; the input's is computed once. */
  gram(k: number): Vector
  /** To be called when node k has been written to. */
  movedNode(k: number): void
  /** To be called when link k has been written to; with its fit, when that is known. */
  movedLink(k: number, fit?: Vector): void
  /** To be called when the chain's input or targets have been written to: nothing is known any more. */
  reset(): void
  /** A buffer of rows x columns, by name; whoever asks next under the same name gets the same one. */
  buffer(name: string, rows: number, columns: number): Matrix
  /** F */
  objective(): number
}

export function work(chain: Chain, state: LiftedState): Work {
  const { links, input } = chain
  const m = input.rows
  const fits = links.map(({ map, units }) => matrix(m, map.positions * units))
  const fresh = links.map(() => false)
  const seen: (Matrix | undefined)[] = links.map(() => undefined)
  const buffers = new Map<string, Vector>()
  let inputGram: Vector | undefined

  const self: Work = {
    chain,
    state,
    fit(k) {
      const Z = fits[k - 1]!
      if (!fresh[k - 1]) {
        const { W, b } = state.weights[k - 1]!
        const A = self.windows(k)
        const rows = matrix(A.rows, W.rows, Z.data)
        timesTransposed(A, W, rows)
        addToRows(rows, b)
        fresh[k - 1] = true
      }
      return Z
    },
    windows(k) {
      const X = nodeOf(chain, state, k - 1)
      const { map } = links[k - 1]!
      if (map.json.kind === 'dense') return X
      if (seen[k - 1]) return seen[k - 1]!
      return (seen[k - 1] = map.unfold(X, self.buffer(`windows ${k}`, m * map.positions, map.fanIn)))
    },
    gram(k) {
      if (k === 1 && inputGram) return inputGram
      const gram = gramWithOnes(self.windows(k))
      if (k === 1) inputGram = gram
      return gram
    },
    movedNode(k) {
      if (k < links.length) {
        fresh[k] = false
        seen[k] = undefined
      }
    },
    movedLink(k, fit) {
      if (fit) fits[k - 1]!.data.set(fit)
      fresh[k - 1] = fit !== undefined
    },
    reset() {
      fresh.fill(false)
      seen.fill(undefined)
      inputGram = undefined
    },
    buffer(name, rows, columns) {
      const size = rows * columns
      let held = buffers.get(name)
      if (!held || held.length < size) buffers.set(name, (held = new Float64Array(size)))
      return matrix(rows, columns, held.subarray(0, size))
    },
    objective() {
      let total = 0
      links.forEach(({ divergence, coupling, ridge, units }, i) => {
        const k = i + 1
        const rows = m * links[i]!.map.positions
        const V = matrix(rows, units, nodeOf(chain, state, k).data)
        const U = matrix(rows, units, self.fit(k).data)
        total += (coupling / m) * divergence.value(V, U) + (ridge / 2) * squaredNorm(state.weights[i]!.W.data)
      })
      return total + (chain.freeOutput ? unaryLoss(nodeOf(chain, state, links.length), chain.target) / m : 0)
    },
  }
  return self
}

/** |X - Y|^2 / 2 */
export function unaryLoss(X: Matrix, Y: Matrix): number {
  let total = 0
  for (let k = 0; k < X.data.length; k++) total += (X.data[k]! - Y.data[k]!) ** 2
  return total / 2
}

/** Sets every unknown node to what its layer answers to the one before: X_k = phi(Z_k). */
export function feedForward(work: Work): void {
  const { chain, state } = work
  for (let k = 1; k <= nodeCount(chain); k++) {
    activate(chain.links[k - 1]!.divergence.activation!, work.fit(k).data, state.nodes[k - 1]!.data)
    work.movedNode(k)
  }
}

function addToRows(Z: Matrix, b: Vector): void {
  for (let at = 0; at < Z.data.length; at += b.length) for (let j = 0; j < b.length; j++) Z.data[at + j]! += b[j]!
}

/** The lower triangle of [A 1]'[A 1]. */
export function gramWithOnes(A: Matrix): Vector {
  const d = A.columns
  const side = d + 1
  const gram = new Float64Array(side * side)
  backend().syrk(true, d, A.rows, 1, A.data, d, 0, gram, side)
  const last = gram.subarray(d * side)
  for (let at = 0; at < A.data.length; at += d) for (let j = 0; j < d; j++) last[j]! += A.data[at + j]!
  last[d] = A.rows
  return gram
}
