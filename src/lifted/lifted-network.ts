import type { Activation } from '../layers/activation.ts'
import { type LayerWeights, outputsOf } from '../layers/layer.ts'
import { type DeepNetwork, deepNetwork } from '../models/deep-network.ts'
import { matrix } from '../numerics/matrix.ts'
import { random } from '../numerics/random.ts'
import type { MultiConvexProgram } from '../types.ts'
import { batches } from './batches.ts'
import { type Chain, type LiftedState, nodeCount, nodeSize } from './chain.ts'
import { jointNodes } from './joint-nodes.ts'
import { linkProblem } from './link-problem.ts'
import type { LinkSolver } from './majoriser.ts'
import { measure, networkLoss } from './measure.ts'
import { exactLinks } from './newton.ts'
import { nodeProblem } from './node-problem.ts'
import type { NodeSolver } from './node-solvers.ts'
import { type Block, nameOf } from './schedule.ts'
import { subproblem } from './subproblem.ts'
import { feedForward, type Work, work } from './work.ts'

/** How a lifted network is trained: the blocks of a sweep, and how each is solved. */
export interface Plan {
  readonly name: string
  readonly blocks: readonly Block[]
  readonly nodes: NodeSolver
  /** What moves the weights of link k. */
  readonly links: (k: number) => LinkSolver
  /** alpha of a sweep: links pay alpha/2 |Th - Th_0|^2 for moving. */
  readonly damping: (sweep: number) => number
  /** theta_t: blocks go this share of the way to their minimum in sweep t (default 1). */
  readonly relaxation?: (sweep: number) => number
  /** Rows of a batch (default: all). */
  readonly batch?: number
  /** Share of the last batch's move that the next one starts with (default 0). */
  readonly inertia?: number
  readonly seed: number
  /** What the recovered network's last layer applies. */
  readonly outputActivation: Activation
  /** Run once on a fresh state, before the first sweep. */
  readonly prepare?: (weights: LayerWeights[]) => void
}

/** A deep network lifted to a chain of blocks: a multi-convex program whose states are weights and nodes. */
export interface LiftedNetwork extends MultiConvexProgram<DeepNetwork, LiftedState> {
  readonly chain: Chain
  /** A copy of the state whose output layer is trained to its minimum on the features that the network really computes. */
  refit(state: LiftedState): LiftedState
}

