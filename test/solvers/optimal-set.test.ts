import { fc, test } from '@fast-check/vitest'
import { Matrix as MlMatrix, SVD } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import {
  type CertifiedPoint,
  type ConvexProgram,
  certify,
  enumerateGates,
  featureGroupL1,
  fromRows,
  type GatedReluNetwork,
  type Gates,
  gatedReluProgram,
  gatesFrom,
  groupL1,
  hinge,
  huber,
  type Iterate,
  type LossChoice,
  lambdaMax,
  logistic,
  type Matrix,
  matrix,
  minimumNorm,
  optimalPath,
  optimalPathSync,
  optimalSet,
  proximalGradient,
  prune,
  type ReluNetwork,
  reluProgram,
  ridge,
  type Solution,
  sampleGates,
  softmax,
  solveSync,
  squared,
  squaredHinge,
  type Vector,
  verify,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { singularValues } from '../../src/numerics/svd.ts'
import { bent } from '../support/planted.ts'

type Program = ConvexProgram<GatedReluNetwork | ReluNetwork>

/** Rows that are equal, mirrored, dependent, zero or on boundaries; one or more outputs; every loss, intercepts, joint groups. */
const problem = fc.record({
  family: fc.constantFrom('gated', 'relu'),
  rows: fc.integer({ min: 1, max: 14 }),
  features: fc.integer({ min: 1, max: 4 }),
  outputs: fc.integer({ min: 1, max: 2 }),
  gates: fc.integer({ min: 1, max: 15 }),
  ratio: fc.constantFrom(2, 0.999, 0.5, 0.1, 0.02),
  kind: fc.constantFrom('normal', 'duplicated rows', 'mirrored rows', 'low rank', 'small whole numbers', 'a zero row'),
  loss: fc.constantFrom('squared', 'logistic', 'huber', 'squared hinge', 'softmax'),
  bias: fc.constantFrom<(boolean | 'unpenalised')[]>(false, false, true, 'unpenalised'),
  joint: fc.constantFrom(false, false, true),
  seed: fc.integer({ min: 1, max: 1e6 }),
})
type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never

const losses: Record<string, LossChoice> = {
  squared: squared(),
  logistic: logistic(),
  huber: huber({ delta: 0.3 }),
  'squared hinge': squaredHinge(),
  softmax: softmax(),
}

function inputs({ rows, features, kind }: Pick<Problem, 'rows' | 'features' | 'kind'>, draw: () => number): Matrix {
  const X = matrix(rows, features)
  for (let k = 0; k < X.data.length; k++) X.data[k] = kind === 'small whole numbers' ? Math.round(1.5 * draw()) : draw()
  const copy = (to: number, from: number, factor: number): void => {
    for (let j = 0; j < features; j++) X.data[to * features + j] = factor * X.data[from * features + j]!
  }
  if (kind === 'duplicated rows') for (let r = 0; r < rows; r++) copy(r, r % Math.ceil(rows / 2), 1)
  if (kind === 'mirrored rows') for (let r = 1; r < rows; r += 2) copy(r, r - 1, -1)
  if (kind === 'a zero row') copy(rows - 1, 0, 0)
  if (kind === 'low rank')
    for (let r = 0; r < rows; r++)
      for (let j = 1; j < features; j++) X.data[r * features + j] = (j + 1) * X.data[r * features]!
  return X
}

/** The program of a problem; undefined where there is none, or nothing but rounding to fit. */
function made(given: Problem): Program | undefined {
  const { family, rows, gates: count, ratio, loss, bias, joint, seed } = given
  const outputs = loss === 'softmax' ? 3 : given.outputs
  const classes = loss !== 'squared' && loss !== 'huber'
  // Every class has to be there for an intercept to be finite.
  if (classes && bias === 'unpenalised' && rows < 3) return undefined
  const draws = random(seed)
  const X = inputs(given, () => draws.normal())
  const y = matrix(rows, outputs)
  for (let r = 0; r < rows; r++) {
    const bent = Math.abs(X.data[r * X.columns]!) - Math.max(0, X.data[(r + 1) * X.columns - 1]!)
    const chosen = r < 3 ? r : Math.floor(3 * draws.uniform())
    for (let k = 0; k < outputs; k++) {
      const value = bent + draws.normal()
      if (loss === 'softmax') y.data[r * outputs + k] = Number(k === chosen)
      else y.data[r * outputs + k] = classes ? (r < 2 ? 1 - 2 * r : value > 0 ? 1 : -1) : value
    }
  }
  const shared = { X, y, gates: sampleGates(X, { count, seed }), lambda: 1, loss: losses[loss]!, bias }
  const program: Program =
    family === 'relu' ? reluProgram(shared) : gatedReluProgram({ ...shared, penalty: groupL1({ joint }) })
  const top = lambdaMax(program)
  return top > 1e-6 ? { ...program, lambda: ratio * top } : undefined
}

function solved(program: Program): Solution<GatedReluNetwork | ReluNetwork> | undefined {
  const solution = solveSync(program, { tolerance: 1e-12, maxIterations: 3000 })
  return solution.status === 'solved' ? solution : undefined
}

/** A law of a program and a precise solution of it. */
function law(
  title: string,
  runs: number,
  check: (program: Program, solution: Solution<GatedReluNetwork | ReluNetwork>, given: Problem) => void,
): void {
  test.prop([problem], { numRuns: runs })(title, (given) => {
    const program = made(given)
    const solution = program && solved(program)
    if (program && solution) check(program, solution, given)
  })
}

function norm(u: Vector): number {
  return Math.hypot(...u)
}

function furthest(a: Vector, b: Vector): number {
  return a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]!)), 0)
}

