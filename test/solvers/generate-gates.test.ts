import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import {
  certify,
  enumerateGates,
  fromRows,
  type GenerationRound,
  gatesOf,
  generateGates,
  globalCertificate,
  lambdaMax,
  logistic,
  type Matrix,
  matrix,
  reluNetwork,
  reluProgram,
  sampleGates,
  solveGlobal,
  solveGlobalSync,
  solveSync,
  verifyGlobal,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { multiStart, networkOf, trainAdam } from '../baselines/adam.ts'

const problem = fc.record({
  rows: fc.integer({ min: 2, max: 12 }),
  features: fc.integer({ min: 1, max: 3 }),
  bias: fc.constantFrom(false, true, 'unpenalised' as const),
  ratio: fc.constantFrom(1.2, 0.999, 0.3, 0.1, 0.03, 0.01),
  kind: fc.constantFrom('normal', 'duplicated rows', 'zero row', 'small whole numbers'),
  seed: fc.integer({ min: 1, max: 1e6 }),
})
type Problem = Omit<typeof problem extends fc.Arbitrary<infer T> ? T : never, 'ratio'>

function data({ rows, features, kind, seed }: Problem): { X: Matrix; y: number[] } {
  const draws = random(seed)
  const X = matrix(rows, features)
  for (let k = 0; k < X.data.length; k++)
    X.data[k] = kind === 'small whole numbers' ? draws.below(5) - 2 : draws.normal()
  if (kind === 'duplicated rows') X.data.copyWithin(features, 0, features)
  if (kind === 'zero row') X.data.fill(0, 0, features)
  return { X, y: Array.from({ length: rows }, () => draws.normal()) }
}

describe('solveGlobal', () => {
  test.prop([problem], { numRuns: 50 })('ends where listing all patterns ends, to 1e-8', (given) => {
    const { X, y } = data(given)
    const { bias } = given
    if (X.data.every((entry) => entry === 0)) return
    const all = reluProgram({ X, y, bias, gates: enumerateGates(X, { bias: bias === true }), lambda: 1 })
    const lambda = given.ratio * lambdaMax(all)
    if (!(lambda > 1e-6)) return
    const listed = solveSync({ ...all, lambda }, { tolerance: 1e-10 })
    const few = reluProgram({ X, y, bias, gates: sampleGates(X, { count: 2, seed: given.seed }), lambda })
    const found = solveGlobalSync(few, { tolerance: 1e-9, starts: 16, maxStarts: 64, seed: given.seed })
    expect(found.status).toBe('solved')
    expect(found.certificate.verdict).toBe('proved')
    const { primal } = found.certificate
    expect(Math.abs(primal - listed.certificate.primal)).toBeLessThanOrEqual(1e-8 * (1 + primal))
    // The answer stands on its own: certified over its own patterns, and again over all.
    expect(certify(found.program, found).relativeGap).toBeLessThanOrEqual(1e-8)
    expect(globalCertificate(found.program, found, { tolerance: 1e-8 }).verdict).toBe('proved')
    expect(found.program.networkObjective!(found.model)).toBeCloseTo(primal, 9)
  })

  it('is never beaten by Adam, which the bound is below of', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { X, y } = data({ rows: 10, features: 2, bias: false, kind: 'normal', seed })
      const targets = Float64Array.from(y)
      const few = reluProgram({ X, y, gates: sampleGates(X, { count: 3 }), lambda: 1 })
      const lambda = 0.1 * lambdaMax(few)
      const { certificate } = solveGlobalSync({ ...few, lambda })
      const runs = multiStart(trainAdam, { X, y: targets, lambda }, { width: 20, steps: 400, rate: 0.05, seed }, 3)
      for (const run of runs) expect(run.lowest).toBeGreaterThan(certificate.dual * (1 - 1e-12))
    }
  })

  it('takes other losses: the logistic one, proved over all networks', async () => {
    const { X } = data({ rows: 40, features: 3, bias: false, kind: 'normal', seed: 5 })
    const y = Array.from({ length: 40 }, (_, r) => (X.data[3 * r]! * X.data[3 * r + 1]! > 0 ? 1 : -1))
    const program = reluProgram({ X, y, loss: logistic(), gates: sampleGates(X, { count: 5 }), lambda: 1 })
    const found = await solveGlobal({ ...program, lambda: 0.05 * lambdaMax(program) }, { tolerance: 1e-5 })
    expect(found.status).toBe('solved')
    expect(found.certificate.verdict).toBe('proved')
  })

  it('with several outputs is the sum of what each comes to alone', () => {
    const { X, y } = data({ rows: 12, features: 3, bias: false, kind: 'normal', seed: 21 })
    const other = y.map((_, r) => y[(5 * r + 3) % 12]!)
    const gates = sampleGates(X, { count: 3 })
    const options = { tolerance: 1e-8, starts: 32 }
    const lambda = 0.02
    const together = solveGlobalSync(reluProgram({ X, y: y.map((a, r) => [a, other[r]!]), gates, lambda }), options)
    expect(together.certificate).toMatchObject({ verdict: 'proved', scope: 'program' })
    // The loss is a mean over outputs too, so that alone lambda weighs twice.
    const alone = [y, other].map((targets) =>
      solveGlobalSync(reluProgram({ X, y: targets, gates, lambda: 2 * lambda }), options),
    )
    const sum = alone.reduce((total, { certificate }) => total + certificate.primal / 2, 0)
    expect(Math.abs(together.certificate.primal - sum)).toBeLessThanOrEqual(1e-7 * sum)
  })

  it('is the same for the same seed, and drops patterns that stay idle', () => {
    const { X, y } = data({ rows: 60, features: 5, bias: false, kind: 'normal', seed: 7 })
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 150 }), lambda: 1 })
    const at = { ...program, lambda: 0.1 * lambdaMax(program) }
    const [one, two] = [solveGlobalSync(at, { seed: 3 }), solveGlobalSync(at, { seed: 3 })]
    expect(one.coefficients).toEqual(two.coefficients)
    expect(one.rounds).toBe(two.rounds)
    expect(one.certificate.verdict).toBe('proved')
    expect(one.program.operator.columns).toBeLessThan(150 * program.blocks!.size)
  })

  it('tells of its rounds: the objective falls, the bound stays below it', async () => {
    const { X, y } = data({ rows: 50, features: 3, bias: false, kind: 'normal', seed: 9 })
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 4 }), lambda: 1 })
    const rounds: GenerationRound[] = []
    const walking = generateGates({ ...program, lambda: 0.05 * lambdaMax(program) })
    for (;;) {
      const at = await walking.next()
      if (at.done) {
        expect(at.value.rounds).toBe(rounds.length)
        break
      }
      rounds.push(at.value)
    }
    expect(rounds.length).toBeGreaterThan(2)
    for (const [k, { objective, bound, round, added, gates }] of rounds.entries()) {
      expect(round).toBe(k + 1)
      expect(bound).toBeLessThanOrEqual(objective * (1 + 1e-12))
      if (k > 0) expect(objective).toBeLessThanOrEqual(rounds[k - 1]!.objective * (1 + 2e-3))
      if (k > 0 && rounds[k - 1]!.added === 0) expect(added + gates).toBeGreaterThan(0)
    }
    expect(rounds.at(-1)!.price).toBeLessThanOrEqual(1 + 1e-6)
  })

  it('aborted or out of time returns what it has, with a bound that holds', async () => {
    const { X, y } = data({ rows: 80, features: 4, bias: false, kind: 'normal', seed: 11 })
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 4 }), lambda: 1 })
    const at = { ...program, lambda: 0.02 * lambdaMax(program) }
    const optimum = solveGlobalSync(at).certificate
    const stop = new AbortController()
    const aborted = await solveGlobal(at, {
      signal: stop.signal,
      onProgress: ({ round }) => round === 2 && stop.abort(),
    })
    expect(aborted.status).toBe('aborted')
    const late = solveGlobalSync(at, { timeLimit: 1e-3 })
    expect(late.status).toBe('time-limit')
    const short = solveGlobalSync(at, { maxRounds: 2 })
    expect(short.status).toBe('iteration-limit')
    for (const { certificate, model, program: its } of [aborted, late, short]) {
      expect(certificate.dual).toBeLessThanOrEqual(optimum.primal)
      expect(certificate.primal).toBeGreaterThanOrEqual(optimum.dual)
      expect(its.networkObjective!(model)).toBeCloseTo(certificate.primal, 9)
    }
  })

  it('refuses what it cannot take, in a sentence', async () => {
    const { X, y } = data({ rows: 5, features: 2, bias: false, kind: 'normal', seed: 1 })
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 2 }), lambda: 0.1 })
    expect(() => solveGlobalSync({ ...program, lambda: 0 })).toThrow(/^solveGlobal: lambda is 0, expected above 0/)
    expect(() => solveGlobalSync(program, { tolerance: 0 })).toThrow(/tolerance is 0/)
    expect(() => solveGlobalSync(program, { starts: 1.5 })).toThrow(/starts is 1.5/)
    expect(() => solveGlobalSync(program, { maxNodes: -1 })).toThrow(/maxNodes is -1/)
    await expect(solveGlobal(program, { timeLimit: 0 })).rejects.toThrow(/timeLimit is 0/)
  })
})

