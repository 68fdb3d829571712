import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  coneNewton,
  etaNewton,
  gatedReluProgram,
  groupL1,
  huber,
  lambdaMax,
  logistic,
  matrix,
  newtonCg,
  proximalGradient,
  proximalNewton,
  reluProgram,
  sampleGates,
  softmax,
  solveSync,
  squared,
  squaredHinge,
  workingSet,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

const losses = {
  logistic: () => logistic(),
  'weighted logistic': (n: number) => logistic({ sampleWeights: Float64Array.from({ length: n }, (_, r) => r % 3) }),
  'squared hinge': () => squaredHinge(),
  huber: () => huber({ delta: 0.3 }),
  'weighted squared': (n: number) =>
    squared({ sampleWeights: Float64Array.from({ length: n }, (_, r) => 1 + (r % 4)) }),
}

const problem = fc.record({
  rows: fc.integer({ min: 3, max: 40 }),
  features: fc.integer({ min: 1, max: 5 }),
  outputs: fc.integer({ min: 1, max: 3 }),
  gates: fc.integer({ min: 1, max: 20 }),
  loss: fc.constantFrom(...(Object.keys(losses) as (keyof typeof losses)[])),
  ratio: fc.constantFrom(0.9, 0.3, 0.03, 0.003),
  duplicated: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
})
type Problem = (typeof problem extends fc.Arbitrary<infer T> ? Omit<T, 'ratio'> : never) & { ratio: number }

/** Each with the steps that an output may take. */
const solvers = [
  { make: () => proximalNewton(), budget: 100 },
  { make: () => newtonCg(), budget: 2000 },
  { make: () => workingSet({ inner: newtonCg() }), budget: 4000 },
]

for (const { make, budget } of solvers)
  describe(`${make().name} on losses that are sums over entries`, () => {
    test.prop([problem], { numRuns: 100 })('comes to a gap of 1e-8 in few steps', (given) => {
      const program = made(given)
      const found = solveSync(program, { solver: make(), tolerance: 1e-8, maxIterations: budget * given.outputs })
      expect(found.status).toBe('solved')
      expect(certify(program, { coefficients: found.coefficients }).relativeGap).toBeLessThanOrEqual(2e-8)
    })

    test.prop([problem], { numRuns: 30 })('agrees with proximal gradient', (given) => {
      const program = made({ ...given, ratio: 0.3 })
      const newton = solveSync(program, { solver: make(), tolerance: 1e-9 })
      const first = solveSync(program, { solver: proximalGradient(), tolerance: 1e-7 })
      expect(newton.status).toBe('solved')
      expect(newton.certificate.primal).toBeGreaterThanOrEqual(first.certificate.dual * (1 - 1e-12))
      expect(first.certificate.primal).toBeGreaterThanOrEqual(newton.certificate.dual * (1 - 1e-12))
    })

    it('lowers the objective at every certificate, from any start', () => {
      const program = made(typical)
      const draws = random(2)
      const coefficients = Float64Array.from({ length: program.operator.columns }, () => 3 * draws.normal())
      const kept = coefficients.slice()
      const values: number[] = []
      const found = solveSync(program, {
        solver: make(),
        start: { coefficients },
        tolerance: 1e-10,
        onProgress: ({ certificate }) => values.push(certificate.primal),
      })
      expect(coefficients).toEqual(kept)
      expect(found.status).toBe('solved')
      for (let k = 1; k < values.length; k++) expect(values[k]).toBeLessThanOrEqual(values[k - 1]! * (1 + 1e-15))
    })

    it('stopped at any step leaves a point with its certificate', () => {
      const program = made(typical)
      for (let steps = 1; steps <= 6; steps++) {
        const found = solveSync(program, { solver: make(), tolerance: 1e-13, maxIterations: steps })
        const fresh = certify(program, { coefficients: found.coefficients })
        expect(Math.abs(fresh.primal - found.certificate.primal)).toBeLessThanOrEqual(1e-12 * fresh.primal)
      }
    })
  })