/** Fits apart from what the loss does not see: column constants with an intercept, row constants of log-odds. */
function visible(program: Program, fit: Vector): Vector {
  const { outputs, rows } = program.operator.blocks!
  const seen = fit.slice()
  for (let pass = 0; pass < 2; pass++) {
    if (program.loss.intercept)
      for (let k = 0; k < outputs; k++) {
        let mean = 0
        for (let r = 0; r < rows; r++) mean += seen[r * outputs + k]! / rows
        for (let r = 0; r < rows; r++) seen[r * outputs + k]! -= mean
      }
    if (program.loss.name === 'softmax')
      for (let r = 0; r < rows; r++) {
        let mean = 0
        for (let k = 0; k < outputs; k++) mean += seen[r * outputs + k]! / outputs
        for (let k = 0; k < outputs; k++) seen[r * outputs + k]! -= mean
      }
  }
  return seen
}

/** The non-zero blocks of a point, with the image of each alone, scaled to norm one. */
function neurons(program: Program, u: Vector): { block: number; image: Vector }[] {
  const size = program.penalty.blocks!.size
  const found: { block: number; image: Vector }[] = []
  for (let block = 0; block * size < u.length; block++) {
    const alone = new Float64Array(u.length)
    alone.set(u.subarray(block * size, (block + 1) * size), block * size)
    if (alone.every((value) => value === 0)) continue
    const image = visible(program, program.operator.apply(alone))
    const length = norm(image)
    found.push({ block, image: image.map((value) => value / length) })
  }
  return found
}

/** `least`: the size of a fit below which the tolerance is not relative to it. */
function expectSameFit(program: Program, point: Iterate, solution: Iterate, tolerance: number, least = 1e-3): void {
  const wanted = visible(program, program.operator.apply(solution.coefficients))
  const found = visible(program, program.operator.apply(point.coefficients))
  expect(furthest(found, wanted)).toBeLessThanOrEqual(tolerance * (norm(wanted) + least))
}

/** All alpha >= 0 with independent rows of `fits` that add up to `fit`: every set of rows is tried. */
function verticesOf(fits: Matrix, fit: Vector): number[][] {
  const found: number[][] = []
  const target = MlMatrix.columnVector(Array.from(fit))
  for (let subset = 1; subset < 1 << fits.rows; subset++) {
    const members = Array.from({ length: fits.rows }, (_, i) => i).filter((i) => (subset >> i) & 1)
    if (members.length > fits.columns) continue
    const rows = members.map((i) => Array.from(fits.data.subarray(i * fits.columns, (i + 1) * fits.columns)))
    const parts = new SVD(new MlMatrix(rows).transpose())
    if (parts.diagonal.at(-1)! <= 1e-8 * parts.diagonal[0]!) continue
    const alpha = parts.solve(target).to1DArray()
    if (alpha.some((value) => value < -1e-7)) continue
    const rest = fit.map((value, r) => value - rows.reduce((total, row, q) => total + alpha[q]! * row[r]!, 0))
    // A gap of 1e-13 leaves the fit open by the root of that.
    if (norm(rest) > 1e-6 * norm(fit)) continue
    const vertex: number[] = new Array(fits.rows).fill(0)
    members.forEach((i, q) => {
      vertex[i] = alpha[q]!
    })
    found.push(vertex)
  }
  return found
}

function expectSmall(program: Program, pruned: CertifiedPoint<unknown>): void {
  const { rows, outputs } = program.operator.blocks!
  const found = neurons(program, pruned.coefficients)
  const stacked = Float64Array.from(found.flatMap(({ image }) => Array.from(image)))
  const values = singularValues(stacked, found.length, rows * outputs)
  expect(found.length).toBeLessThanOrEqual(rows * outputs)
  if (found.length > 0) expect(values[found.length - 1]!).toBeGreaterThan(1e-11)
  const size = program.penalty.blocks!.size
  if (size === program.operator.blocks!.size)
    for (let k = 0; k < outputs; k++)
      expect(found.filter(({ block }) => block % outputs === k).length).toBeLessThanOrEqual(
        program.loss.intercept ? Math.max(0, rows - 1) : rows,
      )
}

