import * as fc from 'fast-check'
import { all, type BigNumber, create } from 'mathjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { certifier, certify } from '../../src/certificates/certify.ts'
import { type PrecisePenalty, type PreciseProblem, preciseCertificate } from '../../src/certificates/precise.ts'
import { gatesFrom } from '../../src/gates/index.ts'
import { fromRows, matrix } from '../../src/numerics/matrix.ts'
import { random } from '../../src/numerics/random.ts'
import { featureGroupL1, groupL1, l1, ridge } from '../../src/penalties/index.ts'
import { gatedReluProgram } from '../../src/programs/gated-relu.ts'
import type { ConvexProgram, Matrix, PenaltyChoice } from '../../src/types.ts'

const penalties: Record<PrecisePenalty, PenaltyChoice> = {
  'group-l1': groupL1(),
  'joint-group-l1': groupL1({ joint: true }),
  l1: l1(),
  ridge: ridge(),
  'feature-group-l1': featureGroupL1(),
}
const names = Object.keys(penalties) as PrecisePenalty[]
const decimals = create(all, { number: 'BigNumber', precision: 100 })
const decimal = (text: string): BigNumber => decimals.bignumber(text)

/** A problem and a point of it, half of whose blocks are zero; `whole` draws small integers, full of ties and zeros. */
function draw(options: {
  n: number
  d: number
  c: number
  P: number
  seed: number
  whole: boolean
  penalty: PrecisePenalty
  bias: boolean | 'unpenalised'
}): { problem: PreciseProblem; program: ConvexProgram; coefficients: Float64Array } {
  const { n, d, c, P, seed, whole, penalty, bias } = options
  const draws = random(seed)
  const one = (): number => (whole ? draws.below(5) - 2 : draws.normal())
  const entries = (count: number): Float64Array => Float64Array.from({ length: count }, one)
  const X = matrix(n, d, entries(n * d))
  const Y = matrix(n, c, entries(n * c))
  const gates = gatesFrom(matrix(P, d, entries(P * d)), X)
  const lambda = 0.2 * draws.uniform()
  const block = (d + (bias === true ? 1 : 0)) * c
  const on = Array.from({ length: P }, () => draws.below(2))
  const coefficients = entries(P * block).map((value, k) => (on[Math.floor(k / block)] === 1 ? value / 4 : 0))
  const program = gatedReluProgram({ X, y: Y, gates, lambda, penalty: penalties[penalty], bias })
  return { problem: { X, Y, gates, lambda, penalty, bias }, program, coefficients }
}

const drawn = fc
  .record({
    n: fc.integer({ min: 1, max: 8 }),
    d: fc.integer({ min: 1, max: 3 }),
    c: fc.integer({ min: 1, max: 2 }),
    P: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(1e9),
    whole: fc.boolean(),
    penalty: fc.constantFrom(...names),
    bias: fc.constantFrom(false, true, 'unpenalised' as const),
  })
  .map(draw)

const close = (text: string, value: number, scale: number): void =>
  expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(1e-12 * scale)

/** X = (1, 3)', y = (1, 4)', u = 1, lambda = 1/2: residual (0, 1), |Z'E| = 3, so t = 1/6. */
const byHand: PreciseProblem = {
  X: fromRows([[1], [3]]),
  Y: fromRows([[1], [4]]),
  gates: { vectors: fromRows([[1], [-1]]), bias: false },
  lambda: 0.5,
}
const byHandAt = Float64Array.of(1, 0)

afterEach(() => {
  vi.doUnmock('mathjs')
})

