import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  certify,
  convolution,
  type DeepNetwork,
  deepNetwork,
  dense,
  exactLinks,
  exactNodes,
  fenchelNetwork,
  fixedPoint,
  fromRows,
  identity,
  type LiftedNetwork,
  leakyRelu,
  loadModel,
  lpomNetwork,
  majorised,
  matrix,
  relu,
  tanh,
  tikhonovNetwork,
  toRows,
  train,
  trainSteps,
  trainSync,
} from '../../src/index.ts'
import { dot } from '../../src/numerics/vectors.ts'
import { plainMatrix } from '../arbitraries.ts'
import { furthestApart, normals, oneHotRows, randomNetwork, small } from './networks.ts'

const { X, classes, targets } = small
const net = (): LiftedNetwork => fenchelNetwork({ X, y: classes, hidden: [5, 4] })

/** Two interleaved half circles, standing off by `noise`. */
function moons(rows: number, seed: number): { X: ReturnType<typeof matrix>; y: ReturnType<typeof matrix> } {
  const noise = normals(rows, 2, seed, 0.1)
  const X = matrix(rows, 2)
  for (let r = 0; r < rows; r++) {
    const angle = (Math.PI * (r >> 1)) / (rows / 2 - 1)
    const upper = r % 2 === 0
    X.data[2 * r] = (upper ? Math.cos(angle) : 1 - Math.cos(angle)) + noise.data[2 * r]!
    X.data[2 * r + 1] = (upper ? Math.sin(angle) : 0.5 - Math.sin(angle)) + noise.data[2 * r + 1]!
  }
  return { X, y: oneHotRows(rows, 2) }
}

function accuracy(network: DeepNetwork, rows: ReturnType<typeof matrix>, y: ReturnType<typeof matrix>): number {
  const scores = network.predict(rows)
  let right = 0
  for (let r = 0; r < rows.rows; r++) {
    const of = (M: typeof scores): number[] => Array.from(M.data.subarray(r * M.columns, (r + 1) * M.columns))
    const best = (row: number[]): number => row.indexOf(Math.max(...row))
    if (best(of(scores)) === best(of(y))) right++
  }
  return right / rows.rows
}

