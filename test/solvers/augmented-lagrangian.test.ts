import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { augmentedLoss } from '../../solvers/augmented-lagrangian.ts'
import {
  augmentedLagrangian,
  type ConvexProgram,
  type ConvexSet,
  certify,
  fromRows,
  gatedReluProgram,
  gatesFrom,
  groupL1,
  type Iterate,
  type LinearOperator,
  lambdaMax,
  matrix,
  proximalGradient,
  reluProgram,
  type Solution,
  type Solver,
  solve,
  solveSync,
  type Vector,
} from '../../src/index.ts'
import { squared } from '../../src/losses/squared.ts'
import { random } from '../../src/numerics/random.ts'
import { dot, norm, plus, squaredDistance } from '../../src/numerics/vectors.ts'
import { denseOperator as dense } from '../../src/operators/dense.ts'
import { nonnegative } from '../../src/sets/nonnegative.ts'

/** A ReLU program on normal data; `twice` repeats every row, `whole` rounds, so that rows lie on boundaries of gates. */
function example(
  seed: number,
  rows: number,
  columns: number,
  count: number,
  ratio: number,
  kind: Kind = 'plain',
): ConvexProgram {
  const { X, y, G } = data(seed, rows, columns, count, kind)
  const program = reluProgram({ X, y, gates: gatesFrom(G, X), lambda: 1 })
  return { ...program, lambda: ratio * lambdaMax(program) }
}

type Kind = 'plain' | 'twice' | 'whole' | 'rank one'

function data(seed: number, rows: number, columns: number, count: number, kind: Kind) {
  const draws = random(seed)
  const X = matrix(rows, columns)
  for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
  if (kind === 'whole') for (let k = 0; k < X.data.length; k++) X.data[k] = Math.round(X.data[k]!)
  if (kind === 'twice') X.data.copyWithin((rows >> 1) * columns, 0, (rows >> 1) * columns)
  if (kind === 'rank one')
    for (let k = 0; k < X.data.length; k++) X.data[k] = X.data[k - (k % columns)]! * ((k % columns) + 1)
  const y = Float64Array.from({ length: rows }, draws.normal)
  const G = matrix(count, columns)
  for (let k = 0; k < G.data.length; k++) G.data[k] = kind === 'whole' ? draws.below(5) - 2 || 1 : draws.normal()
  return { X, y, G }
}

/** Solves, and keeps a copy of the last iterate as the solver yielded it, before any repair. */
function solveRaw(program: ConvexProgram, options: { start?: Iterate; tolerance?: number } = {}) {
  let raw: Required<Omit<Iterate, 'dual'>> | undefined
  const method = augmentedLagrangian()
  const solver: Solver = {
    ...method,
    *iterate(of, start) {
      for (const { coefficients, fit, multipliers } of method.iterate(of, start)) {
        raw = { coefficients: coefficients.slice(), fit: fit!.slice(), multipliers: multipliers!.slice() }
        yield raw
      }
    },
  }
  const solution = solveSync(program, { solver, tolerance: 1e-8, maxIterations: 100_000, ...options })
  return { solution, raw: raw! }
}

/** Largest (-Gu)_+ over the norm of u. */
function violation({ constraint }: ConvexProgram, u: Vector): number {
  return constraint!.set.violation(constraint!.operator.apply(u)) / (norm(u) || 1)
}

const SMALL: [string, ConvexProgram, budget: number][] = [
  ['normal data, 0.3 lambda_max', example(1, 20, 3, 12, 0.3), 2500],
  ['normal data, 0.01 lambda_max', example(2, 20, 3, 12, 0.01), 12_000],
  ['normal data, 0.001 lambda_max', example(3, 12, 2, 8, 0.001), 30_000],
  ['duplicated rows', example(4, 24, 4, 20, 0.05, 'twice'), 8000],
  ['rows on the boundaries of gates', example(5, 20, 2, 15, 0.1, 'whole'), 8000],
  ['inputs of rank one', example(6, 15, 3, 10, 0.1, 'rank one'), 2500],
  ['one feature', example(7, 10, 1, 4, 0.5), 1000],
]

// The same problems every time: at small lambda on degenerate data this method can run out of iterations, which is a
// status and no error; these tests are about the problems that it solves.
fc.configureGlobal({ seed: 1 })

