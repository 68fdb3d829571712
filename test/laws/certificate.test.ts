import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { certifier } from '../../src/certificates/index.ts'
import { type Certificate, certify, type LossChoice, lambdaMax, type Matrix, verify } from '../../src/index.ts'
import { huber, logistic, softmax, squared, squaredHinge } from '../../src/losses/index.ts'
import {
  type Instance,
  instance,
  instanceWithPoint,
  mapEntries,
  norms,
  perGate,
  permutation,
  programOf,
  step,
  vector,
} from '../arbitraries.ts'
import { zoo } from '../zoo.ts'
import {
  correlationOf,
  fitOf,
  insideOf,
  isOn,
  naive,
  naiveCertificate,
  penaltyOf,
  polarOf,
  residualOf,
} from './naive.ts'

/** What is compared up to rounding: a share of the objective here and of the one at zero. */
const rounding = 1e-10

const law = (
  title: string,
  check: (at: Instance, u: Float64Array) => void,
  options: Parameters<typeof instanceWithPoint>[0] = {},
): void =>
  it(title, () => {
    fc.assert(fc.property(instanceWithPoint(options), ([at, u]) => check(at, u)))
  })

describe('the certificate of any point', () => {
  law('is what dense matrices and plain loops give', (at, u) => {
    const program = programOf(at)
    const certificate = certify(program, { coefficients: u })
    const plain = naive(at)
    const expected = naiveCertificate(plain, u)
    const size = scaleOf(at, u)
    expect(Math.abs(certificate.primal - expected.primal)).toBeLessThanOrEqual(rounding * size)
    // At lambda = 0 the bound jumps where A'r is zero up to rounding.
    if (at.lambda > 0) expect(Math.abs(certificate.dual - expected.dual)).toBeLessThanOrEqual(rounding * size)
    const zero = program.loss.value(new Float64Array(program.operator.rows))
    if (zero > rounding * size)
      expect(Math.abs(certificate.complementarity * zero - expected.mismatch)).toBeLessThanOrEqual(
        rounding * (size + expected.mismatch),
      )
    // A gradient of nothing but rounding is no yardstick, and a cone's normals depend on what counts as touching.
    const slopes = slopeSize(at, u)
    if (expected.gradientNorm > 1e-9 * slopes && !plain.cones)
      expect(Math.abs(certificate.stationarity * expected.gradientNorm - expected.distance)).toBeLessThanOrEqual(
        rounding * slopes,
      )
  })

  law('has dual <= primal, and a gap that is their difference', (at, u) => {
    const certificate = certify(programOf(at), { coefficients: u })
    const { primal, dual, gap, relativeGap } = certificate
    expect(gap).toBe(primal - dual)
    expect(gap).toBeGreaterThanOrEqual(0)
    expect(relativeGap).toBe(gap === 0 ? 0 : gap / Math.max(Math.abs(primal), Math.abs(dual)))
    expect(dual).toBeGreaterThanOrEqual(0)
  })

  law('has residuals that are never negative, and the scope of its program', (at, u) => {
    const certificate = certify(programOf(at), { coefficients: u })
    const { stationarity, primalFeasibility, dualFeasibility, complementarity, scope } = certificate
    for (const residual of [stationarity, primalFeasibility, dualFeasibility, complementarity])
      expect(residual).toBeGreaterThanOrEqual(0)
    if (at.family === 'gated-relu') expect(primalFeasibility).toBe(0)
    expect(scope).toBe('program')
  })

  law('comes with the dual point behind its bound: feasible, and worth what the bound says', (at, u) => {
    const program = programOf(at)
    const { certificate, dual } = certifier(program)({ coefficients: u })
    const plain = naive(at)
    const size = scaleOf(at, u)
    const correlation = correlationOf(plain, Array.from(dual))
    const target = residualOf(
      plain,
      plain.y.map(() => 0),
    ).map((value) => -value)
    const inner = dual.reduce((total, value, k) => total + value * target[k]!, 0)
    const square = dual.reduce((total, value) => total + value * value, 0)
    let value = inner - square / (2 * plain.curvature)
    if (plain.penalty === 'ridge' && !plain.cones) {
      if (at.lambda > 0) value -= correlation.reduce((total, entry) => total + entry * entry, 0) / (2 * at.lambda)
    } else expect(polarOf(plain, correlation)).toBeLessThanOrEqual(at.lambda + 1e-12 * slopeSize(at, u))
    expect(Math.abs(value - certificate.dual)).toBeLessThanOrEqual(rounding * size)
  })

  law('is the same when the fit is given along, and writes to neither', (at, u) => {
    const program = programOf(at)
    const inside = insideOf(naive(at), u)
    const [point, fit] = [inside.slice(), program.operator.apply(inside)]
    const given = fit.slice()
    expect(certify(program, { coefficients: point, fit: given })).toEqual(certify(program, { coefficients: inside }))
    expect([point, given]).toEqual([inside, fit])
  })

  law('does not depend on what the same certifier has seen before', (at, u) => {
    const program = programOf(at)
    const examine = certifier(program)
    const other = u.map((value, k) => 1 - value * (k % 3))
    examine({ coefficients: other })
    const again = examine({ coefficients: u }).certificate
    const fresh = certify(program, { coefficients: u })
    const size = scaleOf(at, u)
    expect(Math.abs(again.primal - fresh.primal)).toBeLessThanOrEqual(1e-12 * size)
    if (at.lambda > 0) expect(Math.abs(again.dual - fresh.dual)).toBeLessThanOrEqual(1e-12 * size)
  })

  law('does not change when rows, gates and features change places', (at, u) => {
    fc.assert(
      fc.property(
        permutation(at.X.rows),
        permutation(at.vectors.rows),
        permutation(at.X.columns),
        (rows, gates, features) => {
          const moved: Instance = {
            ...at,
            X: mapEntries(at.X, (_, r, j) => at.X.data[rows[r]! * at.X.columns + features[j]!]!),
            y: mapEntries(at.y, (_, r, k) => at.y.data[rows[r]! * at.y.columns + k]!),
            vectors: mapEntries(
              at.vectors,
              (_, i, j) => at.vectors.data[gates[i]! * at.vectors.columns + (features[j] ?? j)]!,
            ),
          }
          // The sum x g may round to another side of the boundary in another order.
          fc.pre(samePatterns(at, moved, rows, gates))
          const each = perGate(at)
          const block = at.X.columns + (at.bias === true ? 1 : 0)
          const point = u.map((_, k) => {
            const [gate, rest] = [Math.floor(k / each), k % each]
            const feature = rest % block
            return u[gates[gate]! * each + rest - feature + (features[feature] ?? feature)]!
          })
          expectSame(
            at,
            u,
            certify(programOf(moved), { coefficients: point }),
            certify(programOf(at), { coefficients: u }),
          )
        },
      ),
      { numRuns: 5 },
    )
  })

  law('scales with the data: y and lambda times s make values s^2 times as large and leave every residual', (at, u) => {
    fc.assert(
      fc.property(step(), (s) => {
        const ridge = at.penalty === 'ridge' && at.family === 'gated-relu'
        const larger: Instance = {
          ...at,
          y: mapEntries(at.y, (value) => s * value),
          lambda: ridge ? at.lambda : s * at.lambda,
        }
        const here = certify(programOf(at), { coefficients: u })
        const there = certify(programOf(larger), { coefficients: u.map((value) => s * value) })
        const back = { ...there, primal: there.primal / s ** 2, dual: there.dual / s ** 2 }
        expectSame(at, u, back, here)
      }),
      { numRuns: 5 },
    )
  })

  law('speaks of the network through verify: the recovered network has the same certificate', (at, u) => {
    fc.pre(distinctPatterns(at))
    const program = programOf(at)
    const inside = at.family === 'relu' ? gatesThemselves(at, u) : u
    const network = program.recover({ coefficients: inside })
    const { program: seen, lowerBound, scope } = verify(program, network)
    const direct = certify(program, { coefficients: inside })
    if (at.family === 'gated-relu') expectSame(at, u, seen, direct)
    else {
      // A neuron on the boundary of its cone lies in a neighbour's too, and may come to share a block there.
      const [before, after] = [inside, program.embed(network).coefficients].map((v) => program.operator.apply(v!))
      for (let k = 0; k < before!.length; k++) expect(after![k]).toBeCloseTo(before![k]!, 9)
      expect(seen.primal).toBeLessThanOrEqual(direct.primal + rounding * scaleOf(at, u))
    }
    expect(lowerBound).toBe(seen.dual)
    expect(scope).toBe(program.scope)
  })
})