describe('prune', () => {
  law('keeps fit and objective of an optimum, and ends with independent images', 150, (program, solution) => {
    const pruned = prune(program, solution)
    expectSameFit(program, pruned, solution, 1e-9)
    const { primal } = solution.certificate
    expect(Math.abs(pruned.certificate.primal - primal)).toBeLessThanOrEqual(1e-9 * primal)
    // The solver may have seen a better bound on its way: what is compared is taken from the points alone.
    const alone = certify(program, solution).relativeGap
    expect(pruned.certificate.relativeGap).toBeLessThanOrEqual(alone + 1e-9)
    expect(pruned.certificate.primalFeasibility).toBeLessThanOrEqual(1e-12)
    expectSmall(program, pruned)
    expect(pruned.model.width).toBeLessThanOrEqual(solution.model.width)
    // What is independent stays as it is.
    expect(furthest(prune(program, pruned).coefficients, pruned.coefficients)).toBeLessThanOrEqual(
      1e-12 * norm(pruned.coefficients),
    )
  })

  test.prop([problem, fc.integer({ min: 1, max: 1000 })], { numRuns: 100 })(
    'makes any point smaller and no worse',
    (given, seed) => {
      const program = made(given)
      if (!program) return
      const draws = random(seed)
      const u = Float64Array.from({ length: program.operator.columns }, () => draws.normal())
      const coefficients = program.penalty.domain?.project(u) ?? u
      const before = certify(program, { coefficients })
      const kept = coefficients.slice()
      const pruned = prune(program, { coefficients })
      expect(coefficients).toEqual(kept)
      expectSameFit(program, pruned, { coefficients }, 1e-8)
      expect(pruned.certificate.primal).toBeLessThanOrEqual(before.primal * (1 + 1e-9))
      expectSmall(program, pruned)
    },
  )

  law('finds no more neurons when it tries more orders, and the same for a seed', 40, (program, solution) => {
    const one = prune(program, solution)
    const many = prune(program, solution, { tries: 8, seed: 3 })
    expect(many.model.width).toBeLessThanOrEqual(one.model.width)
    expect(many.coefficients).toEqual(prune(program, solution, { tries: 8, seed: 3 }).coefficients)
    expectSameFit(program, many, solution, 1e-9)
    expectSmall(program, many)
  })

  it('may find fewer in another order', () => {
    const X = fromRows([
      [1, 0],
      [0, -1],
      [-1, 0],
    ])
    const gates = gatesFrom(
      fromRows([
        [1, 0],
        [1, -1],
        [1, -2],
        [2, -2],
        [1, 0],
      ]),
      X,
    )
    const program = gatedReluProgram({ X, y: [1, 0, 1], gates, lambda: 0.1 })
    const point = { coefficients: Float64Array.of(2, -1, 2, 1, 0, -1, 1, 1, -3, 1) }
    expect(prune(program, point).model.width).toBe(2)
    const { coefficients } = prune(program, point, { tries: 20 })
    expect(coefficients).toEqual(Float64Array.of(0, 0, 2, 1, 0, 0, 0, 0, 0, 0))
  })

  it('makes one of collinear neurons, and keeps what each of two outputs needs', () => {
    const X = fromRows([[1], [2], [-1]])
    const gates = gatesFrom(fromRows([[1], [-1], [1]]), X)
    const program = gatedReluProgram({
      X,
      y: fromRows([
        [1, 0],
        [0, 1],
        [0, 0],
      ]),
      gates,
      lambda: 0.1,
    })
    const pruned = prune(program, { coefficients: Float64Array.of(1, 2, 3, 4, 5, 6) })
    expect(pruned.coefficients).toEqual(Float64Array.of(0, 0, 3, 4, 6, 8))
    expect(pruned.model.width).toBe(4)
  })

  it('lets opposite neurons go altogether', () => {
    const X = fromRows([[1], [2]])
    const program = gatedReluProgram({ X, y: [1, 1], gates: gatesFrom(fromRows([[1], [1]]), X), lambda: 0.1 })
    expect(prune(program, { coefficients: Float64Array.of(2, -2) }).coefficients).toEqual(new Float64Array(2))
    expect(prune(program, { coefficients: Float64Array.of(2, -3) }).coefficients).toEqual(Float64Array.of(0, -1))
  })

  it('gives a network that verifies as the one that was pruned', () => {
    const { X, y } = bent(25)
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 60, seed: 2 }), lambda: 0.004, bias: true })
    const solution = solveSync(program, { solver: proximalGradient(), tolerance: 1e-8 })
    const pruned = prune(program, solution)
    const before = verify(program, solution.model)
    const after = verify(program, pruned.model)
    expect(Math.abs(after.network! - before.network!)).toBeLessThanOrEqual(1e-9 * before.network!)
    expect(furthest(pruned.model.predict(X).data, solution.model.predict(X).data)).toBeLessThanOrEqual(1e-9)
  })

  it('serves as a start: the next solve has nothing to do', () => {
    const { X, y } = bent(30)
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 40, seed: 2 }), lambda: 0.01 })
    const pruned = prune(program, solveSync(program, { tolerance: 1e-9 }))
    expect(solveSync(program, { start: pruned, tolerance: 1e-8 }).iterations).toBe(0)
  })
})

