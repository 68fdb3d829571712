import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  coneNewton,
  enumerateGates,
  fromRows,
  gatedReluProgram,
  gatesFrom,
  lambdaMax,
  logistic,
  matrix,
  proximalGradient,
  type ReluNetwork,
  reluProgram,
  solve,
  solveSync,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

/** Few rows and many, rows that are equal, dependent, zero or on the boundary of a gate, one or more outputs. */
const problem = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  features: fc.integer({ min: 1, max: 7 }),
  outputs: fc.integer({ min: 1, max: 3 }),
  gates: fc.integer({ min: 1, max: 25 }),
  ratio: fc.constantFrom(2, 1, 0.999, 0.3, 0.03, 0.001),
  kind: fc.constantFrom('normal', 'duplicated rows', 'low rank', 'small whole numbers', 'unlike scales'),
  seed: fc.integer({ min: 1, max: 1e6 }),
})
type Problem = Omit<typeof problem extends fc.Arbitrary<infer T> ? T : never, 'ratio'> & { readonly ratio: number }

describe('coneNewton', () => {
  test.prop([problem], { numRuns: 100 })('comes to a gap of 1e-8 in few steps, inside the cones', (given) => {
    const program = made(given)
    const found = solveSync(program, { solver: coneNewton(), tolerance: 1e-8, maxIterations: 150 * given.outputs })
    expect(found.status).toBe('solved')
    const fresh = certify(program, { coefficients: found.coefficients })
    expect(fresh.relativeGap).toBeLessThanOrEqual(2e-8)
    expect(fresh.primalFeasibility).toBeLessThanOrEqual(1e-12)
  })

  test.prop([problem], { numRuns: 30 })('agrees with proximal gradient to 1e-7', (given) => {
    const program = made({ ...given, ratio: Math.max(given.ratio, 0.03) })
    const newton = solveSync(program, { solver: coneNewton(), tolerance: 1e-10 })
    const first = solveSync(program, { solver: proximalGradient(), tolerance: 1e-7, maxIterations: 4000 })
    expect(newton.status).toBe('solved')
    // Each is in the other's certified interval.
    expect(newton.certificate.primal).toBeGreaterThanOrEqual(first.certificate.dual * (1 - 1e-12))
    expect(first.certificate.primal).toBeGreaterThanOrEqual(newton.certificate.dual * (1 - 1e-12))
    if (first.status !== 'solved') return
    expect(first.certificate.primal - newton.certificate.primal).toBeLessThanOrEqual(1e-7 * first.certificate.primal)
  })

  it('solves programs of thousands of patterns, whose gap rises from pass to pass before it falls', () => {
    const draws = random(5)
    const point = (k: number): number[] => {
      const t = Math.floor(k / 2) / 31
      const angle = 2 * Math.PI * (0.15 + 1.05 * t + (k % 2) / 2)
      return [Math.cos(angle), Math.sin(angle)].map((side) => 2 * (0.16 + 0.72 * t) * side + 0.02 * draws.normal())
    }
    const X = fromRows(Array.from({ length: 64 }, (_, k) => point(k)))
    const y = Array.from({ length: 64 }, (_, k) => 2 * (k % 2) - 1)
    const program = reluProgram({ X, y, gates: enumerateGates(X, { bias: true }), bias: true, lambda: 0 })
    const top = lambdaMax(program)
    for (const ratio of [0.26, 0.2, 0.16, 0.05, 0.02, 0.01]) {
      const found = solveSync({ ...program, lambda: ratio * top }, { solver: coneNewton(), maxIterations: 20_000 })
      expect(found.status).toBe('solved')
    }
  })

  it('solves programs of all patterns of noise, where most active blocks repeat each other', () => {
    for (const seed of [40, 41]) {
      const draws = random(seed)
      const X = Array.from({ length: 40 }, () => [draws.normal(), draws.normal()])
      const y = X.map(() => draws.normal())
      const program = reluProgram({ X, y, gates: enumerateGates(X, { bias: true }), bias: true, lambda: 0 })
      const top = lambdaMax(program)
      for (const ratio of [0.05, 0.03, 0.01]) {
        const found = solveSync({ ...program, lambda: ratio * top }, { solver: coneNewton(), maxIterations: 4000 })
        expect(found.status).toBe('solved')
      }
    }
  })

  test.prop([problem], { numRuns: 25 })('started nearby reaches the same value, and writes to nothing', (given) => {
    const program = made(given)
    const near = solveSync({ ...program, lambda: 1.05 * program.lambda }, { solver: coneNewton() })
    const kept = near.coefficients.slice()
    const cold = solveSync(program, { solver: coneNewton(), tolerance: 1e-9 })
    const warm = solveSync(program, { solver: coneNewton(), tolerance: 1e-9, start: near })
    expect(near.coefficients).toEqual(kept)
    expect(warm.status).toBe('solved')
    expect(Math.abs(warm.certificate.primal - cold.certificate.primal)).toBeLessThanOrEqual(
      2e-9 * cold.certificate.primal + 1e-300,
    )
  })

  test.prop([problem], { numRuns: 20 })('at a tiny lambda still bounds the optimum from both sides', (given) => {
    const program = made({ ...given, ratio: 1e-5 })
    const found = solveSync(program, { solver: coneNewton(), tolerance: 1e-8, maxIterations: 200 })
    const other = solveSync(program, { solver: proximalGradient(), tolerance: 1e-3, maxIterations: 200 })
    expect(found.certificate.dual).toBeLessThanOrEqual(other.certificate.primal * (1 + 1e-12))
    expect(other.certificate.dual).toBeLessThanOrEqual(found.certificate.primal * (1 + 1e-12))
    expect(certify(program, { coefficients: found.coefficients }).primalFeasibility).toBeLessThanOrEqual(1e-12)
  })

  it('takes fewer steps from the next lambda of a path than from zero', () => {
    const program = made({ ...typical, ratio: 0.01 })
    const near = solveSync({ ...program, lambda: 1.2 * program.lambda }, { solver: coneNewton(), tolerance: 1e-9 })
    const cold = solveSync(program, { solver: coneNewton(), tolerance: 1e-9 })
    const warm = solveSync(program, { solver: coneNewton(), tolerance: 1e-9, start: near })
    expect(warm.iterations).toBeLessThan(0.4 * cold.iterations)
  })

  it('is as good from anywhere', () => {
    const program = made(typical)
    const cold = solveSync(program, { solver: coneNewton(), tolerance: 1e-10 })
    const draws = random(5)
    for (const size of [1e-6, 1, 1e3]) {
      const coefficients = Float64Array.from({ length: program.operator.columns }, () => size * draws.normal())
      const found = solveSync(program, { solver: coneNewton(), tolerance: 1e-10, start: { coefficients } })
      expect(found.status).toBe('solved')
      expect(Math.abs(found.certificate.primal - cold.certificate.primal)).toBeLessThanOrEqual(
        2e-10 * cold.certificate.primal,
      )
    }
  })

  it('stopped at any step leaves a point with its certificate', async () => {
    const program = made(typical)
    for (let steps = 1; steps <= 8; steps++) {
      const found = solveSync(program, { solver: coneNewton(), tolerance: 1e-12, maxIterations: steps })
      expect(found.status).toBe('iteration-limit')
      const fresh = certify(program, { coefficients: found.coefficients })
      expect(Math.abs(fresh.primal - found.certificate.primal)).toBeLessThanOrEqual(1e-12 * fresh.primal)
      expect(fresh.primalFeasibility).toBeLessThanOrEqual(1e-12)
    }
    const stop = new AbortController()
    const aborted = await solve(program, {
      solver: coneNewton(),
      tolerance: 0,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    expect(aborted.status).toBe('aborted')
    expect(aborted.certificate.dual).toBeLessThanOrEqual(aborted.certificate.primal)
  })

  it('goes on where rounding ends its steps, and says what it reached', () => {
    const found = solveSync(made(typical), { solver: coneNewton(), tolerance: 0, maxIterations: 200 })
    expect(found.status).toBe('iteration-limit')
    expect(found.certificate.relativeGap).toBeLessThan(1e-12)
  })

  it('is free of scale: rows, targets and lambda scaled alike give the same steps', () => {
    const steps = solveSync(made(typical), { solver: coneNewton() }).iterations
    for (const [x, y] of [
      [2 ** -20, 1],
      [2 ** 20, 2 ** -20],
      [1, 2 ** 26],
    ] as const)
      expect(solveSync(made(typical, { x, y }), { solver: coneNewton() }).iterations).toBe(steps)
  })

  it('solves every output as if it were alone', () => {
    const given = { ...typical, outputs: 3 }
    const { X, y, gates } = parts(given)
    const program = made(given)
    const together = solveSync(program, { solver: coneNewton(), tolerance: 1e-10 })
    expect(together.status).toBe('solved')
    let total = 0
    for (let k = 0; k < 3; k++) {
      const column = matrix(
        y.rows,
        1,
        Float64Array.from({ length: y.rows }, (_, r) => y.data[r * 3 + k]!),
      )
      // F is a mean over outputs, so one alone weighs three times as much.
      const alone = reluProgram({ X, y: column, gates, lambda: 3 * program.lambda })
      total += solveSync(alone, { solver: coneNewton(), tolerance: 1e-10 }).certificate.primal / 3
    }
    expect(Math.abs(together.certificate.primal - total)).toBeLessThanOrEqual(1e-9 * total)
  })

  it('says why not', () => {
    const { X, y, gates } = parts(typical)
    const base = { X, y, gates, lambda: 0.1 }
    const signs = matrix(
      y.rows,
      1,
      y.data.map((value) => (value > 0 ? 1 : -1)),
    )
    expect(coneNewton().supports(reluProgram(base))).toBe(true)
    expect(coneNewton().supports(gatedReluProgram(base))).toMatch(/cones/)
    expect(coneNewton().supports(reluProgram({ ...base, y: signs, loss: logistic() }))).toMatch(/logistic/)
    expect(coneNewton().supports(reluProgram({ ...base, lambda: 0 }))).toMatch(/lambda above 0/)
    expect(coneNewton().supports(reluProgram({ ...base, bias: 'unpenalised' }))).toMatch(/loss/)
  })
})

const typical: Problem = {
  rows: 60,
  features: 6,
  outputs: 1,
  gates: 40,
  ratio: 0.02,
  kind: 'normal',
  seed: 3,
}

function made(given: Problem, scale = { x: 1, y: 1 }): ConvexProgram<ReluNetwork> {
  const { X, y, gates } = parts(given, scale)
  const program = reluProgram({ X, y, gates, lambda: 0 })
  return { ...program, lambda: given.ratio * lambdaMax(program) || 1 }
}

function parts({ rows, features, outputs, gates, kind, seed }: Problem, scale = { x: 1, y: 1 }) {
  const draws = random(seed)
  const whole = kind === 'small whole numbers'
  const draw = (): number => (whole ? Math.round(draws.normal()) : draws.normal())
  const X = matrix(
    rows,
    features,
    Float64Array.from({ length: rows * features }, () => draw()),
  )
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < features; j++) {
      const at = r * features + j
      if (kind === 'duplicated rows') X.data[at] = X.data[(r % 4) * features + j]!
      if (kind === 'low rank' && j > 0) X.data[at] = X.data[r * features]! * (j + 1)
      if (kind === 'unlike scales') X.data[at]! *= 10 ** ((j % 3) - 1)
      X.data[at]! *= scale.x
    }
  const y = matrix(
    rows,
    outputs,
    Float64Array.from({ length: rows * outputs }, () => scale.y * draw()),
  )
  // Gates of whole numbers have rows of whole numbers on their boundary.
  const vectors = matrix(
    gates,
    features,
    Float64Array.from({ length: gates * features }, () => draw()),
  )
  return { X, y, gates: gatesFrom(vectors, X) }
}