describe('a precise certificate', () => {
  it('agrees with certify on every penalty, bias and number of outputs', () =>
    fc.assert(
      fc.asyncProperty(drawn, async ({ problem, program, coefficients }) => {
        const float = certify(program, { coefficients })
        const precise = await preciseCertificate(problem, coefficients)
        const scale = float.primal
        close(precise.primal, float.primal, scale)
        close(precise.dual, float.dual, scale)
        close(precise.gap, float.gap, scale)
        expect(precise.signChanges).toBe(0)
      }),
      { numRuns: 300 },
    ))

  it('agrees with certify on a dual point from elsewhere', () =>
    fc.assert(
      fc.asyncProperty(drawn, async ({ problem, program, coefficients }) => {
        const { certificate, dual } = certifier(program)({ coefficients })
        const precise = await preciseCertificate(problem, new Float64Array(coefficients.length), { dual })
        close(precise.dual, certificate.dual, certificate.primal + Number(precise.primal))
      }),
      { numRuns: 100 },
    ))

  it('has the same first 29 digits at a precision of 30 and of 64', () =>
    fc.assert(
      fc.asyncProperty(drawn, async ({ problem, coefficients }) => {
        const [low, high] = await Promise.all(
          [30, 64].map((precision) => preciseCertificate(problem, coefficients, { precision })),
        )
        for (const name of ['primal', 'dual', 'dualNorm', 'scale'] as const) {
          const error = decimal(low![name]).minus(decimal(high![name])).abs()
          expect(error.lessThanOrEqualTo(decimal(high![name]).times('1e-29'))).toBe(true)
        }
      }),
      { numRuns: 60 },
    ))

  it('is the exact fractions of an example by hand', async () => {
    const { primal, dual, gap, dualNorm, scale } = await preciseCertificate(byHand, byHandAt)
    expect(primal).toBe('0.75')
    expect(dual).toBe(`0.63${'8'.repeat(61)}9`) // 23/36
    expect(gap).toBe(`0.${'1'.repeat(64)}`) // 1/9
    expect(dualNorm).toBe('1.5')
    expect(scale).toBe('0.' + '3'.repeat(64)) // 1/3
  })

  it('sees a perturbation that float64 does not', async () => {
    // x = (1, 2), y = (1, 3), lambda = 1: u = 1 is optimal with objective 5/4, and curvature 5/2 around it.
    const problem = { ...byHand, X: fromRows([[1], [2]]), Y: fromRows([[1], [3]]), lambda: 1 }
    const gates = gatesFrom(problem.gates.vectors, problem.X)
    const program = gatedReluProgram({ X: problem.X, y: problem.Y, gates, lambda: 1 })
    const perturbed = Float64Array.of(1 + 2 ** -30, 0)
    expect(certify(program, { coefficients: perturbed }).primal).toBe(1.25)
    const optimal = await preciseCertificate(problem, Float64Array.of(1, 0))
    expect([optimal.primal, optimal.dual, optimal.gap, optimal.relativeGap]).toEqual(['1.25', '1.25', '0', 0])
    const off = await preciseCertificate(problem, perturbed)
    expect(decimal(off.primal).minus('1.25').toString()).toBe(decimal('2').pow(-60).times('1.25').toString())
    expect(Number(off.gap)).toBeGreaterThan(0)
  })

  it('takes float64 entries for what they are, not for what they print as', async () => {
    // 0.1 is 3602879701896397 / 2^55; the loss of the zero network is half its square.
    const problem = { ...byHand, X: fromRows([[1]]), Y: fromRows([[0.1]]) }
    const { primal } = await preciseCertificate(problem, new Float64Array(2), { precision: 200 })
    expect(primal).toBe(decimals.bignumber(`${3602879701896397n ** 2n * 5n ** 111n}e-111`).toFixed())
  })

  it('tells groups apart that are equal in float64', async () => {
    const problem: PreciseProblem = {
      X: fromRows([[1], [2 ** -60]]),
      Y: fromRows([[1], [1]]),
      gates: {
        bias: true,
        vectors: fromRows([
          [1, -(2 ** -30)],
          [1, 0],
        ]),
      },
      lambda: 0.125,
    }
    const { dualNorm, candidates } = await preciseCertificate(problem, new Float64Array(2))
    expect(candidates).toBe(2)
    expect(dualNorm).toBe(decimal('2').pow(-60).plus(1).dividedBy(2).toFixed())
  })

  it('computes few norms exactly, and misses none that matters', async () => {
    const { problem, program, coefficients } = draw({
      n: 60,
      d: 3,
      c: 1,
      P: 80,
      seed: 4,
      whole: false,
      penalty: 'group-l1',
      bias: false,
    })
    const float = certify(program, { coefficients })
    const precise = await preciseCertificate(problem, coefficients)
    expect(precise.candidates).toBeLessThan(5)
    close(precise.dual, float.dual, float.primal)
  })

  it('bounds nothing at lambda = 0', async () => {
    for (const penalty of names) {
      const { primal, dual, scale } = await preciseCertificate({ ...byHand, penalty, lambda: 0 }, byHandAt)
      expect([primal, dual, scale]).toEqual(['0.25', '0', '0'])
    }
  })
})

