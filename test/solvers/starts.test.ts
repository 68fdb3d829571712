import { describe, expect, it } from 'vitest'
import {
  certify,
  fromRows,
  gatedReluProgram,
  proximalGradient,
  sampleGates,
  solve,
  solveSync,
  steps,
  sweep,
} from '../../src/index.ts'

const X = fromRows(Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]))
const y = Array.from({ length: 40 }, (_, i) => Math.sin(3 * i) + 0.3)
const gates = sampleGates(X, { count: 15 })
const program = gatedReluProgram({ X, y, gates, lambda: 0.01 })

describe('a start', () => {
  const solution = solveSync(program, { tolerance: 1e-9 })

  it('is taken for its coefficients, not for a fit that may be of other data', () => {
    const other = gatedReluProgram({ X, y: y.map((value) => -5 * value), gates, lambda: 0.01 })
    const wrong = { coefficients: solution.coefficients.map((value) => -value), fit: solution.fit! }
    const found = solveSync(other, { start: wrong, maxIterations: 1 })
    const { primal } = certify(other, { coefficients: found.coefficients })
    expect(found.certificate.primal).toBeCloseTo(primal, 12)
    expect(solveSync(other, { start: solution }).status).toBe('solved')
  })

  it('at the optimum is left by no endless line search', () => {
    const found = solveSync(program, { start: solution, tolerance: 0, maxIterations: 500 })
    expect(found.status).toBe('iteration-limit')
    expect(found.certificate.primal).toBeCloseTo(solution.certificate.primal, 12)
  })
})

describe('the event loop', () => {
  it('breathes between the pieces of steps and sweep, however short they are', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    try {
      const signal = AbortSignal.timeout(100)
      for await (const _ of steps(
        { ...program, lambda: 1e-9 },
        { tolerance: 0, checkEvery: 1, signal, maxIterations: 1e7 },
      ));
      expect(signal.aborted).toBe(true)
      const afterSteps = ticks
      expect(afterSteps).toBeGreaterThan(0)
      const lambdas = Array.from({ length: 1e6 }, () => 0.02)
      for await (const { status } of sweep(program, { lambdas, signal: AbortSignal.timeout(100) }))
        if (status === 'aborted') break
      expect(ticks).toBeGreaterThan(afterSteps)
    } finally {
      clearInterval(timer)
    }
  })
})

describe('a wrong setting', () => {
  for (const lambda of [-0.01, Number.NaN, Number.POSITIVE_INFINITY])
    it(`lambda ${lambda} is refused wherever it comes from`, async () => {
      expect(() => solveSync({ ...program, lambda })).toThrow(
        `solve: lambda is ${lambda}, expected a number of at least 0`,
      )
      await expect(solve({ ...program, lambda })).rejects.toThrow(RangeError)
      await expect(
        sweep(program, { lambdas: [0.1, lambda] })
          .next()
          .then(() => sweep(program, { lambdas: [lambda] }).next()),
      ).rejects.toThrow(RangeError)
    })
  it.each([{ shrink: 1 }, { shrink: 0 }, { grow: 0.9 }, { looseness: 0 }, { step: -1 }])(
    '%o of proximalGradient is refused',
    (options) => {
      expect(() => proximalGradient(options)).toThrow(RangeError)
    },
  )
})