describe('optimalSet', () => {
  law('contains the point it is made from', 100, (program, solution) => {
    const set = optimalSet(program, solution)
    const again = set.point(set.faces.map(({ scalings }) => scalings))
    const { primal } = solution.certificate
    expect(certify(program, again).primal).toBeLessThanOrEqual(primal * (1 + 1e-9))
    for (const face of set.faces) {
      for (const correlation of face.correlations) expect(Math.abs(correlation - 1)).toBeLessThanOrEqual(1e-4)
      for (let i = 0; i < face.blocks.length; i++)
        expect(
          norm(face.directions.data.subarray(i * face.directions.columns, (i + 1) * face.directions.columns)),
        ).toBeCloseTo(1, 12)
    }
  })

  law(
    'is made of optima: so is every mixture of a vertex, the shortest and the point',
    100,
    (program, solution, given) => {
      const set = optimalSet(program, solution)
      const points = [solution, prune(program, solution), minimumNorm(program, solution)]
      const draws = random(given.seed)
      const weights = points.map(() => draws.uniform())
      const total = weights.reduce((a, b) => a + b, 0)
      const coefficients = new Float64Array(program.operator.columns)
      points.forEach((point, p) => {
        for (let k = 0; k < coefficients.length; k++) coefficients[k]! += (weights[p]! / total) * point.coefficients[k]!
      })
      const { primal, relativeGap } = certify(program, { coefficients })
      expect(primal).toBeLessThanOrEqual(solution.certificate.primal * (1 + 1e-9))
      expect(relativeGap).toBeLessThanOrEqual(certify(program, solution).relativeGap + 1e-8)
      // Every block of every optimum is among those that are not proved to be zero.
      const size = program.penalty.blocks!.size
      const listed = new Set(set.faces.flatMap(({ blocks }) => Array.from(blocks)))
      if (set.faces.every(({ undecided }) => undecided === 0))
        for (let b = 0; b * size < coefficients.length; b++)
          if (norm(coefficients.subarray(b * size, (b + 1) * size)) > 1e-4 * norm(coefficients))
            expect(listed.has(b)).toBe(true)
    },
  )

  law('that is unique has one vertex, and any solver finds it', 80, (program, solution, given) => {
    const set = optimalSet(program, solution)
    if (set.proved) expect(set.unique).toBe(true)
    expect(set.unique).toBe(set.dimension === 0)
    expect(set.dimension).toBeGreaterThanOrEqual(set.copies)
    if (!set.unique) return
    const size = norm(solution.coefficients)
    for (const point of [prune(program, solution, { tries: 3 }), minimumNorm(program, solution)])
      expect(furthest(point.coefficients, solution.coefficients)).toBeLessThanOrEqual(1e-9 * (size + 1e-12))
    // Near lambda_max an objective to 1e-11 leaves the small optimum open by the root of that.
    if (!set.proved || given.ratio > 0.5) return
    const other = solveSync(program, { solver: proximalGradient(), tolerance: 1e-11, maxIterations: 3000 })
    if (other.status !== 'solved') return
    const distance = furthest(other.coefficients, solution.coefficients)
    expect(distance).toBeLessThanOrEqual(1e-3 * size + 1e-9)
  })

  law('has a rank, and prune needs no more neurons', 60, (program, solution, { loss }) => {
    const set = optimalSet(program, solution)
    const pruned = prune(program, minimumNorm(program, solution))
    // A loss that is linear somewhere has optima of other fits: the set's rank is of what is determined.
    if (loss !== 'huber' && loss !== 'squared hinge')
      expect(neurons(program, pruned.coefficients).length).toBeLessThanOrEqual(set.rank)
    expect(set.size).toBeGreaterThanOrEqual(set.rank)
  })

  law('grows by a copy with every active gate that is there twice', 60, (program, solution, given) => {
    const { loss, ratio } = given
    if (given.family !== 'gated' || ratio > 1 || loss === 'huber' || loss === 'squared hinge') return
    const once = optimalSet(program, solution)
    const draws = random(given.seed)
    const X = inputs(given, () => draws.normal())
    const gates = sampleGates(X, { count: given.gates, seed: given.seed })
    const size = program.blocks!.size
    const active = Array.from(
      { length: gates.count },
      (_, i) => norm(solution.coefficients.subarray(i * size, (i + 1) * size)) > 1e-6 * norm(solution.coefficients),
    )
    if (!once.unique || !active.some(Boolean)) return
    const blocks = Int32Array.from([...active.keys(), active.indexOf(true)])
    const doubled = program.restrict!(blocks) as Program
    const coefficients = new Float64Array(doubled.operator.columns)
    coefficients.set(solution.coefficients)
    const twice = optimalSet(doubled, { coefficients })
    expect(twice.unique).toBe(false)
    expect(twice.proved).toBe(false)
    expect(twice.copies).toBe(twice.dimension)
    expect(twice.rank).toBe(once.rank)
    // The shortest optimum shares evenly.
    const shared = minimumNorm(doubled, { coefficients }).coefficients
    const first = active.indexOf(true) * size
    const last = gates.count * size
    for (let j = 0; j < size; j++)
      expect(Math.abs(shared[first + j]! - shared[last + j]!)).toBeLessThanOrEqual(1e-7 * norm(shared))
    // Fewer where the solution has neurons of nothing but rounding.
    const { length } = neurons(doubled, prune(doubled, { coefficients: shared }).coefficients)
    expect(length).toBeLessThanOrEqual(once.rank)
  })

  test.prop(
    [
      fc.record({
        rows: fc.integer({ min: 2, max: 10 }),
        kind: fc.constantFrom('normal', 'mirrored rows', 'small whole numbers'),
        family: fc.constantFrom('gated', 'relu'),
        seed: fc.integer({ min: 1, max: 1e5 }),
      }),
    ],
    // The example: a dependence that the solution shows to 1e-10 only, since its dual point is no better.
    { numRuns: 60, examples: [[{ rows: 7, kind: 'small whole numbers', family: 'gated', seed: 20350 }]] },
  )('has the dimension that its vertices span, all of them enumerated', ({ rows, kind, family, seed }) => {
    const draws = random(seed)
    const X = inputs({ rows, features: 2, kind }, () => draws.normal())
    const y = Array.from({ length: rows }, (_, r) => Math.abs(X.data[2 * r]!) + draws.normal())
    const shared = { X, y, gates: enumerateGates(X), lambda: 1 }
    const all: Program = family === 'relu' ? reluProgram(shared) : gatedReluProgram(shared)
    if (!(lambdaMax(all) > 1e-6)) return
    const program = { ...all, lambda: 0.05 * lambdaMax(all) }
    const solution = solveSync(program, { tolerance: 1e-13, maxIterations: 3000 })
    const face = optimalSet(program, solution).faces[0]!
    if (solution.certificate.relativeGap > 1e-12 || face.blocks.length > 10) return
    const vertices = verticesOf(face.fits, program.operator.apply(solution.coefficients))
    expect(vertices.length).toBeGreaterThan(0)
    const differences = vertices.slice(1).flatMap((vertex) => vertex.map((value, i) => value - vertices[0]![i]!))
    const spread = singularValues(Float64Array.from(differences), vertices.length - 1, face.blocks.length)
    const largest = Math.max(...vertices.flat())
    expect(spread.filter((value) => value > 1e-5 * largest).length).toBe(face.dimension)
    for (let i = 0; i < face.blocks.length; i++)
      expect(vertices.some((vertex) => vertex[i]! > 1e-5 * largest)).toBe(face.positive[i] === 1)
  })

  it('finds that two gates can stand for a third, although only the third is there', () => {
    // Rows on either side and on both: the gate of both rows has the image of the two others together.
    const X = fromRows([
      [1, 0],
      [0, 1],
    ])
    const gates = gatesFrom(
      fromRows([
        [1, 1],
        [1, -1],
        [-1, 1],
      ]),
      X,
    )
    const program = gatedReluProgram({ X, y: [1, 0], gates, lambda: 0.1 })
    const solution = solveSync(program, { tolerance: 1e-13 })
    const set = optimalSet(program, solution)
    // Row 1 alone is wanted: the gate of row 1 and the gate of both reach it alike, along (1, 0).
    expect(Array.from(set.faces[0]!.blocks)).toEqual([0, 1])
    expect(set).toMatchObject({ unique: false, proved: false, dimension: 1, copies: 1, rank: 1, size: 2 })
    const { coefficients } = minimumNorm(program, solution)
    expect(coefficients[0]).toBeCloseTo(0.4, 9)
    expect(coefficients[2]).toBeCloseTo(0.4, 9)
    expect(prune(program, { coefficients }).model.width).toBe(1)
  })

  it('is a vertex where dependent fits would need negative scalings', () => {
    // One feature: images (1, 1), (1, 0) and (0, 1) of the gates, r = lambda (1, 1) / 2 at the optimum of y on the diagonal.
    const X = fromRows([
      [1, 0],
      [0, 1],
      [-1, -1],
    ])
    const gates = gatesFrom(
      fromRows([
        [1, 1],
        [1, -2],
        [-2, 1],
      ]),
      X,
    )
    const program = gatedReluProgram({ X, y: [1, 1, 0], gates, lambda: 0.05 })
    const solution = solveSync(program, { tolerance: 1e-13 })
    const set = optimalSet(program, solution)
    expect(set.unique).toBe(true)
    expect(minimumNorm(program, solution).coefficients).toEqual(solution.coefficients)
  })

  it('is zero alone at and above lambda_max', () => {
    const { X, y } = bent(20)
    const gates = sampleGates(X, { count: 20, seed: 1 })
    for (const make of [gatedReluProgram, reluProgram] as const) {
      const program = make({ X, y, gates, lambda: 1 }) as Program
      for (const ratio of [1, 1.0001, 3]) {
        const at = { ...program, lambda: ratio * lambdaMax(program) }
        const zero = { coefficients: new Float64Array(program.operator.columns) }
        const set = optimalSet(at, zero)
        expect(set).toMatchObject({ unique: true, proved: true, dimension: 0, rank: 0, size: ratio === 1 ? 1 : 0 })
        expect(prune(at, zero).model.width).toBe(0)
        expect(minimumNorm(at, zero).model.width).toBe(0)
      }
    }
  })

  it('does not call a loss unique where it is linear: huber at lambda_max has a whole segment', () => {
    const X = fromRows([[1]])
    const shared = { X, y: [10], gates: gatesFrom(fromRows([[1]]), X), lambda: 1 }
    const program = gatedReluProgram({ ...shared, loss: huber({ delta: 1 }) })
    for (const u of [0, 4, 8.9]) {
      const point = { coefficients: Float64Array.of(u) }
      expect(certify(program, point).relativeGap).toBeLessThanOrEqual(1e-12)
      expect(optimalSet(program, point)).toMatchObject({ unique: false, proved: false, dimension: 1, rank: 0 })
      // Of those with the same fit there is one.
      expect(minimumNorm(program, point).coefficients).toEqual(point.coefficients)
    }
    const quadratic = gatedReluProgram({ ...shared, lambda: 0.5, loss: huber({ delta: 1 }) })
    expect(optimalSet(quadratic, solveSync(quadratic, { tolerance: 1e-13 }))).toMatchObject({
      unique: true,
      proved: true,
    })
  })

  it('sees that a row of weight zero decides nothing', () => {
    const X = fromRows([
      [1, 0],
      [0, 1],
    ])
    const gates = gatesFrom(
      fromRows([
        [1, 1],
        [1, -1],
      ]),
      X,
    )
    const program = gatedReluProgram({ X, y: [1, 5], gates, lambda: 0.1, loss: squared({ sampleWeights: [1, 0] }) })
    expect(optimalSet(program, solveSync(program, { tolerance: 1e-13 }))).toMatchObject({ unique: false, copies: 1 })
  })

  it('proves nothing at a wide gap, and says how many blocks are open', () => {
    const { X, y } = bent(40)
    const program = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 60, seed: 1 }), lambda: 0.01 })
    const rough = optimalSet(program, solveSync(program, { solver: proximalGradient(), tolerance: 1e-3 }))
    expect(rough.proved).toBe(false)
    expect(rough.faces[0]!.undecided).toBeGreaterThan(10)
    const sharp = optimalSet(program, solveSync(program, { tolerance: 1e-12 }))
    expect(sharp).toMatchObject({ unique: true, proved: true })
    expect(sharp.faces[0]!.undecided).toBe(0)
    expect(sharp.radius).toBeLessThan(rough.radius / 100)
    const active = new Set(sharp.faces[0]!.blocks)
    const open = rough.faces[0]!
    // Nothing that is active at the optimum was ruled out.
    expect(open.blocks.length + open.undecided).toBeGreaterThanOrEqual(active.size)
  })

  it('of a ReLU program on all patterns counts neurons on boundaries as copies', () => {
    const draws = random(1)
    const X = matrix(
      30,
      2,
      Float64Array.from({ length: 60 }, () => draws.normal()),
    )
    const y = Array.from(
      { length: 30 },
      (_, r) => Math.abs(X.data[2 * r]!) - Math.max(0, X.data[2 * r + 1]!) + 0.1 * draws.normal(),
    )
    const program = reluProgram({ X, y, gates: enumerateGates(X), lambda: 1 })
    const at = { ...program, lambda: 0.3 * lambdaMax(program) }
    const solution = solveSync(at, { tolerance: 1e-13 })
    const set = optimalSet(at, solution)
    expect(set.unique).toBe(false)
    expect(set.copies).toBe(set.dimension)
    const pruned = prune(at, solution)
    expect(pruned.certificate.scope).toBe('network')
    expect(pruned.model.width).toBe(set.rank)
    expect(furthest(pruned.model.predict(X).data, solution.model.predict(X).data)).toBeLessThanOrEqual(1e-9)
  })
})