describe('augmentedLagrangian', () => {
  for (const [name, program, budget] of SMALL)
    it(`agrees with proximal gradient to a gap of 1e-8: ${name}`, () => {
      const { solution, raw } = solveRaw(program)
      expect(solution.status).toBe('solved')
      expect(solution.iterations).toBeLessThanOrEqual(budget)
      expect(solution.certificate.relativeGap).toBeLessThanOrEqual(1e-8)
      const exact = solveSync(program, { solver: proximalGradient(), tolerance: 1e-10 }).certificate.primal
      expect(Math.abs(solution.certificate.primal - exact)).toBeLessThanOrEqual(1.1e-8 * exact)
      expect(raw.fit).toEqual(program.operator.apply(raw.coefficients))
    })

  const folder = new URL('../golden/two-layer/', import.meta.url)
  for (const file of readdirSync(folder).filter((name) => name.startsWith('relu_') && !name.includes('r0p001')))
    it(`reaches the reference optimum of ${file}, and its own iterate is feasible to 1e-8`, () => {
      const { X, y, G, P, d, lambda, optimum } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
      const vectors = matrix(P, d)
      for (let i = 0; i < P; i++) for (let j = 0; j < d; j++) vectors.data[i * d + j] = G[j][i]
      const inputs = fromRows(X)
      const program = reluProgram({ X: inputs, y, gates: gatesFrom(vectors, inputs), lambda })
      const { solution, raw } = solveRaw(program)
      expect(solution.status).toBe('solved')
      expect(solution.iterations).toBeLessThanOrEqual(10_000)
      expect(Math.abs(solution.certificate.primal - optimum.objective)).toBeLessThan(1e-8 * optimum.objective)
      if (raw) expect(violation(program, raw.coefficients)).toBeLessThan(1e-8)
    })

  it('solves random programs, and its multipliers have their sign and are complementary', () =>
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 3, max: 20 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0.03, 0.1, 0.3, 0.9),
        fc.constantFrom<Kind>('plain', 'twice', 'whole', 'rank one'),
        (seed, rows, columns, count, ratio, kind) => {
          const program = example(seed, rows, columns, count, ratio, kind)
          fc.pre(program.lambda > 0)
          const { solution, raw } = solveRaw(program)
          expect(solution.status).toBe('solved')
          const { operator: cone } = program.constraint!
          expect(raw.multipliers.every((entry) => entry <= 0)).toBe(true)
          // gamma'Gu = 0, relative to F(0), the yardstick of the certificate's own complementarity.
          const complementarity = dot(raw.multipliers, cone.apply(raw.coefficients))
          expect(Math.abs(complementarity)).toBeLessThan(1e-3 * lossAtZero(program))
        },
      ),
      { numRuns: 60 },
    ))

  it("ends with multipliers that close the dual: |A_b'dF + G_b'gamma| <= lambda for every block", () => {
    const program = example(1, 20, 3, 12, 0.3)
    const { raw } = solveRaw(program, { tolerance: 1e-12 })
    const { operator: cone, penalty } = program.constraint!
    const slope = program.operator.adjoint(program.loss.gradient(raw.fit))
    const total = plus(slope, 1, cone.adjoint(raw.multipliers))
    expect(penalty.polar(total)).toBeLessThan(program.lambda * (1 + 1e-7))
    expect(Math.abs(dot(raw.multipliers, cone.apply(raw.coefficients)))).toBeLessThan(1e-10 * lossAtZero(program))
    expect(raw.multipliers.some((entry) => entry < 0)).toBe(true)
    expect(violation(program, raw.coefficients)).toBeLessThan(1e-8)
  })

  it('needs less than half the iterations from a start with multipliers', () => {
    const program = example(2, 20, 3, 12, 0.01)
    const cold = solveSync(program, { solver: augmentedLagrangian(), tolerance: 1e-7 })
    const near = { ...program, lambda: program.lambda * 1.0001 }
    const again = solveSync(near, { solver: augmentedLagrangian(), tolerance: 1e-7 })
    const warm = solveSync(near, { solver: augmentedLagrangian(), tolerance: 1e-7, start: cold })
    expect(warm.status).toBe('solved')
    expect(warm.iterations).toBeLessThan(again.iterations / 2)
  })

  it('walks on to a feasible iterate where the certificate, which repairs, is satisfied sooner', () => {
    const program = example(0, 16, 2, 1, 0.9)
    let steps = 0
    for (const { coefficients } of augmentedLagrangian().iterate(program)) {
      if (++steps < 1000) continue
      expect(norm(coefficients)).toBeGreaterThan(0)
      expect(violation(program, coefficients)).toBeLessThan(1e-8)
      break
    }
  })

  it('stays where it is when started from its own last point and multipliers', () => {
    const program = example(2, 20, 3, 12, 0.1)
    const { raw } = solveRaw(program, { tolerance: 1e-12 })
    const start = { coefficients: raw.coefficients, multipliers: raw.multipliers }
    let steps = 0
    for (const at of augmentedLagrangian().iterate(program, start)) {
      expect(Math.sqrt(squaredDistance(at.coefficients, raw.coefficients))).toBeLessThan(1e-8 * norm(raw.coefficients))
      if (++steps === 50) break
    }
  })

  it('goes on to a gap of 1e-11 where rows meet the cones at small angles', () => {
    const program = example(2, 20, 3, 12, 0.01)
    const solution = solveSync(program, { solver: augmentedLagrangian(), tolerance: 1e-11, maxIterations: 30_000 })
    expect(solution.status).toBe('solved')
  })

  it('takes the same steps when the inputs and targets change their units', () => {
    const iterations = [1, 2 ** 12, 2 ** -12].map((unit) => {
      const { X, y, G } = data(1, 20, 3, 12, 'plain')
      const scaled = matrix(
        20,
        3,
        X.data.map((entry) => entry * unit),
      )
      const gates = gatesFrom(G, scaled)
      const program = reluProgram({ X: scaled, y: y.map((entry) => entry / unit), gates, lambda: 1 })
      const { solution } = solveRaw({ ...program, lambda: 0.3 * lambdaMax(program) })
      expect(solution.status).toBe('solved')
      return solution.iterations
    })
    expect(new Set(iterations).size).toBe(1)
  })

  it('takes any set and operator: the point of a plane, and of a box, nearest to another', () => {
    const identity = dense(matrix(3, 3, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)))
    const target = Float64Array.of(3, -2, 0.4)
    const loss = squared().over(matrix(3, 1, target))
    const last = (operator: LinearOperator, set: ConvexSet) => {
      const program = example(1, 4, 2, 2, 0.5)
      const penalty = groupL1({ size: 1 })
      const nearest = { ...program, loss, operator: identity, lambda: 0, constraint: { operator, set, penalty } }
      let steps = 0
      for (const { coefficients } of augmentedLagrangian().iterate(nearest)) if (++steps === 1000) return coefficients
      throw new Error('a solver walks on')
    }
    const plane = last(dense(matrix(1, 3, Float64Array.of(1, 1, 1))), point(5))
    const share = (5 - 1.4) / 3
    expect([...plane].map((entry, k) => Math.abs(entry - target[k]! - share) < 1e-10)).toEqual([true, true, true])
    const clamped = last(identity, box(1))
    expect([...clamped].map((entry, k) => Math.abs(entry - [1, -1, 0.4][k]!) < 1e-10)).toEqual([true, true, true])
  })

  it('leaves its start as it was', () => {
    const program = example(1, 20, 3, 12, 0.3)
    const { solution } = solveRaw(program, { tolerance: 1e-2 })
    const start = { coefficients: solution.coefficients.slice(), multipliers: solution.multipliers!.slice() }
    const before = structuredClone(start)
    solveRaw(program, { start, tolerance: 1e-8 })
    expect(start).toEqual(before)
  })

  it('stops at the next inner iterate when aborted, with a certified point', async () => {
    const program = example(2, 20, 3, 12, 0.01)
    const controller = new AbortController()
    let seen = 0
    const solution: Solution = await solve(program, {
      solver: augmentedLagrangian(),
      tolerance: 0,
      checkEvery: 1,
      signal: controller.signal,
      onProgress: ({ iteration }) => {
        seen = iteration
        if (iteration === 137) controller.abort()
      },
    })
    expect(solution.status).toBe('aborted')
    expect(seen).toBe(137)
    expect(solution.iterations).toBe(137)
    expect(certify(program, solution).primalFeasibility).toBeLessThan(1e-12)
    expect(solution.certificate.gap).toBeGreaterThan(0)
  })

  it('takes programs with a constraint only, and says so', () => {
    const X = fromRows([
      [1, 2],
      [3, 4],
    ])
    const free = gatedReluProgram({ X, y: [1, 2], gates: gatesFrom(fromRows([[1, 0]]), X), lambda: 0.1 })
    expect(augmentedLagrangian().supports(free)).toMatch(/^augmented-lagrangian needs a constraint .*proximalGradient/)
    expect(augmentedLagrangian().supports(example(1, 4, 2, 2, 0.5))).toBe(true)
  })

  it('refuses options out of range and multipliers of another size', () => {
    expect(() => augmentedLagrangian({ delta: 0 })).toThrow(/delta is 0/)
    expect(() => augmentedLagrangian({ increase: 0.5 })).toThrow(/increase is 0.5/)
    expect(() => augmentedLagrangian({ progress: 0 })).toThrow(/progress is 0/)
    expect(() => augmentedLagrangian({ limit: 0 })).toThrow(/limit is 0/)
    expect(() => augmentedLagrangian({ accuracy: Number.NaN })).toThrow(/accuracy is NaN/)
    expect(() => augmentedLagrangian({ checkEvery: 1.5 })).toThrow(/checkEvery is 1.5/)
    const program = example(1, 4, 2, 2, 0.5)
    const start = { coefficients: new Float64Array(program.operator.columns), multipliers: new Float64Array(1) }
    expect(() => augmentedLagrangian().iterate(program, start).next()).toThrow(/start has 1 multipliers/)
  })
})