describe('weak duality', () => {
  const choices: { choice: LossChoice; columns: number; labels: (M: Matrix) => Matrix }[] = [
    { choice: squared(), columns: 1, labels: (M) => M },
    { choice: squared(), columns: 2, labels: (M) => M },
    { choice: huber({ delta: 0.5 }), columns: 2, labels: (M) => M },
    { choice: logistic(), columns: 1, labels: (M) => mapEntries(M, (_, r) => (r % 2 === 0 ? 1 : -1)) },
    { choice: squaredHinge(), columns: 1, labels: (M) => mapEntries(M, (_, r) => (r % 2 === 0 ? 1 : -1)) },
    { choice: softmax(), columns: 2, labels: (M) => mapEntries(M, (_, r, k) => (r % 2 === k ? 1 : 0)) },
  ]
  for (const { choice, columns, labels } of choices)
    it(`no point's bound is above another point's objective: ${choice.name}, ${columns} output${columns > 1 ? 's' : ''}`, () => {
      const cases = instanceWithPoint()
        .filter(([at]) => at.y.columns === columns && at.X.rows > 1)
        .chain(([at, u]) => fc.tuple(fc.constant(at), fc.constant(u), vector(u.length), step()))
      fc.assert(
        fc.property(cases, ([at, u, w, s]) => {
          const given = { ...at, y: labels(at.y) }
          const program = programOf(given, choice)
          const points = [new Float64Array(u.length), u, w, w.map((value) => s * value)]
          const certificates = points.map((coefficients) => certify(program, { coefficients }))
          const highest = Math.max(...certificates.map(({ dual }) => dual))
          const lowest = Math.min(...certificates.map(({ primal }) => primal))
          expect(highest - lowest).toBeLessThanOrEqual(
            1e-12 * scaleOf(given, points[3]!) + 1e-12 * certificates[0]!.primal,
          )
        }),
      )
    })
})

