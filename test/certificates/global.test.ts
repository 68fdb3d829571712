import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  enumerateGates,
  gatedReluProgram,
  gatesFrom,
  globalCertificate,
  globalLambdaMax,
  huber,
  type LossChoice,
  lambdaMax,
  logistic,
  matrix,
  type ReluNetwork,
  reluProgram,
  sampleGates,
  solveSync,
  squared,
  squaredHinge,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

const losses: Record<string, LossChoice> = {
  squared: squared(),
  logistic: logistic(),
  huber: huber({ delta: 0.5 }),
  'squared hinge': squaredHinge(),
}

const problem = fc.record({
  rows: fc.integer({ min: 2, max: 12 }),
  features: fc.integer({ min: 1, max: 3 }),
  bias: fc.constantFrom(false, true, 'unpenalised' as const),
  loss: fc.constantFrom(...Object.keys(losses)),
  ratio: fc.constantFrom(1.5, 0.5, 0.1, 0.02),
  seed: fc.integer({ min: 1, max: 1e6 }),
})
type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never

/** The program over all patterns, and the same over two of them. */
function made({ rows, features, bias, loss, ratio, seed }: Problem): Record<'all' | 'few', ConvexProgram<ReluNetwork>> {
  const draws = random(seed)
  const X = matrix(rows, features)
  for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
  const y = Array.from({ length: rows }, (_, r) =>
    loss === 'squared' || loss === 'huber' ? draws.normal() : (r % 2) * 2 - 1,
  )
  const gates = enumerateGates(X, { bias: bias === true })
  const shape = { X, y, bias, loss: losses[loss]! }
  const all = reluProgram({ ...shape, gates, lambda: 1 })
  const lambda = Math.max(ratio * lambdaMax(all), 1e-3)
  const two = gates.vectors.data.slice(0, 2 * gates.vectors.columns)
  const few = gatesFrom(
    matrix(
      Math.min(2, gates.count),
      gates.vectors.columns,
      two.slice(0, Math.min(2, gates.count) * gates.vectors.columns),
    ),
    X,
  )
  return { all: { ...all, lambda }, few: reluProgram({ ...shape, gates: few, lambda }) }
}

