import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { nonnegativeQp } from '../../solvers/nonnegative-qp.ts'
import {
  certify,
  etaNewton,
  gatedReluProgram,
  groupL1,
  lambdaMax,
  logistic,
  matrix,
  proximalGradient,
  sampleGates,
  solve,
  solveSync,
  squared,
} from '../../src/index.ts'
import { backend } from '../../src/numerics/backends/index.ts'
import { random } from '../../src/numerics/random.ts'
import type { ConvexProgram, KernelFactor, Matrix, Solver } from '../../src/types.ts'

/** Sizes with n above and below (active blocks) x d, so that M is factored in both forms. */
const problem = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  features: fc.integer({ min: 1, max: 6 }),
  outputs: fc.integer({ min: 1, max: 3 }),
  gates: fc.integer({ min: 1, max: 30 }),
  joint: fc.boolean(),
  ratio: fc.constantFrom(0.9, 0.3, 0.03, 0.001),
  kind: fc.constantFrom('normal', 'duplicated rows', 'low rank', 'small whole numbers', 'unlike scales'),
  seed: fc.integer({ min: 1, max: 1e6 }),
})
type Problem = (typeof problem extends fc.Arbitrary<infer T> ? Omit<T, 'ratio'> : never) & { ratio: number }

describe('etaNewton', () => {
  test.prop([problem], { numRuns: 150 })('comes to a gap of 1e-9 in few steps', (given) => {
    const program = made(given)
    const found = solveSync(program, { solver: etaNewton(), tolerance: 1e-9, maxIterations: 60 * given.outputs })
    expect(found.status).toBe('solved')
    expect(certify(program, { coefficients: found.coefficients }).relativeGap).toBeLessThanOrEqual(2e-9)
  })

  test.prop([problem], { numRuns: 40 })('agrees with proximal gradient', (given) => {
    const program = made({ ...given, ratio: Math.max(given.ratio, 0.03) })
    const newton = solveSync(program, { solver: etaNewton(), tolerance: 1e-10 })
    const first = solveSync(program, { solver: proximalGradient(), tolerance: 1e-7 })
    expect(newton.status).toBe('solved')
    // Each is in the other's certified interval.
    expect(newton.certificate.primal).toBeGreaterThanOrEqual(first.certificate.dual * (1 - 1e-12))
    expect(first.certificate.primal).toBeGreaterThanOrEqual(newton.certificate.dual * (1 - 1e-12))
  })

  test.prop([problem], { numRuns: 40 })(
    'started near the solution takes fewer steps and writes to nothing it is given',
    (given) => {
      const program = made(given)
      const lambda = program.lambda
      const near = solveSync({ ...program, lambda: 1.05 * lambda }, { solver: etaNewton() })
      const kept = near.coefficients.slice()
      const cold = solveSync(program, { solver: etaNewton() })
      const warm = solveSync(program, { solver: etaNewton(), start: near })
      expect(near.coefficients).toEqual(kept)
      expect(warm.status).toBe('solved')
      expect(warm.iterations).toBeLessThanOrEqual(cold.iterations + 2)
      expect(Math.abs(warm.certificate.primal - cold.certificate.primal)).toBeLessThanOrEqual(
        2e-6 * cold.certificate.primal + 1e-300,
      )
    },
  )

  it('takes fewer steps from the next lambda of a path than from zero', () => {
    const program = made({ ...typical, ratio: 0.01 })
    const near = solveSync({ ...program, lambda: 1.2 * program.lambda }, { solver: etaNewton(), tolerance: 1e-9 })
    const cold = solveSync(program, { solver: etaNewton(), tolerance: 1e-9 })
    const warm = solveSync(program, { solver: etaNewton(), tolerance: 1e-9, start: near })
    expect(warm.iterations).toBeLessThan(0.7 * cold.iterations)
  })

  it.each([0.1, 1e-3])('comes to a gap of 1e-9 with columns over six decades, at %d lambda_max', (ratio) => {
    const draws = random(7)
    const [n, d] = [240, 20]
    // Large enough for factors in float32.
    const X = matrix(n, d)
    for (let k = 0; k < n * d; k++) X.data[k] = draws.normal() * 10 ** (-(6 * (k % d)) / d)
    const y = matrix(n, 1)
    for (let r = 0; r < n; r++) y.data[r] = draws.normal()
    const whole = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 60, seed: 3 }), lambda: 0 })
    const program = { ...whole, lambda: ratio * lambdaMax(whole) }
    const found = solveSync(program, { solver: etaNewton(), tolerance: 1e-9, maxIterations: 200 })
    expect(found.status).toBe('solved')
    expect(certify(program, { coefficients: found.coefficients }).relativeGap).toBeLessThanOrEqual(2e-9)
  })

  it.each([
    [1, false],
    [2, false],
    [2, true],
  ])('begins on fewer rows where there are many, with %i outputs (joint: %s)', (outputs, joint) => {
    const program = made({ ...typical, rows: 420, gates: 60, outputs, joint, ratio: 0.03 })
    const found = solveSync(program, { solver: etaNewton(), tolerance: 1e-10, maxIterations: 60 })
    expect(found.status).toBe('solved')
    // The first steps are of half of the rows, and so is what they come to.
    const { onRows: _, ...operator } = program.operator
    const whole = solveSync({ ...program, operator }, { solver: etaNewton(), tolerance: 1e-10, maxIterations: 60 })
    expect(whole.status).toBe('solved')
    expect(Math.abs(whole.certificate.primal - found.certificate.primal)).toBeLessThanOrEqual(
      2e-10 * found.certificate.primal,
    )
  })

  it('follows small moves at sizes where that is worth it, to the same optimum', () => {
    const program = made({ ...typical, rows: 400, features: 10, gates: 120, outputs: 2, ratio: 0.01 })
    const found = solveSync(program, { solver: etaNewton(), tolerance: 1e-11 })
    expect(found.status).toBe('solved')
    expect(certify(program, { coefficients: found.coefficients }).relativeGap).toBeLessThanOrEqual(2e-11)
    const nearby = { ...program, lambda: 0.97 * program.lambda }
    const next = solveSync(nearby, { solver: etaNewton(), tolerance: 1e-11, start: found })
    expect(next.status).toBe('solved')
    expect(next.iterations).toBeLessThanOrEqual(8)
    expect(next.certificate.primal).toBeGreaterThanOrEqual(0.97 * found.certificate.dual)
  })

  it('goes on from its last factor along a path, unless another walk or program has been there', () => {
    const draws = random(5)
    const [n, d] = [1600, 40]
    const X = matrix(
      n,
      d,
      Float64Array.from({ length: n * d }, () => draws.normal()),
    )
    const y = matrix(n, 1)
    for (let r = 0; r < n; r++)
      y.data[r] = Math.max(0, X.data[r * d]!) - Math.abs(X.data[r * d + 1]!) + 0.1 * draws.normal()
    const gates = sampleGates(X, { count: 60, seed: 3 })
    const whole = gatedReluProgram({ X, y, gates, lambda: 0 })
    let factorisations = 0
    const { factor } = whole.operator.blocks!
    const counted = (): KernelFactor => {
      const made = factor!()
      return {
        get stands() {
          return made.stands
        },
        factor(...given) {
          factorisations++
          return made.factor(...given)
        },
        solve: made.solve,
        addProducts: made.addProducts,
      }
    }
    const blocks = { ...whole.operator.blocks!, ...(factor && { factor: counted }) }
    const operator = { ...whole.operator, blocks }
    const program = { ...whole, operator, lambda: 0.02 * lambdaMax(whole) }
    const next = { ...program, lambda: 0.95 * program.lambda }
    const opposite = matrix(
      n,
      1,
      y.data.map((value) => -value),
    )
    const other = { ...gatedReluProgram({ X, y: opposite, gates, lambda: next.lambda }), operator }

    const solver = etaNewton()
    const start = solveSync(program, { solver })
    const from = (of: ConvexProgram, by: Solver): { primal: number; made: number } => {
      factorisations = 0
      const found = solveSync(of, { solver: by, start, tolerance: 1e-9, maxIterations: 60 })
      expect(found.status).toBe('solved')
      expect(certify(of, { coefficients: found.coefficients }).relativeGap).toBeLessThanOrEqual(2e-9)
      return { primal: found.certificate.primal, made: factorisations }
    }
    const alone = from(next, etaNewton())
    solveSync(program, { solver, start: { coefficients: start.coefficients.map((u) => 1.001 * u) } })
    const along = from(next, solver)
    if (factor) expect(along.made).toBeLessThan(alone.made)
    const walking = solver.iterate(next, start)
    walking.next()
    const beside = from(next, solver)
    walking.return()
    from(other, solver)
    for (const { primal } of [along, beside, from(next, solver)])
      expect(Math.abs(primal - alone.primal)).toBeLessThanOrEqual(2e-9 * alone.primal)
  })

  it('keeps its speed where gates hardly differ and H is nearly singular', () => {
    const draws = random(2)
    const X = matrix(
      150,
      4,
      Float64Array.from({ length: 600 }, () => Math.round(10 * draws.normal()) / 10),
    )
    // Three classes of a smooth function, one against all, on gates of one feature each: neighbours differ in a row or two.
    const score = Array.from(
      { length: 150 },
      (_, r) => X.data[4 * r]! + 0.3 * X.data[4 * r + 1]! + 0.1 * draws.normal(),
    )
    const y = matrix(
      150,
      3,
      Float64Array.from({ length: 450 }, (_, k) => {
        const of = score[Math.floor(k / 3)]!
        return (of < -0.5 ? 0 : of < 0.5 ? 1 : 2) === k % 3 ? 1 : -1
      }),
    )
    const gates = sampleGates(X, { count: 250, seed: 1, bias: true, order: 1 })
    const program = gatedReluProgram({ X, y, gates, bias: true, lambda: 0 })
    const top = lambdaMax(program)
    for (const ratio of [1e-3, 1e-4]) {
      const found = solveSync({ ...program, lambda: ratio * top }, { solver: etaNewton(), maxIterations: 250 })
      expect(found.status).toBe('solved')
    }
  })

  it('starts from weights beyond any rounding', () => {
    const program = { ...made(typical), lambda: 1e-280 }
    const coefficients = new Float64Array(program.operator.columns).fill(1e100)
    const found = solveSync(program, { solver: etaNewton(), start: { coefficients }, maxIterations: 30 })
    expect(Number.isFinite(found.certificate.primal)).toBe(true)
  })

  it('is as good from anywhere', () => {
    const program = made(typical)
    const cold = solveSync(program, { solver: etaNewton(), tolerance: 1e-10 })
    const draws = random(5)
    for (const size of [1e-6, 1, 1e3]) {
      const coefficients = Float64Array.from({ length: program.operator.columns }, () => size * draws.normal())
      const found = solveSync(program, { solver: etaNewton(), tolerance: 1e-10, start: { coefficients } })
      expect(found.status).toBe('solved')
      expect(Math.abs(found.certificate.primal - cold.certificate.primal)).toBeLessThanOrEqual(1e-9)
    }
  })

  it('stopped at any step leaves a point with its certificate', async () => {
    const program = made(typical)
    for (let steps = 1; steps <= 6; steps++) {
      const found = solveSync(program, { solver: etaNewton(), tolerance: 1e-12, maxIterations: steps })
      expect(found.status).toBe('iteration-limit')
      const fresh = certify(program, { coefficients: found.coefficients })
      expect(Math.abs(fresh.primal - found.certificate.primal)).toBeLessThanOrEqual(1e-12 * fresh.primal)
    }
    const stop = new AbortController()
    const aborted = await solve(program, {
      solver: etaNewton(),
      tolerance: 0,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    expect(aborted.status).toBe('aborted')
  })

  it('goes on where rounding ends its steps, and says what it reached', () => {
    const found = solveSync(made(typical), { solver: etaNewton(), tolerance: 0, maxIterations: 80 })
    expect(found.status).toBe('iteration-limit')
    expect(found.certificate.relativeGap).toBeLessThan(1e-12)
  })

  it('is free of scale: rows, targets and lambda scaled alike give the same steps', () => {
    const program = made(typical)
    const steps = solveSync(program, { solver: etaNewton() }).iterations
    for (const [x, y] of [
      [1e-6, 1],
      [1e6, 1e-6],
      [1, 1e8],
    ] as const)
      expect(solveSync(made(typical, { x, y }), { solver: etaNewton() }).iterations).toBe(steps)
  })

  it('says why not', () => {
    const { X, y, gates } = parts(typical)
    const base = { X, y, gates, lambda: 0.1 }
    const signs = matrix(
      y.rows,
      1,
      y.data.map((value) => (value > 0 ? 1 : -1)),
    )
    expect(etaNewton().supports(gatedReluProgram({ ...base, y: signs, loss: logistic() }))).toMatch(/logistic/)
    expect(etaNewton().supports(gatedReluProgram({ ...base, lambda: 0 }))).toMatch(/leastSquares/)
    expect(etaNewton().supports(gatedReluProgram({ ...base, bias: 'unpenalised' }))).toMatch(/loss/)
    expect(etaNewton().supports(gatedReluProgram({ ...base, loss: squared() }))).toBe(true)
  })
})