describe('zero', () => {
  const zero = (at: Instance): Certificate =>
    certify(programOf(at), { coefficients: new Float64Array(at.vectors.rows * perGate(at)) })

  law(
    'is certified optimal at lambda >= lambda_max, and at a share s of it has relative gap (1 - s)^2 exactly',
    (at) => {
      const top = lambdaMax(programOf(at))
      fc.pre(top > 1e-6)
      for (const share of [1, 1 + 1e-9, 2, 1e3])
        expect(zero({ ...at, lambda: share * top }).relativeGap).toBeLessThanOrEqual(1e-12)
      for (const share of [0.999, 0.5, 0.01])
        expect(zero({ ...at, lambda: share * top }).relativeGap).toBeCloseTo((1 - share) ** 2, 10)
    },
    { penalties: norms },
  )

  it('lambda_max is the dual norm of the gradient at zero', () => {
    fc.assert(
      fc.property(instance({ penalties: norms }), (at) => {
        const plain = naive(at)
        const slope = residualOf(
          plain,
          plain.y.map(() => 0),
        ).map((value) => plain.curvature * value)
        const expected = polarOf(
          plain,
          correlationOf(plain, slope).map((value) => -value),
        )
        const size = slopeSize(at, new Float64Array(at.vectors.rows * perGate(at)))
        expect(Math.abs(lambdaMax(programOf(at)) - expected)).toBeLessThanOrEqual(1e-12 * size)
      }),
    )
  })

  it('is never optimal for ridge, whose lambda_max is Infinity, unless the gradient at zero vanishes', () => {
    fc.assert(
      fc.property(instance({ penalties: ['ridge'], families: ['gated-relu'] }), (at) => {
        const plain = naive(at)
        const zero = new Float64Array(plain.A[0]!.length)
        if (naiveCertificate(plain, zero).gradientNorm > 1e-12 * slopeSize(at, zero))
          expect(lambdaMax(programOf(at))).toBe(Number.POSITIVE_INFINITY)
        expect(lambdaMax(programOf({ ...at, y: mapEntries(at.y, () => 0) }))).toBe(0)
      }),
    )
  })
})

