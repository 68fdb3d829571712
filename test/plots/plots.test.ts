import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  enumerateGates,
  fromRows,
  gatedReluProgram,
  LiftedRegressor,
  type Progress,
  ReluClassifier,
  ReluRegressor,
  reluNetwork,
  reluProgram,
  sampleGates,
  solveSync,
  sweep,
} from '../../src/index.ts'
import { matrix } from '../../src/numerics/matrix.ts'
import { random } from '../../src/numerics/random.ts'
import {
  confusionPlot,
  convergencePlot,
  crossValidationPlot,
  filterPlot,
  linePlot,
  networkPlot,
  type PathPoint,
  pathPlot,
  pathPoint,
  predictionPlot,
  residualPlot,
} from '../../src/plots/index.ts'
import { pointsOf, seen } from './svg.ts'

const draws = random(3)
const rows = Array.from({ length: 40 }, () => [draws.normal(), draws.normal()])
const X = fromRows(rows)
const y = rows.map(([a, b]) => Math.abs(a!) - Math.max(0, b!))
const program = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 12, seed: 1 }), lambda: 0.01 })
const certificate = {
  relativeGap: 1e-8,
  stationarity: 1e-10,
  primalFeasibility: 0,
  dualFeasibility: 0,
  complementarity: 1e-3,
}