describe('train', () => {
  it('lowers the objective sweep by sweep, and its history says so', () => {
    const { status, sweeps, history, certificate, measure } = trainSync(net(), { maxSweeps: 40, tolerance: 0 })
    expect([status, sweeps, history.length]).toEqual(['iteration-limit', 40, 41])
    for (let t = 1; t < history.length; t++)
      expect(history[t]!.objective).toBeLessThanOrEqual(history[t - 1]!.objective)
    expect(history.filter((at) => at.measure).map((at) => at.sweep)).toEqual([0, 10, 20, 30, 40])
    expect(certificate).toBe(measure.certificate)
    expect(certificate.primal).toBe(history.at(-1)!.objective)
  })

  it('ends as solved when nothing is left to gain, and says by what', () => {
    const options = { X, y: targets, hidden: [4], ridge: 0.1, coupling: 1, loss: 'squared' as const, damping: 1e-3 }
    const program = fenchelNetwork({ ...options, nodes: exactNodes(), links: exactLinks() })
    const { status, sweeps, certificate } = trainSync(program, { maxSweeps: 3000, tolerance: 1e-6 })
    expect(status).toBe('solved')
    expect(sweeps).toBeLessThan(3000)
    expect(Math.min(certificate.stationarity, certificate.relativeGap)).toBeLessThanOrEqual(1e-6)
  })

  it('is the same whether it blocks, breathes or is stepped, and for the same seed', async () => {
    const options = { maxSweeps: 5, seed: 3, tolerance: 0 }
    const blocking = trainSync(net(), options)
    const breathing = await train(net(), options)
    const stepping = trainSteps(net(), options)
    let at = await stepping.next()
    const seen: number[] = []
    while (!at.done) {
      seen.push(at.value.sweep)
      at = await stepping.next()
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5])
    for (const other of [breathing, at.value])
      for (const [k, { W }] of other.model.layers.entries())
        expect(Array.from(W.data)).toEqual(Array.from(blocking.model.layers[k]!.W.data))
    expect(trainSync(net(), { ...options, seed: 4 }).history.at(-1)!.objective).not.toBe(
      blocking.history.at(-1)!.objective,
    )
  })

  it('stops on request between two blocks, with a network and a certificate', async () => {
    const controller = new AbortController()
    const found = await train(net(), {
      maxSweeps: 1e6,
      tolerance: 0,
      signal: controller.signal,
      onProgress: ({ sweep }) => {
        if (sweep === 7) controller.abort()
      },
    })
    expect([found.status, found.sweeps]).toEqual(['aborted', 7])
    expect(found.certificate.scope).toBe('block')
    expect(found.model.predict(X).rows).toBe(12)
  })

  it('gives timers a turn', async () => {
    const X = normals(400, 20, 3)
    const program = fenchelNetwork({ X, y: oneHotRows(400, 3), hidden: [40, 40] })
    const found = await train(program, { maxSweeps: 1e6, tolerance: 0, signal: AbortSignal.timeout(150) })
    expect(found.status).toBe('aborted')
  })

  it('keeps to a time limit', () => {
    const found = trainSync(net(), { maxSweeps: 1e7, tolerance: 0, timeLimit: 0.1 })
    expect(found.status).toBe('time-limit')
    expect(found.seconds).toBeLessThan(5)
  })

  it('says diverged, and keeps the last finite network, when undamped steps run away', () => {
    const program = fenchelNetwork({
      ...{
        X,
        y: normals(12, 3, 3),
        hidden: [5, 4],
        activation: leakyRelu({ slope: 0.9 }),
        loss: 'squared',
        coupling: 0.01,
      },
      nodes: fixedPoint({ steps: 200 }),
    })
    const found = trainSync(program, { start: randomNetwork([3, 5, 4, 3], leakyRelu(), 2, 6), maxSweeps: 50 })
    expect(found.status).toBe('diverged')
    expect(Number.isFinite(found.certificate.primal)).toBe(true)
    expect(found.model.predict(X).data.every(Number.isFinite)).toBe(true)
  })

  it('starts from a network that is given, and does not write to it', () => {
    const start = randomNetwork([3, 5, 4, 3], relu(), 9)
    const before = JSON.stringify(start)
    const found = trainSync(net(), { start, maxSweeps: 3 })
    expect(JSON.stringify(start)).toBe(before)
    const { networkLoss } = net().measure(net().embed(start))
    expect(found.history[0]!.objective).toBeCloseTo(networkLoss, 12)
  })

  it.each([
    ['maxSweeps is 0', { maxSweeps: 0 }],
    ['tolerance is NaN', { tolerance: Number.NaN }],
    ['timeLimit is 0', { timeLimit: 0 }],
    ['checkEvery is 1.5', { checkEvery: 1.5 }],
    ['seed is -1', { seed: -1 }],
  ])('refuses options that make no sense: %s', (sentence, options) => {
    expect(() => trainSync(net(), options)).toThrow(RangeError)
    expect(() => trainSync(net(), options)).toThrow(sentence)
  })
})

describe('a certificate of scope block', () => {
  const programs: [string, LiftedNetwork][] = [
    ['fenchel', fenchelNetwork({ X, y: classes, hidden: [5, 4], damping: 0.1, ridge: 0.1 })],
    ['lpom', lpomNetwork({ X, y: classes, hidden: [5, 4], activation: tanh(), damping: 0.1, ridge: 0.1 })],
    ['tikhonov', tikhonovNetwork({ X, y: targets, hidden: [5, 4], relaxation: 1 })],
  ]

  it.each(programs)('is never above what a block reaches when it is solved exactly: %s', (name, program) => {
    const state = program.initial(2)
    for (let sweep = 1; sweep <= 4; sweep++) {
      const { certificate } = program.measure(state)
      expect(certificate.scope).toBe('block')
      expect(certificate.dual).toBeLessThanOrEqual(certificate.primal)
      for (const [block, title] of program.blocks.entries()) {
        if (title === 'nodes') continue
        // The block alone: its own gap is at most the largest.
        const { program: convex, at } = program.subproblem(block, state)
        const own = certify(convex, at)
        if (name !== 'tikhonov') expect(own.gap, title).toBeLessThanOrEqual(certificate.gap * (1 + 1e-9) + 1e-12)
      }
      for (const __ of program.sweep(state, sweep));
    }
  })

  it.each(programs)('closes as the sweeps settle: %s', (_, program) => {
    const state = program.initial(2)
    const first = program.measure(state).certificate.relativeGap
    for (let sweep = 1; sweep <= 400; sweep++) for (const __ of program.sweep(state, sweep));
    expect(program.measure(state).certificate.relativeGap).toBeLessThan(first / 2)
  })
})