describe('the patterns of a precise certificate', () => {
  it('follow the exact sign where float64 has another', async () => {
    // In float64, 3 * 0.1 rounds up to 0.30000000000000004, and the gate is on by 0; exactly it is off by 2.8e-17.
    const problem: PreciseProblem = {
      X: fromRows([[0.1]]),
      Y: fromRows([[1]]),
      gates: { vectors: fromRows([[3, -0.30000000000000004]]), bias: true },
      lambda: 0.25,
    }
    const exact = await preciseCertificate(problem, Float64Array.of(10))
    expect([exact.ambiguousGates, exact.signChanges, exact.primal]).toEqual([1, 1, '3'])
    const float = await preciseCertificate(problem, Float64Array.of(10), { patterns: 'float64' })
    expect([float.ambiguousGates, float.signChanges, Number(float.primal)]).toEqual([1, 1, 2.5])
  })

  it('are on at zero, whatever the sign of the zero', async () => {
    const problem: PreciseProblem = { ...byHand, X: fromRows([[0], [-0]]) }
    const { ambiguousGates, signChanges } = await preciseCertificate(problem, byHandAt)
    expect([ambiguousGates, signChanges]).toEqual([4, 0])
  })

  it('can be those of float64, for gates whose boundary runs through a row', async () => {
    const draws = random(5)
    const X = matrix(
      30,
      3,
      Float64Array.from({ length: 90 }, () => draws.normal()),
    )
    const Y = matrix(
      30,
      1,
      Float64Array.from({ length: 30 }, () => draws.normal()),
    )
    // The offset is -x'g of a row, rounded: exactly, the row is off in about half of them.
    const vectors = Array.from({ length: 20 }, (_, i) => {
      const g = [draws.normal(), draws.normal(), draws.normal()]
      const product = g.reduce((total, entry, j) => total + X.data[3 * i + j]! * entry, 0)
      return [...g, -product]
    })
    const gates = gatesFrom(vectors, X)
    const coefficients = Float64Array.from({ length: 80 }, () => draws.normal() / 8)
    const float = certify(gatedReluProgram({ X, y: Y, gates, lambda: 0.1, bias: true }), { coefficients })
    const problem: PreciseProblem = { X, Y, gates, lambda: 0.1, bias: true }
    const precise = await preciseCertificate(problem, coefficients, { patterns: 'float64' })
    expect(precise.signChanges).toBeGreaterThan(0)
    close(precise.primal, float.primal, float.primal)
    close(precise.dual, float.dual, float.primal)
  })
})

describe('the work of a precise certificate', () => {
  const long = draw({ n: 200, d: 6, c: 1, P: 300, seed: 1, whole: false, penalty: 'ridge', bias: false })

  it('is reported, and stops when aborted', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const stages: string[] = []
    const onProgress = ({ stage, fraction }: { stage: string; fraction: number }): void => {
      stages.push(stage)
      expect(fraction).toBeGreaterThanOrEqual(0)
      expect(fraction).toBeLessThanOrEqual(1)
      abort.abort(reason)
    }
    const { problem, coefficients } = long
    const work = preciseCertificate(problem, coefficients, { signal: abort.signal, onProgress })
    await expect(work).rejects.toBe(reason)
    expect(stages).toHaveLength(1)
  })

  it('does not start when aborted before', async () => {
    const reason = new Error('enough')
    await expect(preciseCertificate(byHand, byHandAt, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('asks for mathjs in one sentence when it is not installed', async () => {
    vi.doMock('mathjs', () => {
      throw new Error('Cannot find package')
    })
    await expect(preciseCertificate(byHand, byHandAt)).rejects.toThrow(/mathjs.*run npm install mathjs/)
  })
})

describe('the input of a precise certificate', () => {
  const wrong: [string, Partial<PreciseProblem>, RegExp][] = [
    ['rows of Y', { Y: fromRows([[1]]) }, /Y has 1 rows and X has 2/],
    ['gates of other data', { gates: { vectors: fromRows([[1, 2]]), bias: false } }, /a gate has 2 entries/],
    ['more gates', { gates: { vectors: fromRows([[1], [1], [1]]), bias: false } }, /2 coefficients, expected 3/],
    ['NaN in X', { X: nan() }, /X has NaN in row 1, column 0/],
    ['a negative lambda', { lambda: -1 }, /lambda is -1/],
    ['an unknown penalty', { penalty: 'nuclear' as PrecisePenalty }, /penalty is 'nuclear', expected one of group-l1/],
  ]
  for (const [name, change, message] of wrong)
    it(`is refused with ${name}`, () =>
      expect(preciseCertificate({ ...byHand, ...change }, byHandAt)).rejects.toThrow(message))

  it('is refused when the point, the dual point or the precision does not fit', async () => {
    await expect(preciseCertificate(byHand, Float64Array.of(1, Number.NaN))).rejects.toThrow(/coefficient 1 is NaN/)
    await expect(preciseCertificate(byHand, byHandAt, { dual: new Float64Array(3) })).rejects.toThrow(/has 3 entries/)
    await expect(preciseCertificate(byHand, byHandAt, { precision: 8 })).rejects.toThrow(/precision is 8/)
  })
})

function nan(): Matrix {
  return fromRows([[1], [Number.NaN]])
}
