import { describe, expect, it } from 'vitest'
import {
  type Activation,
  certify,
  damped,
  deepNetwork,
  exactLinks,
  exactNodes,
  fenchelNetwork,
  fixedPoint,
  fromRows,
  identity,
  type LiftedNetwork,
  type LiftedState,
  leakyRelu,
  lpomNetwork,
  majorised,
  matrix,
  proximalGradient,
  relu,
  sigmoid,
  softThreshold,
  solveSync,
  tanh,
  tikhonovNetwork,
  toRows,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { furthestApart, normals, oneHotRows, randomNetwork, seven, small } from './networks.ts'

const { X, classes, targets } = small

/** Every preset and setting whose objective must never rise. */
const descending: [string, () => LiftedNetwork][] = [
  ...seven.flatMap((activation): [string, () => LiftedNetwork][] => [
    [`fenchel ${activation.name}`, () => fenchelNetwork({ X, y: classes, hidden: [5, 4], activation })],
    [
      `lpom ${activation.name}`,
      () => lpomNetwork({ X, y: classes, hidden: [5, 4], activation, outputActivation: leakyRelu() }),
    ],
  ]),
  ['fenchel squared', () => fenchelNetwork({ X, y: targets, hidden: [5, 4], loss: 'squared' })],
  ['fenchel logistic', () => fenchelNetwork({ X, y: oneHotRows(12, 3), hidden: [5], loss: 'logistic' })],
  ['fenchel mixed', () => fenchelNetwork({ X, y: classes, hidden: [5, 4], linearShare: 0.3 })],
  ['fenchel odd-even', () => fenchelNetwork({ X, y: classes, hidden: [5, 4, 3], order: 'odd-even' })],
  ['fenchel exact', () => fenchelNetwork({ X, y: classes, hidden: [5], nodes: exactNodes(), links: exactLinks() })],
  ['fenchel with no ridge or damping', () => fenchelNetwork({ X, y: classes, hidden: [5, 4], ridge: 0, damping: 0 })],
  ['fenchel with more weights than rows', () => fenchelNetwork({ X, y: classes, hidden: [30, 20], damping: 0.1 })],
  ['lpom signed', () => lpomNetwork({ X, y: targets, hidden: [5, 4] })],
  ['tikhonov', () => tikhonovNetwork({ X, y: targets, hidden: [5, 4] })],
  ['tikhonov theta 1', () => tikhonovNetwork({ X, y: targets, hidden: [5, 4], relaxation: 1 })],
  [
    'tikhonov theta 0.5, nodes first',
    () => tikhonovNetwork({ X, y: targets, hidden: [5], relaxation: 0.5, outputFirst: false }),
  ],
  [
    'tikhonov sparse',
    () => tikhonovNetwork({ X: normals(12, 6, 4), y: targets, hidden: [5, 4], relaxation: 1, keep: 3 }),
  ],
]

describe.each(descending)('%s', (_, make) => {
  it('no block of thirty sweeps raises the objective', () => {
    const program = make()
    const state = program.initial(1)
    let before = program.objective(state)
    for (let sweep = 1; sweep <= 30; sweep++)
      for (const block of program.sweep(state, sweep)) {
        const now = program.objective(state)
        expect(now, `${block} of sweep ${sweep}`).toBeLessThanOrEqual(before * (1 + 1e-12) + 1e-15)
        before = now
      }
    expect(before).toBeLessThan(program.objective(program.initial(1)))
  })
})

it('a sparse Tikhonov network keeps to its entries, and least squares leaves its output layer full', () => {
  const program = tikhonovNetwork({
    X: normals(40, 6, 4),
    y: normals(40, 2, 5),
    hidden: [7, 5],
    relaxation: 1,
    keep: 3,
  })
  const state = program.initial(2)
  for (let sweep = 1; sweep <= 10; sweep++) for (const __ of program.sweep(state, sweep));
  const used = program.recover(state).layers.map(({ W }) => toRows(W).map((row) => row.filter((w) => w !== 0).length))
  expect(used[0]).toEqual(Array(7).fill(3))
  expect(used[1]!.every((count) => count <= 3)).toBe(true)
  expect(used[2]!.every((count) => count === 5)).toBe(true)
})

describe('the objective', () => {
  it.each(seven.map((activation) => [activation.name, activation] as const))(
    'at the nodes that the network computes is the loss of the network, %s',
    (_, activation) => {
      const network = randomNetwork([3, 5, 4, 3], activation, 3)
      for (const program of [
        fenchelNetwork({ X, y: classes, hidden: [5, 4], activation }),
        lpomNetwork({ X, y: classes, hidden: [5, 4], activation }),
      ]) {
        const state = program.embed(network)
        const { networkLoss, gaps } = program.measure(state)
        expect(Math.abs(program.objective(state) - networkLoss)).toBeLessThan(1e-12 * (1 + networkLoss))
        expect(Math.max(...gaps)).toBe(0)
      }
    },
  )

  it('of linear couplings is above it by gamma/2 |min(z, 0)|^2', () => {
    const network = randomNetwork([3, 5, 4, 2], relu(), 7)
    const program = tikhonovNetwork({ X, y: targets, hidden: [5, 4], coupling: [2, 0.5] })
    const state = program.embed(network)
    let excess = 0
    let rows = X
    network.layers.slice(0, -1).forEach((layer, k) => {
      const Z = deepNetwork([{ ...layer, activation: identity() }]).predict(rows)
      for (const z of Z.data) excess += ([2, 0.5][k]! / 2) * Math.min(z, 0) ** 2
      rows = matrix(
        Z.rows,
        Z.columns,
        Z.data.map((z) => Math.max(z, 0)),
      )
    })
    const { networkLoss } = program.measure(state)
    expect(program.objective(state)).toBeCloseTo(networkLoss + excess / X.rows, 12)
  })

  it('does not change when a ReLU layer is rescaled, but for the coupling, which goes with the square', () => {
    const scale = 3
    const rescaled = (program: LiftedNetwork, { weights, nodes }: LiftedState): LiftedState => {
      const state = program.embed(program.recover({ weights, nodes }))
      const times = (from: Float64Array, factor: number): Float64Array => from.map((entry) => entry * factor)
      state.weights[0]!.W.data.set(times(weights[0]!.W.data, scale))
      state.weights[0]!.b.set(times(weights[0]!.b, scale))
      state.weights[1]!.W.data.set(times(weights[1]!.W.data, 1 / scale))
      return {
        weights: state.weights,
        nodes: [matrix(nodes[0]!.rows, nodes[0]!.columns, times(nodes[0]!.data, scale))],
      }
    }
    const common = { X, y: classes, hidden: [5], ridge: 0 }
    const strong = fenchelNetwork({ ...common, coupling: 9 })
    const weak = fenchelNetwork({ ...common, coupling: 1 })
    const state = strong.initial(5)
    for (const __ of strong.sweep(state, 1));
    expect(weak.objective(rescaled(weak, state))).toBeCloseTo(strong.objective(state), 10)
  })

  it('has a least value over the nodes that rises with the coupling, to the loss of the network and never above it', () => {
    const network = randomNetwork([3, 5, 3], relu(), 11)
    const values = [0.01, 0.1, 1, 10, 100, 1000].map((coupling) => {
      const program = fenchelNetwork({ X, y: classes, hidden: [5], coupling, nodes: exactNodes() })
      const state = program.embed(network)
      const { networkLoss } = program.measure(state)
      const first = program.sweep(state, 1).next()
      expect(first.value).toBe('node 1')
      return { value: program.objective(state), networkLoss }
    })
    for (let k = 1; k < values.length; k++) expect(values[k]!.value).toBeGreaterThanOrEqual(values[k - 1]!.value)
    const { value, networkLoss } = values.at(-1)!
    expect(value).toBeLessThanOrEqual(networkLoss)
    expect((networkLoss - value) / networkLoss).toBeLessThan(3e-3)
  })
})

describe('a block solved exactly', () => {
  const programs = seven.flatMap((activation): [string, LiftedNetwork][] => {
    const common = {
      X,
      hidden: [5, 4],
      activation,
      ridge: 0.01,
      damping: 0.001,
      nodes: exactNodes(),
      links: exactLinks(),
    }
    return [
      [`fenchel ${activation.name}`, fenchelNetwork({ ...common, y: classes, coupling: [2, 1] })],
      [`lpom ${activation.name}`, lpomNetwork({ ...common, y: classes, coupling: [2, 1, 0.5] })],
    ]
  })
  programs.push([
    'tikhonov',
    tikhonovNetwork({ X, y: targets, hidden: [5, 4], relaxation: 1, ridge: 0.01, damping: 0.001 }),
  ])

  it.each(programs)('is at the minimum of its subproblem, and certified to be: %s', (_, program) => {
    const state = program.initial(3)
    const done = new Set<string>()
    for (let sweep = 1; sweep <= 2; sweep++) {
      for (const name of program.sweep(state, sweep)) {
        const block = program.blocks.indexOf(name)
        // The joint block is an indicator's: its dual point is feasible only to rounding, so no bound there.
        if (name === 'nodes') continue
        const { program: convex, at } = program.subproblem(block, state)
        const { gap, scope, primal } = certify(convex, at)
        // A link's proximal term is counted from where the weights are now.
        expect(scope).toBe('block')
        expect(gap, name).toBeGreaterThanOrEqual(-1e-13 * (1 + Math.abs(primal)))
        if (name.startsWith('node')) expect(gap, name).toBeLessThan(1e-9 * (1 + Math.abs(primal)))
        done.add(name)
      }
    }
    expect(done.size).toBeGreaterThanOrEqual(2)
  })

  it.each(programs)('is no worse than any point near it: %s', (_, program) => {
    const state = program.initial(4)
    const draws = random(9)
    for (const name of program.sweep(state, 1)) {
      const now = program.objective(state)
      if (!name.startsWith('node')) continue
      const k = name === 'nodes' ? 0 : Number(name.slice(5)) - 1
      const node = state.nodes[k]!
      const kept = node.data.slice()
      const range = program.chain.links[k]!.divergence.activation!
      for (let trial = 0; trial < 20; trial++) {
        const size = 10 ** -(trial % 5)
        const moved = node.data.map((v) => range.value(range.inverse(v) + size * draws.normal()))
        const other = {
          weights: state.weights,
          nodes: state.nodes.map((X, i) => (i === k ? matrix(X.rows, X.columns, moved) : X)),
        }
        expect(program.objective(other)).toBeGreaterThanOrEqual(now - 1e-12 * (1 + now))
      }
      node.data.set(kept)
    }
  })

  it('lowers the objective by at least its strong convexity times the square of the way', () => {
    for (const activation of seven) {
      const [coupling, ridge, damping] = [2, 0.01, 0.001]
      const program = fenchelNetwork({
        ...{ X, y: classes, hidden: [5], activation, coupling, ridge, damping },
        ...{ nodes: exactNodes(), links: exactLinks() },
      })
      const state = program.initial(6)
      let before = program.objective(state)
      let nodes = state.nodes[0]!.data.slice()
      const copy = (): Float64Array[] => state.weights.map(({ W, b }) => Float64Array.from([...W.data, ...b]))
      let weights = copy()
      for (const name of program.sweep(state, 1)) {
        const now = program.objective(state)
        const way = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, e) => sum + (v - b[e]!) ** 2, 0)
        const k = Number(name.slice(5)) - 1
        const least =
          name === 'node 1'
            ? (coupling / (2 * activation.lipschitz * X.rows)) * way(nodes, state.nodes[0]!.data)
            : // The proximal term holds twice: in what is minimised, and in how convex it is.
              damping * way(weights[k]!, copy()[k]!)
        expect(before - now, `${activation.name} ${name}`).toBeGreaterThanOrEqual(least - 1e-12)
        before = now
        nodes = state.nodes[0]!.data.slice()
        weights = copy()
      }
    }
  })

  it.each([relu(), tanh(), sigmoid(), softThreshold({ threshold: 0.2 })].map((phi) => [phi.name, phi] as const))(
    'agrees with a solver of convex programs that knows nothing of networks: %s',
    (_, activation) => {
      for (const block of [0, 1, 2])
        for (const linearShare of [0, 0.3]) {
          const program = fenchelNetwork({
            ...{ X, y: classes, hidden: [4], activation, coupling: 1, ridge: 0.05, damping: 0.05, linearShare },
            ...{ nodes: exactNodes(), links: exactLinks() },
          })
          const state = program.initial(8)
          const sweep = program.sweep(state, 1)
          for (let done = 0; done < block; done++) sweep.next()
          const { program: convex, at } = program.subproblem(block, state)
          const found = solveSync(convex, { solver: proximalGradient(), tolerance: 1e-14, maxIterations: 200_000 })
          sweep.next()
          const own = program.subproblem(block, state).at
          const name = program.blocks[block]!
          expect(furthestApart(own.coefficients, found.coefficients), name).toBeLessThan(1e-6)
          expect(furthestApart(own.coefficients, at.coefficients), name).toBeGreaterThan(1e-3)
          // The sweep's own point, judged by the problem as it was posed before.
          const { relativeGap } = certify(convex, own)
          expect(Math.abs(relativeGap), name).toBeLessThan(1e-12)
        }
    },
  )
})