it('proximalNewton and newtonCg say why not', () => {
  const X = matrix(3, 1, Float64Array.of(1, 2, -1))
  const y = matrix(3, 1, Float64Array.of(1, 1, -1))
  const base = { X, y, gates: sampleGates(X, { count: 2, seed: 1 }), lambda: 0.1, loss: logistic() }
  const why = (program: ConvexProgram): true | string => proximalNewton().supports(program)
  expect(why(gatedReluProgram(base))).toBe(true)
  expect(why(gatedReluProgram({ ...base, lambda: 0 }))).toMatch(/lambda above 0/)
  expect(why(gatedReluProgram({ ...base, bias: 'unpenalised' }))).toMatch(
    /entry by entry and gated-relu has logistic with an intercept; use proximalGradient\(\)/,
  )
  // What is advised can be followed.
  const plain = { ...base, loss: squared() }
  for (const [program, advised] of [
    [gatedReluProgram(plain), etaNewton()],
    [reluProgram(plain), coneNewton()],
  ] as const) {
    const reason = why(program)
    expect(reason).toMatch(
      /is for losses that are not quadratic and (gated-)?relu has squared; use (eta|cone)Newton\(\)\./,
    )
    expect(String(reason).replace(/[()]/g, '').toLowerCase()).toContain(`use ${advised.name.replace('-', '')}`)
    expect(advised.supports(program)).toBe(true)
  }
  expect(why(reluProgram(base))).toBe(true)
  const classes = matrix(3, 2, Float64Array.of(1, 0, 0, 1, 1, 0))
  expect(why(gatedReluProgram({ ...base, y: classes, loss: softmax() }))).toMatch(/entry by entry/)
  expect(why(gatedReluProgram({ ...base, y: signs(classes), penalty: groupL1({ joint: true }) }))).toMatch(
    /one a block and output/,
  )
})

test.prop([problem], { numRuns: 40 })('proximalNewton takes ReLU programs, and stays in their cones', (given) => {
  const program = made(
    { ...given, gates: Math.min(given.gates, 8), ratio: Math.max(given.ratio, 0.03) },
    groupL1(),
    reluProgram,
  )
  const found = solveSync(program, { solver: proximalNewton(), tolerance: 1e-7, maxIterations: 4000 * given.outputs })
  expect(found.status).toBe('solved')
  expect(found.certificate.primalFeasibility).toBeLessThanOrEqual(1e-12)
  const first = solveSync(program, { solver: proximalGradient(), tolerance: 1e-5 })
  expect(found.certificate.primal).toBeGreaterThanOrEqual(first.certificate.dual * (1 - 1e-12))
  expect(first.certificate.primal).toBeGreaterThanOrEqual(found.certificate.dual * (1 - 1e-12))
})

it('newtonCg takes joint groups and the squared loss', () => {
  for (const joint of [false, true]) {
    const program = made({ ...typical, loss: 'weighted squared', outputs: 3 }, groupL1({ joint }))
    const found = solveSync(program, { solver: newtonCg(), tolerance: 1e-10 })
    expect(found.status).toBe('solved')
    expect(found.iterations).toBeLessThan(500)
  }
})

const typical: Problem = {
  rows: 40,
  features: 4,
  outputs: 1,
  gates: 20,
  loss: 'logistic',
  ratio: 0.03,
  duplicated: false,
  seed: 4,
}

function made(
  { rows, features, outputs, gates, loss, ratio, duplicated, seed }: Problem,
  penalty = groupL1(),
  family: typeof gatedReluProgram | typeof reluProgram = gatedReluProgram,
): ConvexProgram {
  const draws = random(seed)
  const X = matrix(
    rows,
    features,
    Float64Array.from({ length: rows * features }, () => draws.normal()),
  )
  if (duplicated) for (let k = 0; k < X.data.length; k++) X.data[k] = X.data[k % (2 * features)]!
  let y = matrix(
    rows,
    outputs,
    Float64Array.from({ length: rows * outputs }, () => draws.normal()),
  )
  if (loss.includes('logistic') || loss.includes('hinge')) y = signs(y)
  const program = family({
    X,
    y,
    gates: sampleGates(X, { count: gates, seed }),
    loss: losses[loss](rows),
    penalty,
    lambda: 0,
  })
  // Labels that cancel on duplicated rows leave a lambda_max of rounding, and no program to speak of.
  const top = lambdaMax(program)
  return { ...program, lambda: top > 1e-12 ? ratio * top : 1 }
}

function signs(y: { rows: number; columns: number; data: Float64Array }): ReturnType<typeof matrix> {
  return matrix(
    y.rows,
    y.columns,
    y.data.map((value) => (value > 0 ? 1 : -1)),
  )
}