describe('on the zoo', () => {
  it.each(zoo)('$name: the certificate at zero is feasible and bounds from below', ({ program, ratio }) => {
    const certificate = certify(program, { coefficients: new Float64Array(program.operator.columns) })
    expect(certificate.primalFeasibility).toBe(0)
    expect(certificate.dual).toBeGreaterThanOrEqual(0)
    expect(certificate.gap).toBeGreaterThanOrEqual(-1e-12 * certificate.primal)
    if (ratio !== undefined && ratio >= 1) expect(certificate.relativeGap).toBeLessThanOrEqual(1e-12)
    if (ratio !== undefined && ratio < 1 && certificate.primal > 0)
      expect(certificate.relativeGap).toBeCloseTo((1 - ratio) ** 2, 9)
  })
})

/** Certificates agree up to the rounding of this program. */
function expectSame(at: Instance, u: Float64Array, actual: Certificate, expected: Certificate): void {
  const size = scaleOf(at, u)
  expect(Math.abs(actual.primal - expected.primal)).toBeLessThanOrEqual(rounding * size)
  if (at.lambda > 0) expect(Math.abs(actual.dual - expected.dual)).toBeLessThanOrEqual(rounding * size)
  expect(actual.scope).toBe(expected.scope)
  const plain = naive(at)
  const { gradientNorm } = naiveCertificate(plain, new Float64Array(plain.A[0]!.length))
  // Residuals are shares of the gradient at zero: where that is nothing but rounding, so are they.
  if (gradientNorm < 1e-6 * slopeSize(at, new Float64Array(plain.A[0]!.length)) || plain.cones) return
  expect(Math.abs(actual.stationarity - expected.stationarity)).toBeLessThanOrEqual(1e-8 * (1 + expected.stationarity))
}

/** The size of the numbers that are added up in an objective: its terms at the point, were none of opposite sign, and at zero. */
function scaleOf(at: Instance, given: Float64Array): number {
  const plain = naive(at)
  const u = insideOf(plain, given)
  const fits = plain.A.map((row) => row.reduce((total, value, k) => total + Math.abs(value * u[k]!), 0))
  const squares = fits.reduce((total, fit, k) => total + fit ** 2 + plain.y[k]! ** 2, 0)
  return plain.curvature * squares + at.lambda * penaltyOf(plain, u) + 1e-300
}

/** The size of the terms of A'r, were none of opposite sign. */
function slopeSize(at: Instance, u: Float64Array): number {
  const plain = naive(at)
  const residual = residualOf(plain, fitOf(plain, insideOf(plain, u)))
  const sizes = plain.A.map((row) => Math.sqrt(row.reduce((total, value) => total + value * value, 0)))
  const fits = plain.A.map((row) => row.reduce((total, value, k) => total + Math.abs(value * u[k]!), 0))
  const spread = residual.reduce(
    (total, value, k) => total + sizes[k]! * (Math.abs(value) + Math.abs(plain.y[k]!) + fits[k]!),
    0,
  )
  return plain.curvature * spread + at.lambda * (1 + penaltyOf(plain, u)) + 1e-300
}

function patternOf(at: Instance, gate: number, rows: number[]): string {
  return rows.map((r) => (isOn(at, r, gate) ? '1' : '0')).join('')
}

function samePatterns(at: Instance, moved: Instance, rows: number[], gates: number[]): boolean {
  const straight = rows.map((_, r) => r)
  return gates.every((gate, i) => patternOf(at, gate, rows) === patternOf(moved, i, straight))
}

/** Every block a nonnegative multiple of its gate, which lies in its cone; zero where an offset says otherwise. */
function gatesThemselves(at: Instance, u: Float64Array): Float64Array {
  const block = at.X.columns + (at.bias === true ? 1 : 0)
  const offsets = at.vectors.columns > at.X.columns
  return u.map((_, k) => {
    const gate = Math.floor(k / perGate(at))
    const entry = at.vectors.data[gate * at.vectors.columns + (k % block)]
    if (offsets && at.bias !== true) return 0
    return Math.abs(u[k - (k % block)]!) * (k % block < at.X.columns || offsets ? entry! : 0)
  })
}

/** Two gates with one pattern are one place for a neuron. */
function distinctPatterns(at: Instance): boolean {
  const rows = Array.from({ length: at.X.rows }, (_, r) => r)
  const texts = Array.from({ length: at.vectors.rows }, (_, i) => patternOf(at, i, rows))
  return new Set(texts).size === texts.length
}
