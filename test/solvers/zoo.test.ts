import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  coneNewton,
  etaNewton,
  leastSquares,
  newtonCg,
  proximalGradient,
  type Solver,
  solve,
  solveSync,
} from '../../src/index.ts'
import { type Specimen, zoo } from '../zoo.ts'

/** Every solver with the iterations it may take to a relative gap of 1e-6, at lambda > 0 and (if it takes it) at lambda = 0. */
const solvers: { make: () => Solver; budget: number; atZero?: number }[] = [
  { make: () => etaNewton(), budget: 25 },
  { make: () => coneNewton(), budget: 40 },
  { make: () => newtonCg(), budget: 300 },
  { make: () => leastSquares(), budget: 20, atZero: 60 },
  { make: () => proximalGradient(), budget: 400, atZero: 8000 },
]

const tolerance = 1e-6

for (const { make, budget, atZero } of solvers)
  describe(`${make().name} on the zoo`, () => {
    const supported = zoo.filter(({ program }) => make().supports(program) === true)

    it('takes some of it, and gives a sentence for the rest', () => {
      expect(supported.length).toBeGreaterThan(0)
      for (const { program } of zoo) {
        const answer = make().supports(program)
        if (answer !== true)
          expect(answer).toMatch(/^[a-z-]+ (takes|needs) .+; use (proximalGradient|leastSquares)\(\)\.$/)
      }
    })

    it.each(supported.filter((at) => !slow(at)))('solves $name and certifies it', ({ program }) => {
      const limit = program.lambda > 0 ? budget : atZero!
      const solution = solveSync(program, { solver: make(), tolerance, maxIterations: limit })
      expect(solution.status).toBe('solved')
      expect(solution.program).toBe(program)
      // The certificate is of the point returned: a fresh one agrees, and a bound that is better was earned on the way.
      const { certificate } = solution
      const fresh = certify(program, { coefficients: solution.coefficients })
      expect(Math.abs(certificate.primal - fresh.primal)).toBeLessThanOrEqual(1e-12 * (1 + fresh.primal))
      expect(certificate.dual).toBeGreaterThanOrEqual(fresh.dual - 1e-12 * (1 + Math.abs(fresh.dual)))
      expect(certificate.primalFeasibility).toBeLessThanOrEqual(1e-12)
      expect(certificate.gap).toBeGreaterThanOrEqual(-1e-12 * certificate.primal)
      if (program.lambda > 0) expect(certificate.relativeGap).toBeLessThanOrEqual(tolerance)
      else expect(Math.max(certificate.stationarity, certificate.complementarity)).toBeLessThanOrEqual(tolerance)
      // The dual point behind the bound is feasible, and the bound is what the loss says of it.
      const bound = program.loss.conjugate(solution.dual!.map((value) => -value))
      const correlation = program.operator.adjoint(solution.dual!)
      const conjugate =
        program.lambda > 0 && program.penalty.quadratic
          ? program.lambda * program.penalty.conjugate(correlation.map((value) => value / program.lambda))
          : 0
      expect(Math.abs(certificate.dual + bound + conjugate)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(bound)))
      if (!program.penalty.quadratic)
        expect(program.penalty.polar(correlation)).toBeLessThanOrEqual(program.lambda * (1 + 1e-12) + 1e-15)
    })

    it.each(supported.filter((at) => !slow(at)))('started at the solution of $name is done at once', ({ program }) => {
      const first = solveSync(program, { solver: make(), tolerance })
      const second = solveSync(program, { solver: make(), tolerance: 2 * tolerance, start: first })
      expect(second.status).toBe('solved')
      expect(second.iterations).toBe(0)
      expect(second.coefficients).toEqual(first.coefficients)
    })

    it.each(supported)('never writes to the start it is given, on $name', ({ program }) => {
      const coefficients = Float64Array.from({ length: program.operator.columns }, (_, k) => Math.sin(k + 1))
      const fit = program.operator.apply(coefficients)
      const kept = { coefficients: coefficients.slice(), fit: fit.slice() }
      const solution = solveSync(program, { solver: make(), start: { coefficients, fit }, maxIterations: 25 })
      expect({ coefficients, fit }).toEqual(kept)
      expect(solution.coefficients).not.toBe(coefficients)
      expect(solution.certificate.primal).toBeLessThanOrEqual(certify(program, kept).primal * (1 + 1e-12))
    })

    it('walks the same way with turns as without', async () => {
      const { program } = supported.at(-1)!
      const [a, b] = [solveSync(program, { solver: make() }), await solve(program, { solver: make() })]
      expect(b.coefficients).toEqual(a.coefficients)
      expect(b.iterations).toBe(a.iterations)
    })
  })

describe('what the zoo says of lambda', () => {
  it.each(zoo.filter(({ ratio }) => ratio !== undefined && ratio >= 1))('zero is optimal in $name', ({ program }) => {
    const solution = solveSync(program)
    expect(solution.iterations).toBe(0)
    expect(solution.coefficients.every((value) => value === 0)).toBe(true)
    expect(solution.model.width).toBe(0)
  })

  it.each(
    zoo.filter(({ program, ratio }) => ratio !== undefined && ratio < 1 && program.loss.value(zeroFit(program)) > 0),
  )('zero is not optimal in $name', ({ program }) => {
    expect(solveSync(program).certificate.primal).toBeLessThan(program.loss.value(zeroFit(program)))
  })

  it('cones at lambda 0 are solved slowly, and the certificate says how far it came', () => {
    const { program } = zoo.find(slow)!
    const solution = solveSync(program, { maxIterations: 3000 })
    expect(solution.status).toBe('iteration-limit')
    expect(solution.certificate.primalFeasibility).toBeLessThanOrEqual(1e-12)
    expect(solution.certificate.stationarity).toBeLessThan(1e-2)
    expect(solution.certificate.relativeGap).toBe(1)
  })
})

/** Cones without a penalty: first-order steps close in on them too slowly for a test. */
function slow({ program }: Specimen): boolean {
  return program.lambda === 0 && program.penalty.domain !== undefined
}

function zeroFit({ loss }: ConvexProgram): Float64Array {
  return new Float64Array(loss.size)
}