/** A chain and a plan as a multi-convex program; the presets are written in terms of it, and so can others be. */
export function liftedNetwork(chain: Chain, plan: Plan): LiftedNetwork {
  const { links, input } = chain
  const works = new WeakMap<LiftedState, Work>()
  const workOf = (state: LiftedState): Work => {
    let found = works.get(state)
    if (!found) works.set(state, (found = work(chain, state)))
    return found
  }
  /** By state, the weights before its last batch: what inertia carries on from. */
  const trails = new WeakMap<LiftedState, LayerWeights[]>()
  const trailOf = (state: LiftedState): LayerWeights[] => {
    let found = trails.get(state)
    if (!found) trails.set(state, (found = state.weights.map(copyOf)))
    return found
  }
  const start = (weights: LayerWeights[]): LiftedState => {
    plan.prepare?.(weights)
    const nodes = Array.from({ length: nodeCount(chain) }, (_, i) =>
      matrix(plan.batch === undefined ? input.rows : 0, nodeSize(chain, i + 1)),
    )
    const state = { weights, nodes }
    if (plan.batch === undefined) feedForward(workOf(state))
    return state
  }
  /** In batches there are no nodes but the network's own. */
  const settled = (state: LiftedState): LiftedState =>
    plan.batch === undefined ? state : fullState(chain, state.weights)

  return {
    name: plan.name,
    chain,
    blocks: plan.blocks.map(nameOf),
    initial(seed) {
      const draws = random(seed)
      return start(
        links.map(({ map, units }): LayerWeights => {
          const deviation = Math.sqrt(2 / map.fanIn)
          const W = matrix(units, map.fanIn)
          for (let e = 0; e < W.data.length; e++) W.data[e] = deviation * draws.normal()
          return { W, b: new Float64Array(units) }
        }),
      )
    },
    embed({ layers }) {
      const fits =
        layers.length === links.length &&
        layers.every((layer, i) => {
          const { map, units } = links[i]!
          return layer.W.rows === units && layer.W.columns === map.fanIn && outputsOf(layer) === map.positions * units
        })
      if (!fits)
        throw new RangeError(
          `embed: the network's layers have ${layers.map(({ W }) => W.rows).join(', ')} units and ${plan.name} has ${links.map(({ units }) => units).join(', ')}; pass a network of the same layers.`,
        )
      return start(layers.map(copyOf))
    },
    objective: (state) => (plan.batch === undefined ? workOf(state).objective() : networkLoss(chain, state.weights)),
    subproblem: (block, state) => {
      const full = settled(state)
      return subproblem(workOf(full), plan.blocks[block]!, plan.damping(1))
    },
    *sweep(state, t) {
      if (plan.batch === undefined) {
        yield* visit(workOf(state), plan, t)
        return
      }
      const { batch, inertia = 0 } = plan
      const before = inertia > 0 ? trailOf(state) : []
      for (const { name, part } of batches(chain, state, batch, plan.seed + t, inertia, before)) {
        for (const _ of visit(part, plan, t));
        yield name
      }
    },
    measure: (state) => measure(workOf(settled(state)), plan.blocks, plan.damping(1)),
    recover: ({ weights }) =>
      deepNetwork(
        weights.map((layer, i) => ({
          ...copyOf(layer),
          map: links[i]!.map,
          activation: i === links.length - 1 ? plan.outputActivation : links[i]!.divergence.activation!,
        })),
      ),
    refit(state) {
      const weights = state.weights.map(copyOf)
      const fixed = fullState({ ...chain, freeOutput: false }, weights)
      exactLinks().solve(linkProblem(work({ ...chain, freeOutput: false }, fixed), links.length, 0))
      return start(weights)
    },
  }
}

function copyOf({ W, b }: LayerWeights): LayerWeights {
  return { W: matrix(W.rows, W.columns, W.data.slice()), b: b.slice() }
}

/** The weights with the nodes that the network computes. */
function fullState(chain: Chain, weights: LayerWeights[]): LiftedState {
  const nodes = Array.from({ length: nodeCount(chain) }, (_, i) => matrix(chain.input.rows, nodeSize(chain, i + 1)))
  const state = { weights, nodes }
  feedForward(work(chain, state))
  return state
}

/** Every block of a plan once. */
function* visit(at: Work, plan: Plan, sweep: number): Generator<string, void> {
  const theta = plan.relaxation?.(sweep) ?? 1
  // Zhang and Brand's proximal weight, which leaves the relaxed step well defined as theta falls.
  const proximity = (1 - theta) ** 2
  const { state } = at
  for (const block of plan.blocks) {
    if (block.kind === 'link') {
      const weights = state.weights[block.k - 1]!
      const before = theta < 1 ? [weights.W.data.slice(), weights.b.slice()] : []
      plan.links(block.k).solve(linkProblem(at, block.k, plan.damping(sweep) + proximity))
      if (theta < 1) {
        relax(weights.W.data, before[0]!, theta)
        relax(weights.b, before[1]!, theta)
        at.movedLink(block.k)
      }
    } else {
      const moved = block.kind === 'node' ? [block.k] : state.nodes.map((_, i) => i + 1)
      const before = theta < 1 ? moved.map((k) => state.nodes[k - 1]!.data.slice()) : []
      if (block.kind === 'node') plan.nodes.solve(nodeProblem(at, block.k))
      else jointNodes(at, proximity)
      if (theta < 1)
        moved.forEach((k, i) => {
          relax(state.nodes[k - 1]!.data, before[i]!, theta)
          at.movedNode(k)
        })
    }
    yield nameOf(block)
  }
}

/** now <- before + theta (now - before) */
function relax(now: Float64Array, before: Float64Array, theta: number): void {
  for (let e = 0; e < now.length; e++) now[e] = before[e]! + theta * (now[e]! - before[e]!)
}