describe('a certificate over all networks', () => {
  test.prop([problem], { numRuns: 40 })('proves an optimum over all patterns', (given) => {
    const { all } = made(given)
    const found = solveSync(all, { tolerance: 1e-9 })
    if (found.status !== 'solved') return
    const { verdict, relativeGap, dual, scope, price } = globalCertificate(all, found, { tolerance: 1e-5, starts: 16 })
    expect(verdict).toBe('proved')
    expect(relativeGap).toBeLessThanOrEqual(1e-5)
    expect(scope).toBe('network')
    expect(dual).toBeLessThanOrEqual(found.certificate.primal * (1 + 1e-12) + 1e-15)
    expect(price.upper).toBeGreaterThanOrEqual(price.lower)
  })

  test.prop([problem, fc.integer({ min: 0, max: 40 })], { numRuns: 40 })(
    'bounds the optimum over all patterns from any point, however little it is given to do',
    (given, maxNodes) => {
      const { all, few } = made(given)
      const optimum = solveSync(all, { tolerance: 1e-9 }).certificate
      const draws = random(given.seed)
      const anywhere = Float64Array.from({ length: few.operator.columns }, () => 0.3 * draws.normal())
      for (const coefficients of [anywhere, solveSync(few).coefficients, new Float64Array(few.operator.columns)]) {
        const found = globalCertificate(few, { coefficients }, { maxNodes, starts: 4 })
        expect(found.dual).toBeLessThanOrEqual(optimum.primal + 1e-9 * Math.abs(optimum.primal))
        expect(found.primal).toBeCloseTo(certify(few, { coefficients }).primal, 12)
        expect(found.gap).toBe(found.primal - found.dual)
        if (found.verdict === 'proved') expect(found.primal).toBeLessThanOrEqual(optimum.primal * (1 + 2e-6) + 1e-12)
      }
    },
  )

  test.prop([problem], { numRuns: 40 })('says violated only when adding the neuron lowers the objective', (given) => {
    const { few } = made(given)
    const found = solveSync(few, { tolerance: 1e-10 })
    const { verdict, violations } = globalCertificate(few, found, { tolerance: 1e-3, starts: 16 })
    if (verdict !== 'violated') return
    const more = few.extend!(matrix(1, violations[0]!.direction.length, violations[0]!.direction))
    const better = solveSync(more, { tolerance: 1e-10 })
    expect(better.certificate.primal).toBeLessThan(found.certificate.primal)
  })

  it('never calls a search a proof: where the rank is high, the verdict and the sentence say so', () => {
    const draws = random(3)
    const X = matrix(60, 25)
    for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
    const y = Array.from({ length: 60 }, () => draws.normal())
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 10 }), lambda: 10 })
    const { verdict, statement, nodes, relativeGap, dual } = globalCertificate(program, {
      coefficients: new Float64Array(program.operator.columns),
    })
    // At a lambda so large the crude bound is a proof.
    expect(verdict).toBe('proved')
    expect(relativeGap).toBeLessThanOrEqual(1e-12)
    const smaller = { ...program, lambda: 0.9 * lambdaMax(program) }
    const searched = globalCertificate(smaller, solveSync(smaller), { starts: 50, tolerance: 1e-6 })
    expect(nodes + searched.nodes).toBe(0)
    expect(['searched', 'violated']).toContain(searched.verdict)
    expect(searched.dual).toBeLessThanOrEqual(searched.primal)
    expect(dual).toBeGreaterThan(0)
    expect(statement).toMatch(/^proved: no network of any width is better/)
    if (searched.verdict === 'searched') expect(searched.statement).toMatch(/which is no proof/)
  })

  it('says how much was proved when branch and bound ends early', () => {
    const { all } = made({ rows: 12, features: 3, bias: false, loss: 'squared', ratio: 0.02, seed: 4 })
    const found = solveSync(all, { tolerance: 1e-9 })
    const { verdict, statement, relativeGap } = globalCertificate(all, found, { maxNodes: 8, starts: 16 })
    expect(verdict).toBe('bounded')
    expect(relativeGap).toBeGreaterThan(1e-6)
    expect(statement).toMatch(/^proved to .* branch and bound ended early$/)
  })

  test.prop([problem], { numRuns: 30 })('begins at the lambda from which on zero is optimal', (given) => {
    const { all, few } = made(given)
    const { lower, upper } = globalLambdaMax(few, { starts: 16 })
    const top = lambdaMax(all)
    expect(lower).toBeLessThanOrEqual(upper)
    expect(Math.abs(lower - top)).toBeLessThanOrEqual(1e-9 * (1 + top))
    expect(Math.abs(upper - top)).toBeLessThanOrEqual(1e-9 * (1 + top))
    expect(lambdaMax(few)).toBeLessThanOrEqual(upper)
  })

  it('is refused where there is none, in a sentence', () => {
    const X = matrix(3, 2, Float64Array.of(1, 2, -1, 1, 0, 3))
    const gates = enumerateGates(X)
    const at = (program: ConvexProgram): (() => unknown) => {
      const coefficients = new Float64Array(program.operator.columns)
      return () => globalCertificate(program, { coefficients })
    }
    expect(at(gatedReluProgram({ X, y: [1, 2, 3], gates, lambda: 0.1 }))).toThrow(
      'globalCertificate: the gated-relu program is given, expected one of ReLU neurons; pass a reluProgram({ ... }).',
    )
    expect(at(reluProgram({ X, y: [1, 2, 3], gates, lambda: 0 }))).toThrow(/lambda is 0, expected above 0/)
  })

  it.each([
    [{ tolerance: 1 }, 'tolerance is 1, expected above 0 and below 1; pass for example 1e-6.'],
    [{ tolerance: Number.NaN }, 'tolerance is NaN, expected above 0 and below 1; pass for example 1e-6.'],
    [{ starts: 1.5 }, 'starts is 1.5, expected a whole number of at least 0; pass for example 1000.'],
    [{ maxNodes: Number.NaN }, 'maxNodes is NaN, expected a whole number of at least 0; pass for example 1000.'],
  ])('takes no options that would make a proof of anything, or never end: %o', (options, sentence) => {
    const X = matrix(3, 2, Float64Array.of(1, 2, -1, 1, 0, 3))
    const program = reluProgram({ X, y: [1, 2, 3], gates: enumerateGates(X), lambda: 0.1 })
    const coefficients = new Float64Array(program.operator.columns)
    expect(() => globalCertificate(program, { coefficients }, options)).toThrow(
      new RangeError(`globalCertificate: ${sentence}`),
    )
  })
})

describe('extend', () => {
  it('adds patterns that are not there yet, after those that are, and keeps lambda', () => {
    const X = matrix(3, 2, Float64Array.of(1, 2, -1, 1, 0, 3))
    const program = reluProgram({ X, y: [1, 2, 3], gates: sampleGates(X, { count: 1 }), lambda: 0.1 })
    const all = enumerateGates(X)
    const more = { ...program, lambda: 0.05 }.extend!(all.vectors)
    expect(more.lambda).toBe(0.05)
    expect(more.operator.columns / more.blocks!.size).toBe(all.count)
    expect(more.extend!(all.vectors).operator.columns).toBe(more.operator.columns)
    // What the first blocks stand for stays what it was.
    const u = Float64Array.from({ length: program.operator.columns }, (_, k) => k + 1)
    const wide = new Float64Array(more.operator.columns)
    wide.set(u)
    expect(more.operator.apply(wide)).toEqual(program.operator.apply(u))
    expect(() => program.extend!(matrix(1, 3))).toThrow(/a neuron has 3 weights, expected 2/)
    expect(() => program.extend!(matrix(1, 2, Float64Array.of(1, Number.NaN)))).toThrow(/neurons/)
  })

  it('gives neurons a bias where the program has one, whatever the gates had', () => {
    const X = matrix(4, 1, Float64Array.of(-1, 0.5, 1, 2))
    const program = reluProgram({ X, y: [1, 0, 0, 1], gates: sampleGates(X, { count: 2 }), lambda: 0.01, bias: true })
    const kink = program.extend!(matrix(1, 2, Float64Array.of(1, -0.75)))
    const { status, model } = solveSync(kink)
    expect(status).toBe('solved')
    expect(model.b1.some((entry) => entry !== 0)).toBe(true)
  })
})
