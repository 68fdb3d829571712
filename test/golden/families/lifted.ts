import * as v from 'valibot'
import {
  type ActivationName,
  activations,
  crossEntropy,
  type DeepNetwork,
  damped,
  deepNetwork,
  exactLinks,
  exactNodes,
  fenchel,
  fenchelNetwork,
  fixedPoint,
  fromRows,
  identity,
  type LiftedNetwork,
  linear,
  lpomNetwork,
  majorised,
  matrix,
  tikhonovNetwork,
} from '../../../src/index.ts'
import { type Checked, type Family, type Finding, numbers, read, rowsOfNumbers } from '../reference.ts'
import { tolerances } from '../tolerances.ts'

/**
 * Lifted deep networks: the objective at the start, after every block of the first sweep and after each of five sweeps,
 * then residuals, the network's own loss and the weights; and values of activations and divergences.
 */
export const lifted: Family = {
  family: 'lifted',
  *check(reference) {
    const content = reference.content as object
    if ('activations' in content) {
      yield* checkDivergences(reference.name, read(divergenceFile, reference))
      return
    }
    const file = read(sweepFile, reference)
    for (const one of file.cases) yield checkSweeps(`${reference.name} ${one.name}`, file, one)
  },
}

const sweepCase = v.object({
  name: v.string(),
  activation: v.picklist(['relu', 'sigmoid', 'tanh']),
  loss: v.optional(v.picklist(['ce', 'ls', 'squared'])),
  response_eps: v.optional(v.number()),
  lam: v.optional(numbers),
  mu: v.optional(numbers),
  gamma: v.optional(numbers),
  rho: v.number(),
  alpha: v.optional(v.number(), 0),
  node_steps: v.optional(v.number()),
  link_steps: v.optional(v.number()),
  initial_weight_scale: v.optional(v.number(), 1),
  objective: numbers,
  stationarity_node_link: v.array(v.tuple([v.number(), v.number()])),
  network_loss_initial: v.number(),
  network_loss_after_5: v.number(),
  W_after_5: v.array(rowsOfNumbers),
  b_after_5: v.array(numbers),
  objective_after_each_block_of_sweep_1: v.optional(v.array(v.tuple([v.string(), v.number()]))),
})
const sweepFile = v.object({
  X: rowsOfNumbers,
  Y: rowsOfNumbers,
  sizes: numbers,
  W: v.array(rowsOfNumbers),
  b: v.array(numbers),
  cases: v.pipe(v.array(sweepCase), v.minLength(1)),
})
type SweepFile = v.InferOutput<typeof sweepFile>
type SweepCase = v.InferOutput<typeof sweepCase>

function checkSweeps(name: string, file: SweepFile, one: SweepCase): Checked {
  const begun = performance.now()
  const program = programOf(file, one)
  const state = program.embed(networkOf(file, one))
  const misses: string[] = []
  let [expected, got, furthest] = [0, 0, 0]
  const compare = (what: string, ours: number, theirs: number): void => {
    const error = Math.abs(ours - theirs) / (1 + Math.abs(theirs))
    if (!(error <= tolerances.objective))
      misses.push(`${what} is ${ours.toPrecision(12)}, expected ${theirs.toPrecision(12)} (${error.toExponential(1)})`)
    if (!(error <= furthest)) furthest = error
    expected = theirs
    got = ours
  }
  compare('the loss of the network at the start', program.measure(state).networkLoss, one.network_loss_initial)
  compare('the objective at the start', program.objective(state), one.objective[0]!)
  const blocks = one.objective_after_each_block_of_sweep_1?.slice()
  for (let sweep = 1; sweep < one.objective.length; sweep++) {
    for (const block of program.sweep(state, sweep)) {
      const next = sweep === 1 ? blocks?.shift() : undefined
      if (next === undefined) continue
      if (next[0] !== block && !(next[0] === 'U joint' && block === 'nodes'))
        misses.push(`the block is ${block}, expected ${next[0]}`)
      compare(`the objective after ${block} of sweep 1`, program.objective(state), next[1])
    }
    compare(`the objective after sweep ${sweep}`, program.objective(state), one.objective[sweep]!)
    const { nodeResidual, linkResidual } = program.measure(state)
    const [node, link] = one.stationarity_node_link[sweep - 1]!
    compare(`the residual of the nodes after sweep ${sweep}`, nodeResidual, node)
    compare(`the residual of the links after sweep ${sweep}`, linkResidual, link)
  }
  compare('the loss of the network at the end', program.measure(state).networkLoss, one.network_loss_after_5)
  program.recover(state).layers.forEach(({ W, b }, k) => {
    one.W_after_5[k]!.flat().forEach((theirs, e) => {
      compare(`entry ${e} of W_${k + 1}`, W.data[e]!, theirs)
    })
    one.b_after_5[k]!.forEach((theirs, e) => {
      compare(`entry ${e} of b_${k + 1}`, b[e]!, theirs)
    })
  })
  const last = one.objective.at(-1)!
  compare('the objective at the end', program.objective(state), last)
  const seconds = (performance.now() - begun) / 1000
  return { kind: 'checked', name, expected, got, error: furthest, gap: 0, seconds, misses }
}

function networkOf({ W, b }: SweepFile, { activation, initial_weight_scale }: SweepCase): DeepNetwork {
  return deepNetwork(
    W.map((rows, k) => {
      const weights = fromRows(rows)
      for (let e = 0; e < weights.data.length; e++) weights.data[e]! *= initial_weight_scale
      return { W: weights, b: Float64Array.from(b[k]!), activation: activations[activation]() }
    }),
  )
}