describe('inexact steps', () => {
  it('damped ones never rise however strong the next layer, where fixed points run away', () => {
    const strong = randomNetwork([3, 5, 4, 3], leakyRelu({ slope: 0.9 }), 2, 6)
    const options = {
      X,
      y: targets.columns === 2 ? normals(12, 3, 3) : targets,
      hidden: [5, 4],
      activation: leakyRelu({ slope: 0.9 }),
    }
    const make = (nodes: ReturnType<typeof damped>): LiftedNetwork =>
      fenchelNetwork({ ...options, loss: 'squared', coupling: 1, nodes })
    const calm = make(damped({ steps: 20 }))
    const state = calm.embed(strong)
    const start = calm.objective(state)
    calm.sweep(state, 1).next()
    expect(calm.objective(state)).toBeLessThan(start)
    const wild = make(fixedPoint({ steps: 20 }))
    const lost = wild.embed(strong)
    wild.sweep(lost, 1).next()
    expect(wild.objective(lost)).toBeGreaterThan(1e10 * start)
  })

  it('one majorised step of a linear response is exact', () => {
    for (const momentum of [false, true]) {
      const options = { X, y: targets, hidden: [5], loss: 'squared' as const, ridge: 0.01, damping: 0.001 }
      const [a, b] = [majorised({ steps: 1, momentum }), exactLinks()].map((links) => {
        const program = fenchelNetwork({ ...options, activation: identity(), links })
        const state = program.initial(3)
        for (const __ of program.sweep(state, 1));
        return program.recover(state)
      })
      for (const [k, { W }] of a!.layers.entries())
        expect(furthestApart(W.data, b!.layers[k]!.W.data)).toBeLessThan(1e-11)
    }
  })

  it('majorised steps in coordinates of the rows are those in coordinates of the weights', () => {
    // 12 rows: a unit of 40 inputs is solved over the rows, and the same twice over with zero columns less is not.
    for (const momentum of [false, true]) {
      const wide = normals(30, 40, 3)
      const rows = fromRows(toRows(wide).slice(0, 12))
      const padded = fromRows([...toRows(rows), ...Array.from({ length: 60 }, () => Array<number>(40).fill(0))])
      const y = oneHotRows(12, 3)
      const make = (X: typeof rows, Y: typeof y, coupling: number) =>
        fenchelNetwork({
          ...{ X, y: Y, hidden: [], loss: 'squared' as const, ridge: 0.02, damping: 0.3, coupling },
          links: majorised({ steps: 4, momentum }),
        })
      const network = randomNetwork([40, 3], identity(), 5, 0.2)
      const few = make(rows, y, 1)
      const state = few.embed(network)
      for (const __ of few.sweep(state, 1));
      // The same problem with each row twice is the same problem, now with more rows than half the weights.
      const doubled = make(
        fromRows([...toRows(rows), ...toRows(rows), ...toRows(rows), ...toRows(rows)]),
        fromRows([...toRows(y), ...toRows(y), ...toRows(y), ...toRows(y)]),
        1,
      )
      const other = doubled.embed(network)
      for (const __ of doubled.sweep(other, 1));
      expect(padded.rows).toBe(72)
      expect(furthestApart(state.weights[0]!.W.data, other.weights[0]!.W.data)).toBeLessThan(1e-11)
      expect(furthestApart(state.weights[0]!.b, other.weights[0]!.b)).toBeLessThan(1e-11)
    }
  })

  it('need no derivative of the activation', () => {
    const blind = (activation: Activation): Activation => ({
      ...activation,
      slope() {
        throw new Error('the derivative was asked for')
      },
    })
    for (const activation of [relu(), tanh(), sigmoid()]) {
      const program = fenchelNetwork({ X, y: classes, hidden: [5, 4], activation: blind(activation) })
      const state = program.initial(1)
      for (const __ of program.sweep(state, 1));
      const exact = fenchelNetwork({ X, y: classes, hidden: [5], activation: blind(activation), links: exactLinks() })
      expect(() => {
        for (const __ of exact.sweep(exact.initial(1), 1));
      }).toThrow('asked for')
    }
  })
})

