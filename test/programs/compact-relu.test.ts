import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  augmentedLagrangian,
  type CompactMatrix,
  certify,
  compactMatrix,
  coneDecomposition,
  coneNewton,
  gatedReluProgram,
  gatesFrom,
  lambdaMax,
  type Matrix,
  matrix,
  proximalGradient,
  reluProgram,
  sampleGates,
  solveSync,
  verify,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

interface Problem {
  readonly X: Matrix
  readonly compact: CompactMatrix
  readonly y: Matrix
  readonly bias: boolean
  readonly seed: number
}

/** Up to 40 rows of up to 4 features, entries of float32, some rows zero or given twice, up to 2 outputs. */
const problem: fc.Arbitrary<Problem> = fc
  .record({
    n: fc.integer({ min: 4, max: 40 }),
    d: fc.integer({ min: 1, max: 4 }),
    outputs: fc.integer({ min: 1, max: 2 }),
    bias: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({ n, d, outputs, bias, seed }) => made(n, d, outputs, bias, seed))

function made(n: number, d: number, outputs: number, bias: boolean, seed: number): Problem {
  const draws = random(seed)
  const single = Float32Array.from({ length: n * d }, () => draws.normal())
  single.copyWithin(d, 0, d)
  single.fill(0, (n - 1) * d)
  const y = matrix(
    n,
    outputs,
    Float64Array.from({ length: n * outputs }, () => draws.normal()),
  )
  return { X: matrix(n, d, Float64Array.from(single)), compact: compactMatrix(n, d, single), y, bias, seed }
}

/** The program over X in full, and over the compact X. */
function both({ X, compact, y, bias, seed }: Problem, ratio: number, count = 6) {
  const gates = sampleGates(X, { count, seed: seed + 1, bias })
  const lambda = ratio * lambdaMax(gatedReluProgram({ X, y, gates, bias, lambda: 1 }))
  const given = { y, gates, bias, lambda }
  return { gates, lambda, full: reluProgram({ X, ...given }), compact: reluProgram({ X: compact, ...given }) }
}

describe('reluProgram of a compact X', () => {
  it('has the same lambda_max, to float32, and the same certificates at points of the cones', () => {
    fc.assert(
      fc.property(problem, (p) => {
        const { full, compact, gates } = both(p, 0.1)
        const most = lambdaMax(full)
        expect(lambdaMax(compact)).toBeGreaterThan(most * (1 - 1e-5))
        expect(lambdaMax(compact)).toBeLessThan(most * (1 + 1e-3) + 1e-12)
        const draws = random(p.seed)
        const coefficients = Float64Array.from({ length: full.operator.columns / 2 }, () => 0.1 * draws.normal())
        const at = coneDecomposition(
          { X: p.compact, gates, coefficients, outputs: p.y.columns, bias: p.bias },
          { method: 'working-set' },
        )
        const one = certify(full, at)
        const other = certify(compact, at)
        expect(other.primal).toBeCloseTo(one.primal, 9)
        expect(other.primalFeasibility).toBe(0)
        // A lower bound, and nearly as good.
        expect(other.dual).toBeLessThan(one.dual + 1e-9)
        expect(other.dual).toBeGreaterThan(one.dual - 1e-2 * Math.abs(one.dual) - 1e-9)
      }),
      { numRuns: 60 },
    )
  })

  it('moves points into the cones, near where exact projections move them', () => {
    fc.assert(
      fc.property(problem, (p) => {
        const { full, compact } = both(p, 0.1)
        const draws = random(p.seed)
        const u = Float64Array.from({ length: full.operator.columns }, () => draws.normal())
        const exact = full.penalty.domain!.project(u)
        const near = compact.penalty.domain!.project(u)
        expect(full.penalty.domain!.violation(near)).toBeLessThan(1e-12)
        const size = p.X.columns + (p.bias ? 1 : 0)
        for (let b = 0; b < u.length; b += size) {
          const from = (z: Float64Array): number => Math.hypot(...u.subarray(b, b + size).map((e, j) => e - z[b + j]!))
          expect(from(near)).toBeGreaterThan(from(exact) * (1 - 1e-9) - 1e-12)
          expect(from(near)).toBeLessThan(from(exact) * (1 + 1e-2) + 1e-2)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is solved to the optimum of the program in full, in memory and streamed, and verifies its network', () => {
    for (const [n, d, outputs, bias] of [
      [30, 3, 1, false],
      [40, 4, 2, true],
    ] as const) {
      const p = made(n, d, outputs, bias, 3)
      const { full, compact, gates, lambda } = both(p, 0.05, 12)
      const optimum = solveSync(full, { tolerance: 1e-8 }).certificate
      const streamed = reluProgram({ X: { ...p.compact, streamed: true }, y: p.y, gates, bias, lambda })
      for (const [program, given] of [
        [compact, undefined],
        [streamed, undefined],
        [compact, proximalGradient()],
      ] as const) {
        const { certificate, status, model, coefficients, solver } = solveSync(program, {
          ...(given && { solver: given }),
          tolerance: 1e-4,
          maxIterations: 2000,
        })
        expect(solver).toBe(given?.name ?? 'fully-corrective')
        expect(status).toBe('solved')
        expect(certificate.dual).toBeLessThanOrEqual(optimum.primal)
        expect(certificate.primal).toBeGreaterThanOrEqual(optimum.dual)
        const seen = verify(program, model)
        expect(seen.network).toBeCloseTo(certificate.primal, 7)
        expect(verify(full, model).network).toBeCloseTo(certificate.primal, 7)
        expect(program.embed(model).coefficients).toEqual(full.embed(model).coefficients)
        const fit = full.operator.apply(coefficients)
        expect(Array.from(model.predict(p.X).data)).toEqual(Array.from(fit, (z) => expect.closeTo(z, 9) as number))
      }
    }
  })

  it('restricts to some gates, and says what it does not offer', () => {
    const p = made(30, 3, 2, false, 5)
    const { full, compact } = both(p, 0.2)
    const chosen = Int32Array.of(4, 1)
    const u = Float64Array.from({ length: 2 * 4 * 3 }, (_, k) => Math.sin(k))
    const one = full.restrict!(chosen).operator.apply(u)
    const other = compact.restrict!(chosen)
    const near = (z: Float64Array, digits: number) => Array.from(z, (_, k) => expect.closeTo(one[k]!, digits) as number)
    expect(Array.from(other.operator.exact!.apply(u))).toEqual(near(one, 10))
    expect(Array.from(other.operator.apply(u))).toEqual(near(one, 4))
    expect(other.lambda).toBe(compact.lambda)
    expect(() => solveSync(compact, { solver: augmentedLagrangian() })).toThrow(
      /needs a constraint written out .* proximalGradient/,
    )
    expect(() => solveSync(compact, { solver: coneNewton() })).toThrow(RangeError)
    expect(proximalGradient().supports(compact)).toBe(true)
    expect(() => reluProgram({ X: p.compact, y: p.y, gates: gatesFrom([[1, 0]], [[1, 0]]), lambda: 1 })).toThrow(
      /the gates were made for 1 rows of 2 features/,
    )
  })
})
