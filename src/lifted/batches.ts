import type { LayerWeights } from '../layers/layer.ts'
import { matrix } from '../numerics/matrix.ts'
import { random } from '../numerics/random.ts'
import type { Matrix, Vector } from '../types.ts'
import { type Chain, type LiftedState, nodeCount, nodeSize } from './chain.ts'
import { feedForward, type Work, work } from './work.ts'

/**
 * An epoch in batches of `size` rows drawn without replacement: each a chain of its own over the common weights, its nodes
 * set to what the network computes. What a batch leaves behind is the weights alone; with links that pay for moving it is
 * a step of implicit stochastic gradient descent. Rows that fill no batch wait for another epoch's draw.
 *
 * A batch starts from Th + inertia (Th - Th_before), the weights that the last one left carried on by their way from the
 * one before it, as in inertial proximal alternating linearised minimisation (Pock and Sabach 2016, SIAM J. Imaging Sci.
 * 9(4)). `before` holds Th_before, and is kept up to date.
 */
export function* batches(
  chain: Chain,
  { weights }: LiftedState,
  size: number,
  seed: number,
  inertia: number,
  before: readonly LayerWeights[],
): Generator<{ name: string; part: Work }, void> {
  const rows = Math.min(size, chain.input.rows)
  const count = Math.floor(chain.input.rows / rows)
  const order = random(seed).permutation(chain.input.rows)
  const part: Chain = {
    ...chain,
    input: matrix(rows, chain.input.columns),
    target: matrix(rows, chain.target.columns),
  }
  const nodes = Array.from({ length: nodeCount(chain) }, (_, i) => matrix(rows, nodeSize(chain, i + 1)))
  const at = work(part, { weights, nodes })
  for (let q = 0; q < count; q++) {
    const chosen = order.subarray(q * rows, (q + 1) * rows)
    copyRows(chain.input, chosen, part.input)
    copyRows(chain.target, chosen, part.target)
    if (inertia > 0)
      weights.forEach(({ W, b }, k) => {
        carryOn(W.data, before[k]!.W.data, inertia)
        carryOn(b, before[k]!.b, inertia)
      })
    at.reset()
    feedForward(at)
    yield { name: `batch ${q + 1} of ${count}`, part: at }
  }
}

function copyRows(from: Matrix, rows: Int32Array, to: Matrix): void {
  const { columns } = from
  for (let i = 0; i < rows.length; i++)
    to.data.set(from.data.subarray(rows[i]! * columns, (rows[i]! + 1) * columns), i * columns)
}

/** now <- now + inertia (now - before), and before becomes what now was. */
function carryOn(now: Vector, before: Vector, inertia: number): void {
  for (let e = 0; e < now.length; e++) {
    const reached = now[e]!
    now[e] = reached + inertia * (reached - before[e]!)
    before[e] = reached
  }
}