describe('minimumNorm', () => {
  law(
    'is the optimum nearest to zero: u (v - u) >= 0 for every other optimum v',
    150,
    (program, solution, { seed }) => {
      const shortest = minimumNorm(program, solution)
      const u = shortest.coefficients
      const { primal } = solution.certificate
      expect(Math.abs(shortest.certificate.primal - primal)).toBeLessThanOrEqual(1e-9 * primal)
      expect(shortest.certificate.relativeGap).toBeLessThanOrEqual(certify(program, solution).relativeGap + 1e-8)
      // Its directions are the dual point's, and a gap of 1e-12 leaves both, and the fit, open by the root of that.
      expectSameFit(program, shortest, solution, 1e-6, 0.1)
      const others: Iterate[] = [solution, prune(program, solution), prune(program, shortest)]
      for (let k = 1; k < 4; k++) others.push(prune(program, shortest, { tries: k, seed: seed + k }))
      for (const { coefficients: v } of others) {
        const slope = u.reduce((total, value, k) => total + value * (v[k]! - value), 0)
        expect(slope).toBeGreaterThanOrEqual(-1e-7 * norm(u) ** 2)
        expect(norm(u)).toBeLessThanOrEqual(norm(v) + 1e-9 * (norm(v) + 0.1))
      }
    },
  )

  law('is the same from wherever in the set', 40, (program, solution) => {
    const first = minimumNorm(program, solution)
    const second = minimumNorm(program, prune(program, solution))
    expect(furthest(first.coefficients, second.coefficients)).toBeLessThanOrEqual(
      1e-5 * norm(first.coefficients) + 1e-12,
    )
  })
})