describe('nonnegativeQp', () => {
  test.prop([fc.integer({ min: 1, max: 25 }), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1e6 })])(
    'meets its optimality conditions from any guess',
    (k, rank, seed) => {
      const draws = random(seed)
      const Z = Float64Array.from({ length: k * rank }, () => draws.normal())
      const b = Float64Array.from({ length: k }, () => draws.normal())
      const H = new Float64Array(k * k)
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) {
          for (let r = 0; r < rank; r++) H[i * k + j]! += Z[i * rank + r]! * Z[j * rank + r]!
          if (i === j) H[i * k + j]! += 1e-3
        }
      const positive = Uint8Array.from({ length: k }, () => (draws.uniform() < 0.5 ? 1 : 0))
      const x = nonnegativeQp(backend(), k, H, b, positive)!
      const size = Math.max(...b.map(Math.abs))
      for (let i = 0; i < k; i++) {
        let slope = -b[i]!
        for (let j = 0; j < k; j++) slope += H[i * k + j]! * x[j]!
        expect(x[i]).toBeGreaterThanOrEqual(0)
        if (x[i]! > 0) expect(Math.abs(slope)).toBeLessThan(1e-7 * size)
        else expect(slope).toBeGreaterThan(-1e-7 * size)
      }
    },
  )

  it('gives up on a matrix that is not positive semidefinite', () => {
    expect(nonnegativeQp(backend(), 2, Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1), Uint8Array.of(1, 1))).toBe(
      undefined,
    )
  })
})