describe('the loss of the inner problem', () => {
  const targets = matrix(3, 1, Float64Array.of(1, -2, 0.5))
  const multipliers = Float64Array.of(-0.5, 0, 2, -1)
  const loss = augmentedLoss(squared().over(targets), nonnegative(), { delta: 0.7, multipliers })
  // An entry that crosses the set's boundary carries the rounding of its shift gamma/delta, of size up to 3.
  const ROUNDING = (8 * 2 ** -52) ** 2
  const point = fc
    .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 7, maxLength: 7 })
    .map((entries) => Float64Array.from(entries))

  it("has a gradient at which the conjugate meets it: F(z) + F*(p) = p'z", () =>
    fc.assert(
      fc.property(point, (z) => {
        const p = loss.gradient(z)
        expect(Math.abs(loss.value(z) + loss.conjugate(p) - dot(p, z))).toBeLessThan(1e-12 * (1 + loss.value(z)))
      }),
    ))

  it('has a divergence that is the definition, and at most smoothness/2 |to - at|^2', () =>
    fc.assert(
      fc.property(point, point, (to, at) => {
        const plain = loss.value(to) - loss.value(at) - dot(loss.gradient(at), plus(to, -1, at))
        const divergence = loss.divergence(to, at)
        expect(divergence).toBeGreaterThanOrEqual(0)
        expect(Math.abs(divergence - plain)).toBeLessThan(1e-12 * (1 + loss.value(to) + loss.value(at)))
        expect(divergence).toBeLessThanOrEqual((loss.smoothness / 2) * squaredDistance(to, at) * (1 + 1e-12) + ROUNDING)
      }),
    ))
})

/** { value }, for every entry. */
function point(value: number): ConvexSet {
  return {
    name: 'point',
    project: (s, out = new Float64Array(s.length)) => out.fill(value),
    support: (y) => value * y.reduce((a, b) => a + b, 0),
    violation: (s) => s.reduce((worst, entry) => Math.max(worst, Math.abs(entry - value)), 0),
  }
}

/** [-bound, bound] for every entry. */
function box(bound: number): ConvexSet {
  return {
    name: 'box',
    project: (s, out = new Float64Array(s.length)) => {
      for (let k = 0; k < s.length; k++) out[k] = Math.max(-bound, Math.min(bound, s[k]!))
      return out
    },
    support: (y) => bound * y.reduce((total, entry) => total + Math.abs(entry), 0),
    violation: (s) => s.reduce((worst, entry) => Math.max(worst, Math.abs(entry) - bound), 0),
  }
}

/** F(0) */
function lossAtZero(program: ConvexProgram): number {
  return program.loss.value(new Float64Array(program.operator.rows))
}