describe('refit', () => {
  it.each([
    ['fenchel', fenchelNetwork({ X, y: classes, hidden: [5, 4] })],
    ['tikhonov', tikhonovNetwork({ X, y: targets, hidden: [6] })],
  ])(
    'lowers the loss of the network to the least of its output layer, leaving the state as it was: %s',
    (_, program) => {
      const state = program.initial(5)
      for (let sweep = 1; sweep <= 5; sweep++) for (const __ of program.sweep(state, sweep));
      const before = JSON.stringify(program.recover(state))
      const again = program.refit(state)
      expect(JSON.stringify(program.recover(state))).toBe(before)
      const { networkLoss, gaps } = program.measure(again)
      expect(networkLoss).toBeLessThan(program.measure(state).networkLoss)
      expect(Math.max(...gaps)).toBe(0)
      // Its output layer is at its minimum: a second time changes nothing.
      const twice = program.refit(again)
      expect(program.measure(twice).networkLoss).toBeCloseTo(networkLoss, 10)
      const [a, b] = [program.recover(again), program.recover(twice)].map(({ layers }) => layers.at(-1)!.W.data)
      expect(furthestApart(a!, b!)).toBeLessThan(1e-6)
    },
  )
})

describe('batches', () => {
  it('learn what the full batch learns', () => {
    const { X, y } = moons(200, 1)
    const program = fenchelNetwork({ X, y, hidden: [20], batch: 25, coupling: 1, damping: 0.02 })
    const { model, history } = trainSync(program, { maxSweeps: 60, tolerance: 0 })
    expect(history.at(-1)!.objective).toBeLessThan(history[0]!.objective / 3)
    expect(accuracy(model, X, y)).toBeGreaterThan(0.97)
  })

  it('report the loss of the network as their objective, and draw the same rows for the same seed', () => {
    const make = (seed: number) =>
      fenchelNetwork({ X: normals(50, 3, 1), y: oneHotRows(50, 2), hidden: [6], batch: 8, seed })
    const run = (seed: number) => trainSync(make(seed), { maxSweeps: 3, tolerance: 0 })
    const { measure, history, model } = run(1)
    expect(history.at(-1)!.objective).toBeCloseTo(measure.networkLoss, 12)
    expect(JSON.stringify(run(1).model)).toBe(JSON.stringify(model))
    expect(JSON.stringify(run(2).model)).not.toBe(JSON.stringify(model))
  })

  it('of all rows do what a full sweep from the network does', () => {
    const common = { X, y: classes, hidden: [20, 15], damping: 0.1, ridge: 1e-3, coupling: 1 }
    const [whole, batched] = [fenchelNetwork(common), fenchelNetwork({ ...common, batch: 12, links: majorised() })]
    const start = randomNetwork([3, 20, 15, 3], relu(), 4)
    const [a, b] = [whole, batched].map((program) => {
      const state = program.embed(start)
      for (const __ of program.sweep(state, 1));
      return program.recover(state)
    })
    for (const [k, { W }] of a!.layers.entries())
      expect(furthestApart(W.data, b!.layers[k]!.W.data)).toBeLessThan(1e-10)
  })

  it('start from weights carried on by a share of the last move', () => {
    // One batch of all rows an epoch, so that the draw decides nothing: each epoch again, from weights moved on by hand.
    const common = { X, y: classes, hidden: [6], batch: 12, damping: 0.1 }
    const carried = fenchelNetwork({ ...common, inertia: 0.6 })
    const plain = fenchelNetwork({ ...common, inertia: 0 })
    const state = carried.embed(randomNetwork([3, 6, 3], relu(), 4))
    let before = carried.recover(state)
    for (let epoch = 1; epoch <= 4; epoch++) {
      const now = carried.recover(state)
      const on = (a: Float64Array, b: Float64Array) => a.map((value, e) => value + 0.6 * (value - b[e]!))
      const ahead = deepNetwork(
        now.layers.map((layer, k) => {
          const { W, b } = before.layers[k]!
          return {
            ...layer,
            W: matrix(W.rows, W.columns, on(layer.W.data, W.data)),
            b: on(layer.b, b),
          }
        }),
      )
      const byHand = plain.embed(ahead)
      for (const __ of plain.sweep(byHand, epoch));
      for (const __ of carried.sweep(state, epoch));
      for (const [k, { W, b }] of state.weights.entries()) {
        expect(furthestApart(W.data, byHand.weights[k]!.W.data)).toBeLessThan(1e-11)
        expect(furthestApart(b, byHand.weights[k]!.b)).toBeLessThan(1e-11)
      }
      before = now
    }
  })

  it.each([
    ['fenchel', fenchelNetwork, 0.02],
    ['lpom', lpomNetwork, 0.002],
  ] as const)('are damped by the size of the rows, and in epoch t by t times as much: %s', (_, make, share) => {
    const X = normals(30, 6, 2, 5)
    const common = { X, y: oneHotRows(30, 3), hidden: [8], batch: 10 }
    const size = 1 + dot(X.data, X.data) / 30
    const [usual, told] = [make(common), make({ ...common, damping: (t) => share * size * t })].map(
      (program) => trainSync(program, { maxSweeps: 3, tolerance: 0 }).model,
    )
    expect(JSON.stringify(usual)).toBe(JSON.stringify(told))
  })

  it.each([
    ['inertia is 1', { batch: 5, inertia: 1 }],
    ['inertia is -0.1', { batch: 5, inertia: -0.1 }],
    ['inertia is NaN', { batch: 5, inertia: Number.NaN }],
    ['inertia is given without batch', { inertia: 0.5 }],
  ])('refuse an inertia that makes no sense: %s', (sentence, options) => {
    expect(() => fenchelNetwork({ X, y: classes, hidden: [4], ...options })).toThrow(sentence)
  })

  it('move less the more they are damped, sweep by sweep', () => {
    const program = fenchelNetwork({
      ...{ X: normals(40, 6, 2), y: oneHotRows(40, 3), hidden: [8], batch: 10 },
      ...{ inertia: 0, damping: (sweep) => 0.1 * 100 ** (sweep - 1) },
    })
    const state = program.initial(1)
    const ways = [1, 2, 3].map((sweep) => {
      const before = state.weights[0]!.W.data.slice()
      for (const __ of program.sweep(state, sweep));
      return furthestApart(state.weights[0]!.W.data, before)
    })
    expect(ways[1]!).toBeLessThan(ways[0]! / 3)
    expect(ways[2]!).toBeLessThan(ways[1]! / 30)
  })

  it('never raise the objective of their own rows', () => {
    // A batch is a network of its own on its rows, swept once from the nodes that it computes.
    const rows = normals(40, 6, 2)
    const y = oneHotRows(40, 3)
    let weights = randomNetwork([6, 12, 3], relu(), 4)
    for (let q = 0; q < 8; q++) {
      const pick = (M: typeof rows) => fromRows(toRows(M).slice(5 * q, 5 * q + 5))
      const program = fenchelNetwork({
        X: pick(rows),
        y: pick(y),
        hidden: [12],
        damping: 0.1,
        ridge: 1e-5,
        coupling: 1,
      })
      const state = program.embed(weights)
      let before = program.objective(state)
      for (const block of program.sweep(state, 1)) {
        const now = program.objective(state)
        expect(now, block).toBeLessThanOrEqual(before * (1 + 1e-12))
        before = now
      }
      weights = program.recover(state)
    }
  })
})