describe('what must come out', () => {
  it.each([relu(), leakyRelu({ slope: 0.2 }), sigmoid(), tanh()].map((a) => [a.name, a] as const))(
    'the weights of a planted layer, %s',
    (_, activation) => {
      const inputs = normals(60, 4, 8)
      const planted = randomNetwork([4, 3], activation, 21)
      const program = lpomNetwork({
        ...{ X: inputs, y: planted.predict(inputs), hidden: [], outputActivation: activation },
        ...{ ridge: 0, damping: 0, coupling: 1, nodes: exactNodes(), links: exactLinks() },
      })
      const state = program.refit(program.initial(1))
      const found = program.recover(state).layers[0]!
      expect(furthestApart(found.W.data, planted.layers[0]!.W.data)).toBeLessThan(1e-8)
      expect(furthestApart(found.b, planted.layers[0]!.b)).toBeLessThan(1e-8)
    },
  )

  it('a teacher stays: at targets that the network answers, the objective is 0 and nothing moves', () => {
    const teacher = randomNetwork([3, 5, 4, 2], tanh(), 31)
    const program = lpomNetwork({
      ...{ X, y: teacher.predict(X), hidden: [5, 4], activation: tanh(), outputActivation: tanh() },
      ...{ ridge: 0, damping: 1e-6, coupling: 1 },
    })
    const state = program.embed(teacher)
    expect(program.objective(state)).toBeLessThan(1e-14)
    for (let sweep = 1; sweep <= 3; sweep++) for (const __ of program.sweep(state, sweep));
    program.recover(state).layers.forEach(({ W }, k) => {
      expect(furthestApart(W.data, teacher.layers[k]!.W.data)).toBeLessThan(1e-6)
    })
  })

  it('at the joint minimum over the nodes, link gradients tend to those of backpropagation as the coupling grows', () => {
    const network = randomNetwork([3, 5, 4, 3], tanh(), 41, 0.5)
    const errors = [1e2, 1e3, 1e4].map((coupling) => {
      const program = fenchelNetwork({
        X,
        y: classes,
        hidden: [5, 4],
        activation: tanh(),
        coupling,
        ridge: 0,
        nodes: exactNodes(),
      })
      const state = program.embed(network)
      // Nodes alone, to their joint minimum: sweeps that leave the weights as they are.
      for (let round = 0; round < 60; round++) {
        const sweep = program.sweep(state, 1)
        for (let k = 0; k < 2; k++) sweep.next()
      }
      return linkGradientError(program, state, network)
    })
    expect(errors[1]!).toBeLessThan(errors[0]! / 5)
    expect(errors[2]!).toBeLessThan(errors[1]! / 5)
    expect(errors[2]!).toBeLessThan(1e-3)
  })

  /** Largest difference between dF/dW_1 and the gradient of the network's loss, by differences of the latter. */
  function linkGradientError(
    program: LiftedNetwork,
    state: LiftedState,
    network: ReturnType<typeof randomNetwork>,
  ): number {
    const W = state.weights[0]!.W
    let most = 0
    let size = 0
    for (const e of [0, 4, 8, 13]) {
      const own = difference((t) => {
        const weights = state.weights.map(({ W, b }) => ({ W: matrix(W.rows, W.columns, W.data.slice()), b }))
        weights[0]!.W.data[e] = W.data[e]! + t
        return program.objective({ weights, nodes: state.nodes })
      })
      const theirs = difference((t) => {
        const layers = network.layers.map((layer) => ({
          ...layer,
          W: matrix(layer.W.rows, layer.W.columns, layer.W.data.slice()),
        }))
        layers[0]!.W.data[e] = W.data[e]! + t
        return program.objective(program.embed(deepNetwork(layers)))
      })
      most = Math.max(most, Math.abs(own - theirs))
      size = Math.max(size, Math.abs(theirs))
    }
    return most / size
  }

  function difference(f: (t: number) => number): number {
    return (f(1e-5) - f(-1e-5)) / 2e-5
  }
})