/** Steps as the case counts them, or exact ones where it counts none. */
function programOf(file: SweepFile, one: SweepCase): LiftedNetwork {
  const { node_steps: nodeSteps, link_steps: linkSteps } = one
  const undamped = one.name.includes('fixed point')
  const common = {
    X: fromRows(file.X),
    y: fromRows(file.Y),
    hidden: file.sizes.slice(1, -1),
    activation: activations[one.activation](),
    ridge: one.rho,
    damping: one.alpha,
    nodes:
      nodeSteps === undefined
        ? exactNodes()
        : undamped
          ? fixedPoint({ steps: nodeSteps })
          : damped({ steps: nodeSteps }),
    links: linkSteps === undefined ? exactLinks() : majorised({ steps: linkSteps, momentum: false }),
  }
  if (one.lam)
    return fenchelNetwork({
      ...common,
      coupling: one.lam,
      loss: one.loss === 'ce' ? 'cross-entropy' : 'squared',
      linearShare: one.response_eps ?? 0,
    })
  if (one.mu) return lpomNetwork({ ...common, coupling: one.mu })
  if (!one.gamma) throw new RangeError(`${one.name} has neither lam, mu nor gamma`)
  const { X, y, hidden, ridge } = common
  return tikhonovNetwork({
    ...{ X, y, hidden, ridge, coupling: one.gamma, outputFirst: false },
    relaxation: relaxationOf(one.name),
  })
}

function relaxationOf(name: string): number | ((sweep: number) => number) {
  if (name.startsWith('theta_t=1/t^2 ')) return (t) => 1 / t ** 2
  const given = /^theta=([\d.]+)/.exec(name)
  if (!given) throw new RangeError(`the case is "${name}", expected theta=... or theta_t=1/t^2`)
  return Number(given[1])
}

const divergenceFile = v.object({
  activations: v.pipe(
    v.array(
      v.object({
        name: v.string(),
        lip: v.number(),
        ...{ u: numbers, v: numbers, phi_u: numbers, inv_v: numbers, Phi_v: numbers, PhiStar_u: numbers },
        ...{ D_fenchel: numbers, D_linear: numbers },
      }),
    ),
    v.minLength(1),
  ),
  softmax: v.object({ z: rowsOfNumbers, y: rowsOfNumbers, D: numbers, response: rowsOfNumbers, beta: v.number() }),
})

function* checkDivergences(name: string, file: v.InferOutput<typeof divergenceFile>): Generator<Finding, void> {
  for (const one of file.activations) {
    const phi = activationOf(one.name)
    const single = (value: number) => matrix(1, 1, Float64Array.of(value))
    const lists: [string, readonly number[], (k: number) => number][] = [
      ['phi', one.phi_u, (k) => phi.value(one.u[k]!)],
      ['inverse', one.inv_v, (k) => phi.inverse(one.v[k]!)],
      ['Phi', one.Phi_v, (k) => phi.potential(one.v[k]!)],
      ['Phi*', one.PhiStar_u, (k) => phi.conjugate(one.u[k]!)],
      ['D fenchel', one.D_fenchel, (k) => fenchel(phi).value(single(one.v[k]!), single(one.u[k]!))],
      ['D linear', one.D_linear, (k) => linear(phi).value(single(one.v[k]!), single(one.u[k]!))],
    ]
    const pairs = lists.flatMap(([what, theirs, ours]) =>
      theirs.map((value, k): [string, number, number] => [`${what} of entry ${k}`, ours(k), value]),
    )
    yield valuesChecked(`${name} ${one.name}`, [['L', phi.lipschitz, one.lip], ...pairs])
  }
  const { z, y, D, response, beta } = file.softmax
  const divergence = crossEntropy()
  const pairs = z.flatMap((row, r): [string, number, number][] => {
    const [Z, Y] = [fromRows([row]), fromRows([y[r]!])]
    const answered = divergence.response(Z, matrix(1, row.length))
    return [
      [`D of row ${r}`, divergence.value(Y, Z), D[r]!],
      ...response[r]!.map((theirs, k): [string, number, number] => [
        `response ${k} of row ${r}`,
        answered.data[k]!,
        theirs,
      ]),
    ]
  })
  yield valuesChecked(`${name} softmax`, [['beta', divergence.smoothness, beta], ...pairs])
}

/** What an activation of the file is called here, its number read off the name. */
function activationOf(name: string) {
  if (name === 'identity') return identity()
  const [, word, digits] = /^([a-z]+)([\d.]*)$/.exec(name) ?? []
  const value = Number(digits)
  if (word === 'leaky') return activations['leaky-relu']({ slope: value })
  if (word === 'clip' && digits === '01') return activations.clip({ low: 0, high: 1 })
  if (word === 'soft') return activations['soft-threshold']({ threshold: value })
  if (!Object.hasOwn(activations, name)) throw new RangeError(`the activation is "${name}", which is not known`)
  return activations[name as ActivationName]()
}

function valuesChecked(name: string, pairs: readonly [string, number, number][]): Checked {
  const begun = performance.now()
  let furthest = 0
  const misses: string[] = []
  for (const [what, ours, theirs] of pairs) {
    const error = Math.abs(ours - theirs) / (1 + Math.abs(theirs))
    if (!(error <= tolerances.objective)) misses.push(`${what} is ${ours}, expected ${theirs}`)
    if (!(error <= furthest)) furthest = error
  }
  const [, got, expected] = pairs.at(-1)!
  return {
    kind: 'checked',
    name,
    expected,
    got,
    error: furthest,
    gap: 0,
    seconds: (performance.now() - begun) / 1000,
    misses,
  }
}