describe('half moons of 400 points', () => {
  const { X, y } = moons(400, 7)
  const reached = (program: LiftedNetwork, maxSweeps: number): number =>
    accuracy(trainSync(program, { maxSweeps, tolerance: 0 }).model, X, y)

  it('are told apart by Fenchel and LPOM networks', () => {
    expect(reached(fenchelNetwork({ X, y, hidden: [20] }), 100)).toBeGreaterThanOrEqual(0.98)
    expect(reached(lpomNetwork({ X, y, hidden: [20] }), 300)).toBeGreaterThanOrEqual(0.98)
  })

  it('are told apart by a Tikhonov network that has converged no better than by a line', () => {
    // Minimised to the end its ReLUs are all open: what is left is a linear model.
    const straight = reached(fenchelNetwork({ X, y, hidden: [], loss: 'squared' }), 1)
    expect(straight).toBeLessThan(0.95)
    expect(Math.abs(reached(tikhonovNetwork({ X, y, hidden: [20], relaxation: 1 }), 100) - straight)).toBeLessThan(0.02)
  })
})

describe('layers with maps', () => {
  const image = { height: 6, width: 6, channels: 2 }

  it.each([
    ['windows', { ...image, size: 3 }],
    ['pooled windows', { ...image, size: 2, pool: 2 }],
    ['the whole pooled image', { ...image, size: 3, pool: 2 }],
  ])('fold is the adjoint of unfold: %s', (_, options) => {
    const map = convolution(options)
    fc.assert(
      fc.property(plainMatrix(2, map.inputs), plainMatrix(2 * map.positions, map.fanIn), (x, a) => {
        const there = dot(map.unfold(x).data, a.data)
        const back = dot(x.data, map.fold(a).data)
        expect(Math.abs(there - back)).toBeLessThan(1e-11 * (1 + Math.abs(there)))
      }),
      { numRuns: 20 },
    )
  })

  it('a convolution is what its formula says', () => {
    const map = convolution({ height: 4, width: 4, channels: 1, size: 2, pool: 2 })
    const x = matrix(
      1,
      16,
      Float64Array.from({ length: 16 }, (_, e) => e),
    )
    // Means of the four tiles of 2 x 2, read as one window.
    expect(Array.from(map.unfold(x).data)).toEqual([2.5, 4.5, 10.5, 12.5])
    const sliding = convolution({ height: 3, width: 3, channels: 1, size: 2 })
    expect(
      toRows(
        sliding.unfold(
          matrix(
            1,
            9,
            Float64Array.from({ length: 9 }, (_, e) => e),
          ),
        ),
      ),
    ).toEqual([
      [0, 1, 3, 4],
      [1, 2, 4, 5],
      [3, 4, 6, 7],
      [4, 5, 7, 8],
    ])
  })

  it('a network of convolutions and average pooling learns where in an image a bar stands', () => {
    // Bars, upright or lying, anywhere in 8 x 8 pixels: what tells them apart is local.
    const count = 80
    const noise = normals(count, 64, 5, 0.3)
    const X = matrix(count, 64, noise.data)
    for (let r = 0; r < count; r++) {
      const place = (r * 7) % 8
      for (let t = 0; t < 8; t++) X.data[r * 64 + (r % 2 === 0 ? t * 8 + place : place * 8 + t)]! += 1.5
    }
    const y = oneHotRows(count, 2)
    const first = convolution({ height: 8, width: 8, channels: 1, size: 3 })
    const program = fenchelNetwork({
      ...{ X, y, coupling: 1 },
      hidden: [
        { units: 4, map: first },
        { units: 6, map: convolution({ height: 6, width: 6, channels: 4, size: 2, pool: 2 }) },
      ],
      outputMap: convolution({ height: 2, width: 2, channels: 6, size: 1, pool: 2 }),
    })
    const { history, model } = trainSync(program, { maxSweeps: 60, tolerance: 0 })
    for (let t = 1; t < history.length; t++)
      expect(history[t]!.objective).toBeLessThanOrEqual(history[t - 1]!.objective * (1 + 1e-12))
    expect(accuracy(model, X, y)).toBeGreaterThan(0.95)
    expect(model.width).toBe(36 * 4 + 4 * 6)
    const again = loadModel(JSON.stringify(model)) as DeepNetwork
    expect(furthestApart(again.predict(X).data, model.predict(X).data)).toBe(0)
    expect(furthestApart(program.recover(program.embed(again)).predict(X).data, model.predict(X).data)).toBe(0)
  })

  it.each([
    ['convolution: size is 0', () => convolution({ ...image, size: 0 })],
    ['tiles of 4 x 4 do not fill', () => convolution({ ...image, size: 1, pool: 4 })],
    ['a window of 4 x 4 does not fit', () => convolution({ ...image, size: 4, pool: 2 })],
    ['dense: inputs is 0', () => dense(0)],
  ])('sizes that do not fit are refused: %s', (sentence, make) => {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(sentence)
  })
})