describe('symmetries', () => {
  const values = (program: LiftedNetwork, state: LiftedState): number[] =>
    Array.from({ length: 5 }, (_, t) => {
      for (const __ of program.sweep(state, t + 1));
      return program.objective(state)
    })

  it('the order of samples does not matter, nor that of hidden units', () => {
    const network = randomNetwork([3, 5, 3], relu(), 51)
    const program = fenchelNetwork({ X, y: classes, hidden: [5] })
    const plain = values(program, program.embed(network))
    const order = random(3).permutation(12)
    const shuffled = fenchelNetwork({
      X: fromRows(Array.from(order, (r) => toRows(X)[r]!)),
      y: fromRows(Array.from(order, (r) => toRows(classes)[r]!)),
      hidden: [5],
    })
    const turned = [4, 2, 0, 1, 3]
    const [first, last] = network.layers
    const permuted = deepNetwork([
      {
        ...first!,
        W: fromRows(turned.map((j) => toRows(first!.W)[j]!)),
        b: Float64Array.from(turned, (j) => first!.b[j]!),
      },
      { ...last!, W: fromRows(toRows(last!.W).map((row) => turned.map((j) => row[j]!))) },
    ])
    for (const other of [values(shuffled, shuffled.embed(network)), values(program, program.embed(permuted))])
      for (const [t, value] of other.entries()) expect(Math.abs(value - plain[t]!)).toBeLessThan(1e-9 * (1 + plain[t]!))
  })
})