describe('verifyGlobal', () => {
  const X = fromRows(Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]))
  const y = Array.from({ length: 30 }, (_, i) => Math.abs(Math.sin(i)) - 0.3 * Math.cos(2 * i))
  const lambda = 0.01

  it('says how far a network trained by Adam is above the best of any width', async () => {
    const [run] = multiStart(
      trainAdam,
      { X, y: Float64Array.from(y), lambda },
      { width: 6, steps: 200, rate: 0.05, seed: 1 },
      1,
    )
    const network = networkOf({ X, y: Float64Array.from(y), lambda }, run!.weights)
    const program = reluProgram({ X, y, gates: gatesOf(network, X), lambda })
    const seen = await verifyGlobal(program, network)
    expect(seen.network).toBeCloseTo(program.networkObjective!(network)!, 12)
    expect(seen.balanced).toBeLessThanOrEqual(seen.network * (1 + 1e-12))
    expect(seen.excess).toBeGreaterThan(1e-4)
    expect(seen.excess).toBeCloseTo((seen.network - seen.lowerBound) / seen.lowerBound, 12)
    expect(seen.leastExcess).toBeLessThanOrEqual(seen.excess)
    expect(seen.best.certificate.verdict).toBe('proved')
    expect(seen.statement).toMatch(/^the network's objective is .* % above the best of any width \(proved/)
  })

  it('finds nothing above the best network itself', async () => {
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 5 }), lambda })
    const { model, program: own } = await solveGlobal(program, { tolerance: 1e-8 })
    const { excess, leastExcess } = await verifyGlobal(own, model)
    expect(excess).toBeLessThan(2e-6)
    expect(leastExcess).toBeLessThan(1e-6)
  })

  it('refuses a network that the program has no patterns for', async () => {
    const stranger = reluNetwork({
      W1: matrix(1, 2, Float64Array.of(0.3, -1)),
      b1: new Float64Array(1),
      W2: matrix(1, 1, Float64Array.of(1)),
      intercept: new Float64Array(1),
    })
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 1 }), lambda })
    await expect(verifyGlobal(program, stranger)).rejects.toThrow(/gatesOf\(network, X, gates\)/)
  })
})