describe('a deep network', () => {
  const network = randomNetwork([3, 5, 4, 2], tanh(), 3)

  it('is saved and loaded to the last bit, activations with their options', () => {
    const odd = deepNetwork([
      { ...network.layers[0]!, activation: leakyRelu({ slope: 0.3 }) },
      network.layers[1]!,
      { ...network.layers[2]!, activation: identity() },
    ])
    const again = loadModel(JSON.stringify(odd)) as DeepNetwork
    expect(again.predict(X).data).toEqual(odd.predict(X).data)
    expect(again.layers[0]!.activation.options).toEqual({ slope: 0.3 })
    expect([again.width, again.features, again.outputs]).toEqual([9, 3, 2])
  })

  it('is refused when its file is damaged, in a sentence that names the place', () => {
    const file = JSON.parse(JSON.stringify(network))
    const broken = (change: (layer: Record<string, unknown>) => void): object => {
      const copy = structuredClone(file)
      change(copy.layers[1])
      return copy
    }
    const cases: [RegExp, object][] = [
      [/damaged at "layers.1.b.0"/, broken((layer) => (layer.b = ['one']))],
      [/row 0 has 4 entries, expected 5/, broken((layer) => (layer.W = [[1, 2, 3, 4]]))],
      [/damaged at "layers.1.activation.name"/, broken((layer) => (layer.activation = { name: 'gelu' }))],
      [/damaged at "layers.1.map/, broken((layer) => (layer.map = { kind: 'dense', inputs: 0 }))],
      [/layer 1 .* reads 6 entries/, broken((layer) => (layer.map = { kind: 'dense', inputs: 6 }) && (layer.W = []))],
    ]
    for (const [sentence, json] of cases) {
      expect(() => loadModel(json)).toThrow(TypeError)
      expect(() => loadModel(json)).toThrow(sentence)
    }
  })

  it('computes layer after layer', () => {
    const [x] = toRows(X)
    let row = x!
    for (const { W, b, activation } of network.layers)
      row = toRows(W).map((w, j) => activation.value(w.reduce((sum, entry, l) => sum + entry * row[l]!, b[j]!)))
    expect(furthestApart(network.predict(fromRows([x!])).data, row)).toBeLessThan(1e-14)
  })

  it('answers rows of any number alike', () => {
    const many = normals(1300, 3, 9)
    const all = network.predict(many)
    for (const r of [0, 511, 512, 1299])
      expect(furthestApart(network.predict(fromRows([toRows(many)[r]!])).data, toRows(all)[r]!)).toBeLessThan(1e-14)
  })

  it.each<[string, () => unknown]>([
    ['there are no layers', () => deepNetwork([])],
    ['layer 1', () => deepNetwork([network.layers[0]!, network.layers[2]!])],
    [
      'W of layer 0',
      () => deepNetwork([{ ...network.layers[0]!, W: matrix(5, 3, new Float64Array(15).fill(Number.NaN)) }]),
    ],
    ['X has 2 columns', () => network.predict(matrix(1, 2))],
    ['embed', () => net().embed(network)],
  ])('refuses what does not fit: %s', (sentence, make) => {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(sentence)
  })
})

describe('what makes no network is refused', () => {
  const bad = Number.NaN
  it.each<[string, () => unknown]>([
    ['y is 11 x 3 and X has 12 rows', () => fenchelNetwork({ X, y: oneHotRows(11, 3), hidden: [4] })],
    [
      'X has NaN in row 0',
      () => fenchelNetwork({ X: matrix(1, 1, Float64Array.of(bad)), y: matrix(1, 1), hidden: [] }),
    ],
    [
      'expected 0 or -1 and 1',
      () => fenchelNetwork({ X, y: matrix(12, 2, new Float64Array(24).fill(2)), hidden: [4] }),
    ],
    ['sums to 2', () => fenchelNetwork({ X, y: matrix(12, 2, new Float64Array(24).fill(1)), hidden: [4] })],
    ['hidden layer 0', () => lpomNetwork({ X, y: classes, hidden: [0] })],
    ['coupling is [1,2]', () => fenchelNetwork({ X, y: classes, hidden: [4], coupling: [1, 2] })],
    ['coupling is -1', () => lpomNetwork({ X, y: classes, hidden: [4], coupling: -1 })],
    ['ridge is -1', () => fenchelNetwork({ X, y: classes, hidden: [4], ridge: -1 })],
    ['damping is -1', () => trainSync(fenchelNetwork({ X, y: classes, hidden: [4], damping: () => -1 }))],
    ['batch is 0', () => fenchelNetwork({ X, y: classes, hidden: [4], batch: 0 })],
    ['relaxation is 2', () => tikhonovNetwork({ X, y: targets, hidden: [4], relaxation: 2 })],
    ['hidden is empty', () => tikhonovNetwork({ X, y: targets, hidden: [] })],
    ['keep is 0', () => tikhonovNetwork({ X, y: targets, hidden: [4], keep: 0 })],
    ['order is "sideways"', () => fenchelNetwork({ X, y: classes, hidden: [4], order: 'sideways' as 'ascending' })],
    ['loss is "hinge"', () => fenchelNetwork({ X, y: classes, hidden: [4], loss: 'hinge' as 'squared' })],
  ])('%s', (sentence, make) => {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(sentence)
  })
})
