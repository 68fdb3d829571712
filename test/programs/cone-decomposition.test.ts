import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CompactMatrix,
  certify,
  compactMatrix,
  fromRows,
  type Gates,
  gatedReluProgram,
  gatesFrom,
  lambdaMax,
  type Matrix,
  matrix,
  reluProgram,
  sampleGates,
  solveSync,
  type Vector,
} from '../../src/index.ts'
import { isSet } from '../../src/numerics/bits.ts'
import { blockNorm } from '../../src/numerics/blocks.ts'
import { appendOnes } from '../../src/numerics/matrix.ts'
import { random } from '../../src/numerics/random.ts'
import { norm, plus } from '../../src/numerics/vectors.ts'
import { type ConeDecompositionMethod, coneDecomposition } from '../../src/programs/cone-decomposition.ts'
import { nearestPoint } from '../../src/sets/polyhedron.ts'
import { vector } from '../arbitraries.ts'

interface Problem {
  X: Matrix
  y: Matrix
  gates: Gates
  bias: boolean
  coefficients: Vector
}

/** A random point of a gated program: up to 20 rows and 4 features, some rows twice, up to 2 outputs. */
const problem: fc.Arbitrary<Problem> = fc
  .record({
    n: fc.integer({ min: 1, max: 20 }),
    d: fc.integer({ min: 1, max: 4 }),
    outputs: fc.integer({ min: 1, max: 2 }),
    bias: fc.boolean(),
    twice: fc.boolean(),
    zeros: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({ n, d, outputs, bias, twice, zeros, seed }) => {
    const draws = random(seed)
    const X = matrix(n, d)
    for (let k = 0; k < n * d; k++) X.data[k] = twice && k >= d && k < 3 * d ? X.data[k % d]! : draws.normal()
    if (zeros) X.data.fill(0, (n - 1) * d)
    const gates = sampleGates(X, { count: 6, seed: seed + 1, bias })
    const y = matrix(
      n,
      outputs,
      Float64Array.from({ length: n * outputs }, () => draws.normal()),
    )
    const size = gates.count * outputs * (d + (bias ? 1 : 0))
    return { X, y, gates, bias, coefficients: Float64Array.from({ length: size }, () => draws.normal()) }
  })

/** What a program is made from, without the point. */
const ingredients = ({ coefficients: _, ...given }: Problem) => ({ ...given, lambda: 0.1 })

const decompose = (p: Problem, method: ConeDecompositionMethod) =>
  coneDecomposition({ ...p, outputs: p.y.columns }, { method })

describe('coneDecomposition', () => {
  it('is exact: v - w = u, both in their cones, and the fit unchanged', () => {
    fc.assert(
      fc.property(problem, fc.constantFrom('minimum-norm' as const, 'least-squares' as const), (p, method) => {
        const found = decompose(p, method)
        const size = p.X.columns + (p.bias ? 1 : 0)
        const half = p.y.columns * size
        let total = 0
        for (let i = 0; i < p.coefficients.length; i++) {
          const gate = Math.floor(i / half)
          const v = found.coefficients[gate * 2 * half + (i % half)]!
          const w = found.coefficients[(gate * 2 + 1) * half + (i % half)]!
          expect(Math.abs(v - w - p.coefficients[i]!)).toBeLessThan(1e-14 * (1 + found.reluNorm))
          if (i % size === 0) total += blockNorm(p.coefficients, i, size)
        }
        expect(found.gatedNorm).toBeCloseTo(total, 10)
        expect(found.blowUp).toBeGreaterThanOrEqual(1 - 1e-12)
        // Rounding relative to a block; a block next to nothing beside its twin has less of its own.
        expect(found.violation).toBeLessThan(1e-9)
        const gated = gatedReluProgram(ingredients(p))
        const relu = reluProgram(ingredients(p))
        const before = gated.operator.apply(p.coefficients)
        const after = relu.operator.apply(found.coefficients)
        for (let k = 0; k < before.length; k++)
          expect(Math.abs(after[k]! - before[k]!)).toBeLessThan(1e-12 * (1 + found.reluNorm))
        const network = relu.recover(found).predict(p.X).data
        for (let k = 0; k < before.length; k++)
          expect(Math.abs(network[k]! - before[k]!)).toBeLessThan(1e-9 * (1 + found.reluNorm))
        expect(relu.penalty.value(found.coefficients)).toBeCloseTo(found.reluNorm, 9)
      }),
      { numRuns: 300 },
    )
  })

  it('finds a minimum norm that no other decomposition undercuts', () => {
    fc.assert(
      fc.property(problem, fc.nat(), (p, seed) => {
        const least = decompose(p, 'minimum-norm')
        const squares = decompose(p, 'least-squares')
        expect(least.reluNorm).toBeLessThanOrEqual(squares.reluNorm * (1 + 1e-12))
        expect(least.split).toBe(squares.split)
        // The points of the polyhedron nearest to some near the optimum: the sum of norms is convex, so local is global.
        const inputs = p.bias ? appendOnes(p.X) : p.X
        const size = inputs.columns
        const draws = random(seed)
        for (let gate = 0; gate < p.gates.count; gate++) {
          const at = gate * 2 * p.y.columns * size
          const v = least.coefficients.subarray(at, at + size)
          const w = least.coefficients.subarray(at + p.y.columns * size, at + p.y.columns * size + size)
          const u = p.coefficients.subarray(gate * p.y.columns * size, gate * p.y.columns * size + size)
          const B = coneOf(inputs, p.gates, gate)
          const b = Float64Array.from({ length: B.rows }, (_, k) =>
            Math.max(0, -u.reduce((total, value, j) => total + value * B.data[k * size + j]!, 0)),
          )
          const total = norm(v) + norm(w)
          for (const length of [1e-3, 1e-1, 1, 1]) {
            const other = nearestPoint(
              B,
              b,
              w.map((value) => value + length * draws.normal()),
            )!
            expect(norm(other) + norm(plus(u, 1, other))).toBeGreaterThanOrEqual(total * (1 - 1e-12))
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('agrees with brute force in the plane to 1e-10', () => {
    fc.assert(
      fc.property(vector(4), vector(2), (rows, u) => {
        const X = matrix(2, 2, rows)
        fc.pre(Math.abs(rows[0]! * rows[3]! - rows[1]! * rows[2]!) > 0.05)
        const gates = sampleGates(X, { count: 4, seed: 1 })
        for (let i = 0; i < gates.count; i++) {
          const coefficients = new Float64Array(gates.count * 2)
          coefficients.set(u, 2 * i)
          const { reluNorm } = coneDecomposition({ X, gates, coefficients })
          expect(reluNorm).toBeGreaterThan(bruteForce(X, gates, i, u) - 1e-10)
          expect(reluNorm).toBeLessThan(bruteForce(X, gates, i, u) + 1e-8)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('is closed form when the rows of X are independent, and says so when they are not', () => {
    const X = fromRows([
      [1, 2, 0, 1],
      [0, -1, 3, 1],
      [2, 0, 1, -2],
    ])
    const gates = sampleGates(X, { count: 5, seed: 1 })
    const coefficients = Float64Array.from({ length: 4 * gates.count }, (_, k) => Math.sin(3 * k + 1))
    const full = coneDecomposition({ X, gates, coefficients }, { method: 'full-rank' })
    const least = coneDecomposition({ X, gates, coefficients })
    expect(full.violation).toBeLessThan(1e-12)
    expect(full.reluNorm).toBeGreaterThanOrEqual(least.reluNorm)
    const fit = gatedReluProgram({ X, y: [0, 0, 0], gates, lambda: 0 }).operator.apply(coefficients)
    const network = reluProgram({ X, y: [0, 0, 0], gates, lambda: 0 }).recover(full)
    for (let r = 0; r < 3; r++) expect(network.predict(X).data[r]).toBeCloseTo(fit[r]!, 12)
    expect(() =>
      coneDecomposition(
        { X: [[1], [2]], gates: gatesFrom([[1]], [[1], [2]]), coefficients: Float64Array.of(1) },
        {
          method: 'full-rank',
        },
      ),
    ).not.toThrow()
    const line = [
      [1, 0],
      [0, 1],
      [1, 1],
    ]
    expect(() =>
      coneDecomposition(
        { X: line, gates: gatesFrom([[1, 1]], line), coefficients: Float64Array.of(1, -1) },
        { method: 'full-rank' },
      ),
    ).toThrow(/rows of X depend on each other \(3 rows that are not zero, 2 features\)/)
  })

  it('approximately, the cones are violated the less the smaller rho is, and the report says by how much', () => {
    const draws = random(5)
    const X = matrix(
      12,
      3,
      Float64Array.from({ length: 36 }, () => draws.normal()),
    )
    const gates = sampleGates(X, { count: 8, seed: 2 })
    const coefficients = Float64Array.from({ length: 24 }, () => draws.normal())
    const violations = [1e-2, 1e-4, 1e-6, 1e-8].map(
      (rho) => coneDecomposition({ X, gates, coefficients }, { method: 'approximate', rho }).violation,
    )
    for (let k = 1; k < violations.length; k++) expect(violations[k]).toBeLessThan(violations[k - 1]!)
    expect(violations[0]).toBeGreaterThan(1e-3)
    expect(violations[3]).toBeLessThan(1e-4)
    const relu = reluProgram({ X, y: new Float64Array(12), gates, lambda: 0.1 })
    const found = coneDecomposition({ X, gates, coefficients }, { method: 'approximate', rho: 1e-4 })
    expect(relu.penalty.domain!.violation(found.coefficients)).toBeCloseTo(found.violation, 12)
  })

  it('is certified against the optimum of the ReLU program, and keeps the gated loss', () => {
    const draws = random(7)
    const X = matrix(
      20,
      3,
      Float64Array.from({ length: 60 }, () => draws.normal()),
    )
    const y = Float64Array.from({ length: 20 }, (_, r) => Math.abs(X.data[3 * r]!) - X.data[3 * r + 1]!)
    const gates = sampleGates(X, { count: 20, seed: 1 })
    for (const ratio of [0.3, 0.03]) {
      const lambda = ratio * lambdaMax(gatedReluProgram({ X, y, gates, lambda: 1 }))
      const gated = solveSync(gatedReluProgram({ X, y, gates, lambda }), { tolerance: 1e-9 })
      const relu = reluProgram({ X, y, gates, lambda })
      const found = coneDecomposition({ X, gates, coefficients: gated.coefficients })
      const certificate = certify(relu, found)
      const optimum = solveSync(relu, { tolerance: 1e-9 }).certificate
      expect(certificate.primal).toBeCloseTo(gated.certificate.primal + lambda * (found.reluNorm - found.gatedNorm), 10)
      expect(certificate.dual).toBeLessThanOrEqual(optimum.primal)
      expect(certificate.primal - optimum.primal).toBeLessThanOrEqual(certificate.gap)
      // The gated optimum bounds the ReLU optimum from below on the same gates.
      expect(optimum.primal).toBeGreaterThanOrEqual(gated.certificate.dual)
      expect(certificate.primal).toBeGreaterThanOrEqual(optimum.dual)
      expect(relu.networkObjective!(relu.recover(found))).toBeCloseTo(certificate.primal, 9)
    }
  })

  it('leaves what lies in its cone, or opposite to it, as it is', () => {
    const X = fromRows([
      [1, 0],
      [0, 1],
    ])
    const gates = gatesFrom([[1, 1]], X)
    const at = (...u: number[]) => coneDecomposition({ X, gates, coefficients: Float64Array.from(u) })
    expect(at(2, 1)).toMatchObject({ coefficients: Float64Array.of(2, 1, 0, 0), split: 0, blowUp: 1 })
    expect(at(-2, -1)).toMatchObject({ coefficients: Float64Array.of(0, 0, 2, 1), split: 0, blowUp: 1 })
    expect(at(0, 0)).toMatchObject({ split: 0, blowUp: 1, reluNorm: 0 })
    // u = (3, -4): v = (3, 0), w = (0, 4).
    const split = at(3, -4)
    expect(Array.from(split.coefficients).map((value) => Math.round(value * 1e9) / 1e9)).toEqual([3, 0, 0, 4])
    expect(split).toMatchObject({ split: 1 })
    expect(split.blowUp).toBeCloseTo(7 / 5, 10)
  })

  it('is exact by working sets too, strictly inside the cones, and the nearer to the minimum norm the smaller the tolerance', () => {
    fc.assert(
      fc.property(problem, fc.boolean(), (p, shared) => {
        const outputs = p.y.columns
        const size = p.X.columns + (p.bias ? 1 : 0)
        const found = coneDecomposition(
          { ...p, outputs },
          { method: shared ? 'shared' : 'working-set', tolerance: 1e-6 },
        )
        const least = decompose(p, 'minimum-norm')
        expect(found.violation).toBeLessThan(1e-12)
        expect(found.split).toBe(least.split)
        expect(found.reluNorm).toBeGreaterThan(least.reluNorm * (1 - 1e-9))
        if (!shared || outputs === 1) expect(found.reluNorm).toBeLessThan(least.reluNorm * (1 + 1e-3))
        const half = outputs * size
        for (let i = 0; i < p.coefficients.length; i++) {
          const at = Math.floor(i / half) * 2 * half + (i % half)
          const difference = found.coefficients[at]! - found.coefficients[at + half]!
          expect(Math.abs(difference - p.coefficients[i]!)).toBeLessThan(1e-13 * (1 + found.reluNorm))
        }
        const before = gatedReluProgram(ingredients(p)).operator.apply(p.coefficients)
        const network = reluProgram(ingredients(p)).recover(found).predict(p.X).data
        for (let k = 0; k < before.length; k++)
          expect(Math.abs(network[k]! - before[k]!)).toBeLessThan(1e-12 * (1 + found.reluNorm))
      }),
      { numRuns: 150 },
    )
  })

  it('is exact for gates that have rows on their boundary, as images are that are black within a window', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 8 }), fc.nat(), (n, d, seed) => {
        const draws = random(seed)
        // Rows that are not negative, most of them zero in most places, and none zero throughout.
        const X = matrix(n, d)
        for (let r = 0; r < n; r++) {
          for (let j = 0; j < d; j++) if (draws.uniform() < 0.3) X.data[r * d + j] = draws.uniform()
          X.data[r * d + draws.below(d)] = 1
        }
        const gates = sampleGates(X, { count: 5, seed, order: Math.ceil(d / 3) })
        const coefficients = Float64Array.from({ length: gates.count * d }, () => draws.normal())
        for (const passes of [0, 30]) {
          const found = coneDecomposition({ X, gates, coefficients }, { method: 'working-set', passes })
          expect(found.violation).toBeLessThan(1e-12)
          const network = reluProgram({ X, y: new Float64Array(n), gates, lambda: 0.1 }).recover(found)
          const before = gatedReluProgram({ X, y: new Float64Array(n), gates, lambda: 0.1 }).operator.apply(
            coefficients,
          )
          const after = network.predict(X).data
          for (let r = 0; r < n; r++)
            expect(Math.abs(after[r]! - before[r]!)).toBeLessThan(1e-12 * (1 + found.reluNorm))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is the same for X in full, compact, and streamed', () => {
    fc.assert(
      fc.property(problem, (p) => {
        const single = Float32Array.from(p.X.data)
        const X = matrix(p.X.rows, p.X.columns, Float64Array.from(single))
        const compact = compactMatrix(X.rows, X.columns, single)
        const streamed: CompactMatrix = { ...compact, streamed: true }
        const gates = gatesFrom(p.gates.vectors, X)
        const [full, ...others] = [X, compact, streamed].map((rows) =>
          coneDecomposition({ ...p, X: rows, gates, outputs: p.y.columns }, { method: 'working-set' }),
        )
        for (const other of others) expect(other).toEqual(full)
      }),
      { numRuns: 30 },
    )
  })

  it('ends within the passes allowed, feasible all the same, and says how many blocks were repaired', () => {
    const draws = random(11)
    const X = matrix(
      400,
      20,
      Float64Array.from({ length: 8000 }, () => draws.normal()),
    )
    const gates = sampleGates(X, { count: 4, seed: 1 })
    const coefficients = Float64Array.from({ length: 80 }, () => draws.normal())
    const reports: [number, number][] = []
    const norms = [0, 1, 2, 30].map((passes) => {
      const found = coneDecomposition(
        { X, gates, coefficients },
        { method: 'working-set', passes, onProgress: (done, count) => reports.push([done, count]) },
      )
      expect(found.violation).toBeLessThan(1e-12)
      expect(found.repaired > 0).toBe(passes < 30)
      return found.reluNorm
    })
    const least = coneDecomposition({ X, gates, coefficients }).reluNorm
    for (const norm of norms) expect(norm).toBeLessThanOrEqual(norms[0]!)
    expect(norms.at(-1)! / least).toBeLessThan(1.03)
    expect(reports.at(-1)).toEqual([4, 4])
  })

  it('says which gate has a cone without interior, and what does not fit', () => {
    const X = fromRows([
      [1, 0],
      [-1, 0],
    ])
    const gates = gatesFrom([[0, 1]], X)
    for (const method of ['minimum-norm', 'least-squares'] as const)
      expect(() => coneDecomposition({ X, gates, coefficients: Float64Array.of(1, 1) }, { method })).toThrow(
        /gate 0 has a row of X on its boundary .* sampleGates/,
      )
    expect(() => coneDecomposition({ X, gates, coefficients: Float64Array.of(1) })).toThrow(/1 entries .* need 2/)
    expect(() => coneDecomposition({ X, gates, coefficients: Float64Array.of(1, 1), outputs: 0 })).toThrow(RangeError)
    expect(() => coneDecomposition({ X, gates, coefficients: Float64Array.of(1, 1) }, { rho: 0 })).toThrow(RangeError)
    const compact = compactMatrix(2, 2, Float32Array.from(X.data))
    const at = { X: compact, gates, coefficients: Float64Array.of(1, 1) }
    expect(() => coneDecomposition(at)).toThrow(/gate 0 has a row of X on its boundary/)
    expect(() => coneDecomposition(at, { method: 'minimum-norm' })).toThrow(/compact matrix, expected 'working-set'/)
    expect(() => coneDecomposition(at, { passes: 1.5 })).toThrow(/passes is 1.5, expected a whole number/)
    expect(() => coneDecomposition(at, { tolerance: 0 })).toThrow(/tolerance is 0, expected above 0/)
  })
})

describe('nearestPoint', () => {
  it('meets the bounds and is nearer than any other point that does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 }), fc.nat(), (n, d, seed) => {
        const draws = random(seed)
        const normal = (count: number): Vector => Float64Array.from({ length: count }, () => draws.normal())
        const B = matrix(n, d, normal(n * d))
        for (let k = 0; k < n; k++) {
          // Every third row is a copy, every fourth the opposite of another with a looser bound.
          if (k % 3 === 2) B.data.copyWithin(k * d, (k - 1) * d, k * d)
          const length = blockNorm(B.data, k * d, d)
          for (let j = k * d; j < (k + 1) * d; j++) B.data[j]! /= length
        }
        const inside = normal(d)
        const product = (k: number, w: Vector): number =>
          w.reduce((total, value, j) => total + value * B.data[k * d + j]!, 0)
        const b = Float64Array.from({ length: n }, (_, k) => product(k, inside) - Math.abs(draws.normal()))
        const c = normal(d).map((value) => 3 * value)
        const w = nearestPoint(B, b, c)!
        const size = 10 + blockNorm(w, 0, d)
        for (let k = 0; k < n; k++) expect(product(k, w) - b[k]!).toBeGreaterThan(-1e-13 * size)
        // (c - w)'(z - w) <= 0 for every z that meets the bounds.
        for (const towards of [inside, ...Array.from({ length: 5 }, () => normal(d))]) {
          if (Array.from(b).some((bound, k) => product(k, towards) < bound)) continue
          const along = towards.reduce((total, z, j) => total + (c[j]! - w[j]!) * (z - w[j]!), 0)
          expect(along).toBeLessThan(1e-11 * size * size)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('says when no point meets the bounds', () => {
    const B = fromRows([[1], [-1]])
    expect(nearestPoint(B, Float64Array.of(1, 1), Float64Array.of(0))).toBeUndefined()
    expect(nearestPoint(B, Float64Array.of(1, -1), Float64Array.of(0))).toEqual(Float64Array.of(1))
  })
})

/** The signed rows of length one whose non-negative products make a gate's cone. */
function coneOf(X: Matrix, gates: Gates, gate: number): Matrix {
  const d = X.columns
  const rows: number[][] = []
  for (let r = 0; r < X.rows; r++) {
    const length = blockNorm(X.data, r * d, d)
    const sign = isSet(gates.patterns, r, gate) ? 1 : -1
    if (length > 0) rows.push(Array.from(X.data.subarray(r * d, (r + 1) * d), (value) => (sign * value) / length))
  }
  return matrix(rows.length, d, Float64Array.from(rows.flat()))
}

/** min |u + w| + |w| for a cone of two rows: w = a r_1 + b r_2 on the cone's rays, both coordinates by golden section. */
function bruteForce(X: Matrix, gates: Gates, gate: number, u: Vector): number {
  const sign = (r: number): number => (isSet(gates.patterns, r, gate) ? 1 : -1)
  const [p, q] = [sign(0) * X.data[0]!, sign(0) * X.data[1]!]
  const [r, s] = [sign(1) * X.data[2]!, sign(1) * X.data[3]!]
  const determinant = p * s - q * r
  // B^-1 has the rays as columns: B w = (a, b) >= 0.
  const at = (a: number, b: number): [number, number] => [(s * a - q * b) / determinant, (-r * a + p * b) / determinant]
  const least = [Math.max(0, -(p * u[0]! + q * u[1]!)), Math.max(0, -(r * u[0]! + s * u[1]!))]
  const value = (a: number, b: number): number => {
    const [x, y] = at(a, b)
    return Math.hypot(x, y) + Math.hypot(x + u[0]!, y + u[1]!)
  }
  const golden = (f: (t: number) => number, from: number): number => {
    let low = from
    let high = from + 100
    const ratio = (Math.sqrt(5) - 1) / 2
    for (let k = 0; k < 80; k++) {
      const left = high - ratio * (high - low)
      const right = low + ratio * (high - low)
      if (f(left) <= f(right)) high = right
      else low = left
    }
    return Math.min(f(low), f(from))
  }
  return golden((a) => golden((b) => value(a, b), least[1]!), least[0]!)
}