describe('a path of optimal sets', () => {
  const { X, y } = bent(25)
  const gates: Gates = sampleGates(X, { count: 30, seed: 1 })

  it('tells at every lambda how many optima there are and how few neurons do', async () => {
    const program = reluProgram({ X, y, gates, lambda: 1 })
    const lambdas: number[] = []
    for await (const { solution, set, pruned } of optimalPath(program, { count: 6, ratio: 0.01 })) {
      lambdas.push(solution.program.lambda)
      expect(solution.status).toBe('solved')
      expect(solution.certificate.relativeGap).toBeLessThanOrEqual(1e-12)
      expect(set!.certificate.primal).toBeCloseTo(solution.certificate.primal, 12)
      expect(pruned.model.width).toBeLessThanOrEqual(set!.rank)
      expect(pruned.certificate.relativeGap).toBeLessThanOrEqual(1e-11)
      expect(pruned.program.lambda).toBe(solution.program.lambda)
    }
    expect(lambdas.length).toBe(6)
    expect(lambdas).toEqual([...lambdas].sort((a, b) => b - a))
  })

  it('can be walked without turns, with options of the sets', () => {
    const program = gatedReluProgram({ X, y, gates, lambda: 1 })
    const path = [...optimalPathSync(program, { lambdas: [0.1, 0.01], set: { dependence: 1e-7, tolerance: 1e-6 } })]
    expect(path.map(({ set }) => set!.unique)).toEqual([true, true])
    expect(path.map(({ solution, pruned }) => pruned.model.width - solution.model.width)).toEqual([0, 0])
  })
})