const typical: Problem = {
  rows: 60,
  features: 5,
  outputs: 1,
  gates: 40,
  joint: false,
  ratio: 0.02,
  kind: 'normal',
  seed: 3,
}

function made(given: Problem, scale = { x: 1, y: 1 }): ReturnType<typeof gatedReluProgram> {
  const { X, y, gates } = parts(given)
  const program = gatedReluProgram({
    X: matrix(
      X.rows,
      X.columns,
      X.data.map((value) => scale.x * value),
    ),
    y: matrix(
      y.rows,
      y.columns,
      y.data.map((value) => scale.y * value),
    ),
    gates,
    penalty: groupL1({ joint: given.joint }),
    lambda: 0,
  })
  return { ...program, lambda: given.ratio * lambdaMax(program) || 1 }
}

function parts({ rows, features, outputs, gates, kind, seed }: Problem): {
  X: Matrix
  y: Matrix
  gates: ReturnType<typeof sampleGates>
} {
  const draws = random(seed)
  const X = matrix(
    rows,
    features,
    Float64Array.from({ length: rows * features }, () => draws.normal()),
  )
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < features; j++) {
      const at = r * features + j
      if (kind === 'duplicated rows' && r > 2) X.data[at] = X.data[(r % 3) * features + j]!
      if (kind === 'low rank' && j > 0) X.data[at] = j * X.data[r * features]!
      if (kind === 'small whole numbers') X.data[at] = Math.round(X.data[at]!)
      if (kind === 'unlike scales') X.data[at]! *= 10 ** (3 - j)
    }
  const y = matrix(
    rows,
    outputs,
    Float64Array.from({ length: rows * outputs }, () => draws.normal()),
  )
  return { X, y, gates: sampleGates(X, { count: gates, seed }) }
}