describe('pathPlot', () => {
  const point: PathPoint = { lambda: 0.1, neurons: 3, relativeGap: 1e-7, objective: 1, bound: 0.9 }

  it('draws one line a neuron, and one dot a lambda for neurons and for gaps', async () => {
    const points: PathPoint[] = []
    for await (const at of sweep(program, { count: 8, ratio: 1e-2 })) points.push(pathPoint(at, { train: 1, test: 2 }))
    const figure = await seen(await pathPlot(points, { score: 'RMSE', best: 'smallest' }))
    const ever = points[0]!.norms!.length
    expect(points[0]!.norms).toHaveLength(12)
    const used = Array.from({ length: ever }, (_, b) => points.some(({ norms }) => norms![b]! > 0)).filter(Boolean)
    expect(used.length).toBeGreaterThan(2)
    // Its neurons, the count of them, and two scores.
    expect(figure.marks('line')).toHaveLength(used.length + 3)
    // Eight of the count and of the gap, and the best score.
    expect(figure.marks('dot')).toHaveLength(17)
    for (const text of ['Norm of every neuron’s weights', 'Neurons', 'Relative duality gap', 'RMSE', 'train', 'test'])
      expect(figure.texts).toContain(text)
    expect(figure.texts.filter((text) => text === 'lambda (weaker penalty →)')).toHaveLength(4)
  })

  it('keeps the norms of the groups that the penalty sums', () => {
    const solution = solveSync(program)
    const { norms, objective } = pathPoint(solution)
    const total = Array.from(norms!).reduce((a, b) => a + b, 0)
    expect(program.loss.value(program.operator.apply(solution.coefficients)) + program.lambda * total).toBeCloseTo(
      objective,
      10,
    )
  })

  it('shows the objective and its bound where there are no norms or no scores', async () => {
    const figure = await seen(await pathPlot([point, { ...point, lambda: 0.01 }]))
    expect(figure.texts).toContain('Objective, and its lower bound')
  })

  it('has room for a path of no point, of one, of equal ones, and for gaps of zero', async () => {
    const hostile: PathPoint[][] = [
      [],
      [point],
      [point, point],
      [{ ...point, lambda: 0 }],
      [{ ...point, relativeGap: 0 }],
      [{ ...point, relativeGap: 0, neurons: 0, objective: 0, bound: 0, norms: [], scores: { test: 0 } }],
      [{ ...point, relativeGap: -1e-17, norms: [0, 0] }],
      [{ ...point, relativeGap: Number.POSITIVE_INFINITY, bound: Number.NEGATIVE_INFINITY }],
      [{ ...point, relativeGap: Number.NaN, objective: Number.NaN, scores: { train: Number.NaN } }],
    ]
    for (const points of hostile) {
      const figure = await seen(await pathPlot(points, { tolerance: 1e-6 }))
      expect(figure.texts).toContain(`${points.length} certified ${points.length === 1 ? 'point' : 'points'}`)
    }
  })

  it('hollows the dot of a gap that is not above zero, which a logarithm has no place for', async () => {
    const points = [point, { ...point, lambda: 0.05, relativeGap: 0 }]
    const figure = await seen(await pathPlot(points))
    expect(figure.texts).toContain('≤ 0')
    const dots = figure.marks('dot').filter((dot) => dot.getAttribute('fill') !== null)
    expect(dots.map((dot) => dot.getAttribute('fill'))).toEqual(['#0072b2', '#ffffff'])
  })

  it('draws whatever numbers come', async () => {
    const number = fc.oneof(
      fc.double(),
      fc.constantFrom(0, -0, 1e-300, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    )
    const anyPoint = fc.record({
      lambda: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
      neurons: fc.nat(500),
      relativeGap: number,
      objective: number,
      bound: number,
      scores: fc.record({ train: number, test: number }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(anyPoint, { maxLength: 4 }), async (points) => {
        await seen(await pathPlot(points, { width: 400 }))
      }),
      { numRuns: 12 },
    )
  })
})

describe('convergencePlot', () => {
  const readings: Progress[] = []
  solveSync(program, { tolerance: 1e-9, onProgress: (at) => readings.push(at) })

  it('draws the gap of a walk and its two bounds', async () => {
    const figure = await seen(await convergencePlot(readings, { over: 'iterations', tolerance: 1e-9 }))
    expect(readings.length).toBeGreaterThan(2)
    const lines = figure.marks('line')
    expect(lines).toHaveLength(3)
    expect(lines.every((line) => pointsOf(line) === readings.length)).toBe(true)
    expect(figure.texts).toEqual(expect.arrayContaining(['iterations', 'tolerance', 'lower bound']))
  })

  it('names several walks at their ends', async () => {
    const figure = await seen(await convergencePlot({ 'a < b': readings, other: readings.slice(0, 2) }))
    expect(figure.texts).toEqual(expect.arrayContaining(['a < b', 'other', 'time (seconds)']))
  })

  it('draws a long walk by some of its readings, the last among them', async () => {
    const long = Array.from({ length: 200_001 }, (_, k) => ({ ...readings[0]!, iteration: k, seconds: k / 1000 }))
    const figure = await seen(await convergencePlot(long))
    expect(Math.max(...figure.marks('line').map(pointsOf))).toBeLessThan(1100)
    expect(figure.texts.some((text) => text.startsWith('200000 iterations, 200 s'))).toBe(true)
  })

  it('has room for no reading, for one, for a gap of zero, and for a bound that is not finite', async () => {
    const [first] = readings
    const at = (change: object): Progress => ({ ...first!, certificate: { ...first!.certificate, ...change } })
    const zero = at({ relativeGap: 0, dual: 1, primal: 1 })
    const open = at({ relativeGap: Number.POSITIVE_INFINITY, dual: Number.NEGATIVE_INFINITY })
    for (const walk of [[], [first!], [zero], [open], [open, zero], [at({ primal: 0, dual: 0, relativeGap: 0 })]])
      await seen(await convergencePlot(walk))
    await seen(await convergencePlot({ none: [], one: [first!] }))
    await seen(await convergencePlot({}))
  })
})

describe('linePlot', () => {
  it('draws each line with a dot a point, its name at its end, and the level', async () => {
    const lines = { up: { x: [0, 1, 2], y: [1, 2, 3] }, down: { x: [0, 2], y: [3, 1] } }
    const figure = await seen(await linePlot(lines, { x: 'epochs', y: 'loss', level: { value: 0.5, name: 'bound' } }))
    expect(figure.marks('line').map(pointsOf)).toEqual([3, 2])
    expect(figure.marks('dot')).toHaveLength(5)
    expect(figure.texts).toEqual(expect.arrayContaining(['up', 'down', 'epochs', 'loss', 'bound']))
  })

  it('writes the names of lines that end together one below the other', async () => {
    const line = { x: [0, 1], y: [1, 1] }
    const svg = await linePlot({ a: line, b: line, c: line })
    const heights = ['a', 'b', 'c'].map((name) =>
      Number(new RegExp(`translate\\([\\d.]+,([\\d.]+)\\)[^>]*>(?:<g>)?<text[^>]*>${name}<`).exec(svg)![1]),
    )
    expect(heights[1]! - heights[0]!).toBeGreaterThanOrEqual(15)
    expect(heights[2]! - heights[1]!).toBeGreaterThanOrEqual(15)
  })

  it('has room for no line, for none of a point, and for any numbers on a logarithmic axis', async () => {
    await seen(await linePlot({}))
    await seen(await linePlot({ none: { x: [], y: [] } }, { log: true }))
    const y = [1, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-300]
    await seen(await linePlot({ any: { x: [0, 1, 2, 3, 4, Number.NaN], y } }, { log: true }))
  })
})

describe('networkPlot', () => {
  const line = fromRows([[-1], [-0.5], [0.2], [0.9], [1.4]])
  const bend = reluNetwork({
    W1: matrix(2, 1, Float64Array.of(2, -1)),
    b1: Float64Array.of(-1, 0.5),
    W2: matrix(2, 1, Float64Array.of(1, 3)),
    intercept: Float64Array.of(0.25),
  })

  it('of one feature goes through its kinks, and shows every neuron as a hinge there', async () => {
    const figure = await seen(
      await networkPlot(bend, { X: line, y: [1, 2, 3, 4, 5], features: ['speed (m/s)'], target: 'drag (N)' }),
    )
    // Both neurons bend at one half: the two ends, and either side of it.
    expect(figure.texts).toContain('2 neurons, which bend or jump at 1 point here')
    const [curve, ...hinges] = figure.marks('line')
    expect(pointsOf(curve!)).toBe(4)
    expect(hinges.map(pointsOf)).toEqual([2, 2])
    // Five rows and two kinks.
    expect(figure.marks('dot')).toHaveLength(7)
    expect(figure.texts).toEqual(expect.arrayContaining(['speed (m/s)', 'drag (N)']))
  })

  it('of one feature breaks a gated network where it jumps', async () => {
    const gates = sampleGates(line, { count: 4, seed: 1, bias: true })
    const { model } = solveSync(gatedReluProgram({ X: line, y: [0, 1, -1, 2, 0], gates, lambda: 1e-4, bias: true }))
    const figure = await seen(await networkPlot(model, { X: line }))
    expect(figure.marks('link').length).toBeGreaterThan(0)
  })

  it('of two features draws a line through the corners from end to end', async () => {
    const corners = fromRows([
      [-1, -1],
      [1, 1],
    ])
    const diagonal = reluNetwork({
      W1: matrix(1, 2, Float64Array.of(0.1, -0.1)),
      b1: Float64Array.of(0),
      W2: matrix(1, 1, Float64Array.of(1)),
      intercept: Float64Array.of(0),
    })
    const [link] = (await seen(await networkPlot(diagonal, { X: corners, y: [0, 1] }))).marks('link')
    const [, x1, , x2] = /M([-\d.]+),([-\d.]+)L([-\d.]+),/.exec(link!.getAttribute('d')!)!.map(Number)
    expect(Math.abs(x1! - x2!)).toBeGreaterThan(400)
  })

  it('of two features draws a line where each neuron switches, inside the frame', async () => {
    const { model } = solveSync(reluProgram({ X, y, gates: enumerateGates(X), lambda: 0.02 }))
    const figure = await seen(await networkPlot(model, { X, y }))
    expect(figure.marks('link')).toHaveLength(model.width)
    expect(figure.marks('dot')).toHaveLength(40)
    expect(figure.texts).toEqual(expect.arrayContaining(['x₁', 'x₂', 'f(x)']))
    const [left, right, top, bottom] = [60, 544, 10, 471]
    for (const link of figure.marks('link')) {
      const [, x1, y1, x2, y2] = /M([-\d.]+),([-\d.]+)L([-\d.]+),([-\d.]+)/.exec(link.getAttribute('d')!)!.map(Number)
      for (const at of [x1!, x2!]) expect(at >= left - 0.1 && at <= right + 60).toBe(true)
      for (const at of [y1!, y2!]) expect(at >= top - 0.1 && at <= bottom + 60).toBe(true)
    }
  })

  it('colours two classes by their score and three by the largest', async () => {
    const labels = rows.map(([a, b]) => (a! > 0.4 ? 'east' : b! > 0 ? 'north' : 'south'))
    const two = labels.map((label) => (label === 'east' ? 'east' : 'west'))
    for (const given of [two, labels]) {
      const classifier = new ReluClassifier({ gates: 20, lambda: 1e-2 }).train(X, given)
      const { classes, network } = classifier
      const figure = await seen(await networkPlot(network, { X, y: given, classes }))
      for (const name of classes) expect(figure.texts).toContain(`● ${name}`)
      expect(figure.texts.includes('score')).toBe(classes.length === 2)
      expect(figure.marks('contour').length).toBeGreaterThanOrEqual(classes.length)
    }
  })

  it('of one feature draws the output of each of three classes', async () => {
    const labels = ['low', 'middle', 'middle', 'high', 'high']
    const classifier = new ReluClassifier({ gates: 10, lambda: 1e-3 }).train(line, labels)
    const { classes, network } = classifier
    const figure = await seen(await networkPlot(network, { X: line, y: labels, classes }))
    const colours = new Set(figure.marks('line').map((path) => path.parentElement!.getAttribute('stroke')))
    expect(colours.size).toBe(3)
    for (const name of classes) expect(figure.texts).toContain(`● ${name}`)
    // The names stand above the frame, where nothing may cut them off.
    for (const text of figure.marks('text')) expect(text.closest('[clip-path]')).toBeNull()
  })

  it('draws some of many rows', async () => {
    const many = matrix(
      5000,
      1,
      Float64Array.from({ length: 5000 }, (_, k) => Math.sin(k)),
    )
    const figure = await seen(await networkPlot(bend, { X: many, y: many.data }))
    expect(figure.marks('dot').length).toBeLessThanOrEqual(2002)
  })

  it('samples what has no neurons that it knows', async () => {
    const { network } = new LiftedRegressor({ hidden: [4], maxSweeps: 5 }).train(line, [0, 1, 2, 1, 0])
    const figure = await seen(await networkPlot(network, { X: line, y: [0, 1, 2, 1, 0] }))
    expect(pointsOf(figure.marks('line')[0]!)).toBe(600)
  })

  it('has room for no neuron, no rows, one row, and a constant', async () => {
    for (const features of [1, 2]) {
      const none = reluNetwork({
        W1: matrix(0, features),
        b1: new Float64Array(0),
        W2: matrix(0, 1),
        intercept: Float64Array.of(7),
      })
      await seen(await networkPlot(none))
      await seen(await networkPlot(none, { X: matrix(1, features), y: [7] }))
      const dead = reluNetwork({
        W1: matrix(1, features),
        b1: Float64Array.of(-1),
        W2: matrix(1, 1),
        intercept: Float64Array.of(0),
      })
      await seen(await networkPlot(dead, { X: matrix(3, features), y: [1, 1, Number.NaN] }))
    }
  })

  it('refuses what it cannot show, in one sentence', async () => {
    const wide = reluNetwork({
      W1: matrix(1, 3),
      b1: new Float64Array(1),
      W2: matrix(1, 1),
      intercept: new Float64Array(1),
    })
    await expect(networkPlot(wide)).rejects.toThrow(/reads 3 features and a picture shows one or two/)
    await expect(networkPlot(bend, { X })).rejects.toThrow(/X has 2 columns and the network reads 1/)
    await expect(networkPlot(bend, { X: line, y: [1] })).rejects.toThrow(/y has 1 entries and X 5 rows/)
    await expect(networkPlot(bend, { width: 10 })).rejects.toThrow(/width is 10/)
    await expect(networkPlot(bend, { output: 1 })).rejects.toThrow(/output is 1/)
  })
})

describe('residualPlot', () => {
  it('has a bar for each number, orange where it is above the tolerance, and writes it out', async () => {
    const figure = await seen(await residualPlot(certificate))
    const fills = figure.marks('bar').map((bar) => bar.getAttribute('fill'))
    expect(fills).toEqual(['#0072b2', '#0072b2', '#0072b2', '#0072b2', '#d55e00'])
    const widths = figure.marks('bar').map((bar) => Number(bar.getAttribute('width')))
    expect(widths[2]).toBe(0)
    expect(widths[4]).toBeGreaterThan(widths[0]!)
    expect(figure.texts).toEqual(
      expect.arrayContaining(['relative gap', '10⁻⁸', '10⁻¹⁰', '0', '10⁻³', 'tolerance 10⁻⁶']),
    )
  })

  it('has room for infinity, for a gap below zero and for zeros alone', async () => {
    const zeros = { relativeGap: 0, stationarity: 0, primalFeasibility: 0, dualFeasibility: 0, complementarity: 0 }
    await seen(await residualPlot(zeros))
    const figure = await seen(
      await residualPlot({ ...zeros, relativeGap: -1e-18, stationarity: Number.POSITIVE_INFINITY }),
    )
    expect(figure.texts).toContain('∞')
    await seen(await residualPlot({ ...zeros, relativeGap: Number.NaN }))
  })
})

describe('crossValidationPlot', () => {
  it('draws every lambda that was tried with its folds, and the one that was chosen', async () => {
    const { crossValidation } = new ReluRegressor({ gates: 10, folds: 3, gateOrder: 0 }).train(X, y)
    const { points } = crossValidation!
    const figure = await seen(await crossValidationPlot(crossValidation!))
    expect(figure.marks('dot')).toHaveLength(3 * points.length + points.length + 1)
    expect(pointsOf(figure.marks('line')[0]!)).toBe(points.length)
  })

  it('has room for one lambda and for none', async () => {
    const one = { lambda: 0.1, mean: 0.5, standardError: Number.NaN, folds: [0.5] }
    await seen(await crossValidationPlot({ points: [one], selectedLambda: 0.1, gateOrder: 0 }))
    await seen(await crossValidationPlot({ points: [], selectedLambda: 0.1, gateOrder: 0 }))
  })
})

describe('predictionPlot', () => {
  it('has a dot a row and says the root mean squared error of each kind', async () => {
    const rows = { train: { wanted: [1, 2], predicted: [1, 4] }, test: { wanted: [3], predicted: [3] } }
    const figure = await seen(await predictionPlot(rows, { target: 'price (€)' }))
    expect(figure.marks('dot')).toHaveLength(3)
    const said = ['● training rows: RMSE 1.41', '● held-out rows: RMSE 0', 'true price (€)', 'predicted price (€)']
    expect(figure.texts).toEqual(expect.arrayContaining(said))
  })

  it('says the error of all rows where it draws only some', async () => {
    const wanted = Array.from({ length: 5001 }, (_, k) => k)
    const predicted = wanted.map((value, k) => value + (k === 1 ? Math.sqrt(5001) : 0))
    const figure = await seen(await predictionPlot({ test: { wanted, predicted } }))
    expect(figure.marks('dot').length).toBeLessThanOrEqual(2000)
    expect(figure.texts).toContain('● held-out rows: RMSE 1')
  })

  it('takes matrices, and refuses sizes that do not belong together', async () => {
    const two = fromRows([
      [1, 2],
      [3, 4],
    ])
    await seen(await predictionPlot({ test: { wanted: two, predicted: two } }, { output: 1 }))
    await expect(predictionPlot({ test: { wanted: two, predicted: [1] } })).rejects.toThrow(/wanted is 2 x 2 and/)
    await expect(predictionPlot({ test: { wanted: two, predicted: two } }, { output: 2 })).rejects.toThrow(
      /output is 2/,
    )
  })

  it('has room for nothing, for one row and for equal ones', async () => {
    await seen(await predictionPlot({}))
    await seen(await predictionPlot({ train: { wanted: [], predicted: [] } }))
    await seen(await predictionPlot({ test: { wanted: [0, 0], predicted: [0, 0] } }))
  })
})

describe('confusionPlot', () => {
  it('counts every pair, and colours what is right otherwise than what is wrong', async () => {
    const figure = await seen(await confusionPlot(['a', 'a', 'b', '<c>'], ['a', 'b', 'b', '<c>']))
    expect(figure.marks('cell')).toHaveLength(9)
    expect(figure.marks('text').map((text) => text.textContent)).toEqual(['1', '1', '1', '1'])
    expect(figure.texts).toContain('4 rows, 75.0 % right')
  })

  it('has room for many classes, for one and for no rows', async () => {
    const many = Array.from({ length: 26 }, (_, k) => `class number ${k} with a long name`)
    await seen(await confusionPlot(many, many))
    await seen(await confusionPlot([1], [1]))
    await seen(await confusionPlot([], [], { classes: ['x', 'y'] }))
    await expect(confusionPlot(['a'], [])).rejects.toThrow(/1 true labels and 0 predicted/)
  })
})

describe('filterPlot', () => {
  const patches = matrix(3, 4, Float64Array.of(1, -1, 0, 0.5, 0, 0, 0, 0, 2, 2, 2, 2))

  it('draws every pixel once, positive in blue and negative in orange, with strengths below', async () => {
    const svg = await filterPlot({ patches, side: 2, channels: 1, strengths: [4, 1, 0.01] })
    const figure = await seen(svg)
    expect(svg.match(/M\d+,\d+h/g)).toHaveLength(12)
    expect(figure.texts).toEqual(expect.arrayContaining(['100 %', '25 %', '0.3 %', '3 filters of 2 × 2 pixels']))
  })

  it('shows the strongest only where there are many, and colours of three channels', async () => {
    const svg = await filterPlot({ patches: matrix(50, 12), side: 2, channels: 3 }, { count: 10 })
    expect(svg).toContain('the 10 strongest of 50 filters of 2 × 2 × 3 pixels')
  })

  it('has room for no filter, and refuses other sizes', async () => {
    await seen(await filterPlot({ patches: matrix(0, 4), side: 2, channels: 1 }))
    await expect(filterPlot({ patches, side: 3, channels: 1 })).rejects.toThrow(
      /patches have 4 entries, expected 3 x 3/,
    )
  })
})