describe('what is refused', () => {
  const { X, y } = bent(6)
  const gates = sampleGates(X, { count: 3, seed: 1 })
  const zero = (program: ConvexProgram): Iterate => ({ coefficients: new Float64Array(program.operator.columns) })

  it.each([ridge(), featureGroupL1()])('penalties that are no norm of gates: %o', (penalty) => {
    const program = gatedReluProgram({ X, y, gates, lambda: 0.1, penalty })
    for (const [name, ask] of Object.entries({ optimalSet, prune, minimumNorm }))
      expect(() => ask(program, zero(program))).toThrow(
        new RangeError(
          `${name}: gated-relu has ${penalty.name}, expected one group norm per gate; make the program with groupL1().`,
        ),
      )
  })

  it('lambda 0 and losses with a corner, of which a fit tells no dual point; prune takes both', () => {
    const free = gatedReluProgram({ X, y, gates, lambda: 0 })
    expect(() => optimalSet(free, zero(free))).toThrow(
      new RangeError(
        'optimalSet: gated-relu has lambda 0, expected above 0: without a penalty no direction is preferred; pass a program with lambda > 0.',
      ),
    )
    expect(prune(free, zero(free)).model.width).toBe(0)
    const labels = y.map((value) => (value > 1 ? 1 : -1))
    const cornered = gatedReluProgram({ X, y: labels, gates, lambda: 0.1, loss: hinge() })
    expect(() => minimumNorm(cornered, zero(cornered))).toThrow(
      new RangeError(
        'minimumNorm: the hinge loss has a corner, so that a fit does not tell its dual point; use a smooth loss, for example smoothHinge().',
      ),
    )
    expect(prune(cornered, zero(cornered)).model.width).toBe(0)
  })

  it('points that are far from optimal, whatever their status', () => {
    const { X, y } = bent(30)
    const given = { X, y, gates: sampleGates(X, { count: 20, seed: 1 }), lambda: 1 }
    for (const make of [gatedReluProgram, reluProgram] as const) {
      const base = make(given) as Program
      const program = { ...base, lambda: 0.01 * lambdaMax(base) }
      const stopped = solveSync(program, { solver: proximalGradient(), maxIterations: 2 })
      expect(stopped.status).toBe('iteration-limit')
      for (const at of [stopped, zero(program)])
        for (const [name, ask] of Object.entries({ optimalSet, minimumNorm }))
          expect(() => ask(program, at)).toThrow(
            new RangeError(
              `${name}: the point has a relative gap of ${certify(program, at).relativeGap.toPrecision(2)}, expected at most 0.001: so far from optimal it tells nothing of the optima; solve to a tolerance of 1e-12 first.`,
            ),
          )
      expect(prune(program, stopped).certificate.primal).toBeLessThanOrEqual(stopped.certificate.primal * (1 + 1e-9))
    }
  })

  it('but a path that ends early says so by a status, without a set', () => {
    const { X, y } = bent(30)
    const program = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 20, seed: 1 }), lambda: 1 })
    const options = { lambdas: [0.01 * lambdaMax(program)], solver: proximalGradient() }
    const [early] = optimalPathSync(program, { ...options, maxIterations: 2 })
    expect(early).toMatchObject({ solution: { status: 'iteration-limit' } })
    expect(early).not.toHaveProperty('set')
    const [late] = optimalPathSync(program, options)
    expect(late!.set!.certificate.relativeGap).toBeLessThanOrEqual(1e-12)
  })

  it('options out of range and points of another size', () => {
    const program = gatedReluProgram({ X, y, gates, lambda: 0.1 })
    const at = zero(program)
    expect(() => optimalSet(program, at, { tolerance: -1 })).toThrow(
      new RangeError('optimalSet: tolerance is -1, expected from 0 to below 1; pass for example 1e-8.'),
    )
    expect(() => optimalSet(program, at, { dependence: 0 })).toThrow(
      new RangeError('optimalSet: dependence is 0, expected above 0 and below 1; pass for example 1e-8.'),
    )
    expect(() => minimumNorm(program, at, { dependence: 2 })).toThrow(
      new RangeError('minimumNorm: dependence is 2, expected above 0 and below 1; pass for example 1e-8.'),
    )
    expect(() => prune(program, at, { dependence: Number.NaN })).toThrow(
      new RangeError('prune: dependence is NaN, expected above 0 and below 1; pass for example 1e-8.'),
    )
    expect(() => prune(program, at, { tries: 1.5 })).toThrow(
      new RangeError('prune: tries is 1.5, expected a whole number from 0; pass for example 10.'),
    )
    expect(() => prune(program, { coefficients: new Float64Array(2) })).toThrow(
      new RangeError('prune: the point has 2 coefficients and gated-relu has 9; pass a point of this program.'),
    )
    at.coefficients[4] = Number.NaN
    for (const [name, ask] of Object.entries({ optimalSet, prune, minimumNorm }))
      expect(() => ask(program, at)).toThrow(
        new RangeError(`${name}: coefficient 4 is not finite; pass a finite point.`),
      )
    at.coefficients[4] = 0
    const set = optimalSet({ ...program, lambda: lambdaMax(program) }, at)
    expect(() => set.point([])).toThrow(
      new RangeError('point: there are scalings of no blocks, expected 1; pass one number a block for each face.'),
    )
  })
})
