/** What was once wrong, found by trying to break it: each stays right. */
import { describe, expect, it } from 'vitest'
import { patternKey, patternsOf } from '../src/gates/index.ts'
import {
  certify,
  enumerateGates,
  featureGroupL1,
  gatedReluNetwork,
  gatedReluProgram,
  gatesFrom,
  groupL1,
  type LinearOperator,
  l1,
  lambdaMax,
  loadModel,
  type Matrix,
  matrix,
  proximalGradient,
  reluNetwork,
  reluProgram,
  ridge,
  sampleGates,
  solveSync,
  steps,
  sweep,
  sweepSync,
  verify,
} from '../src/index.ts'
import { bitColumns } from '../src/numerics/bits.ts'
import { random } from '../src/numerics/random.ts'
import { coneGroupL1 } from '../src/penalties/cone-group-l1.ts'
import { activationCones, activeRows } from '../src/sets/index.ts'

const draws = random(3)
const normal = (n: number, d: number): Matrix =>
  matrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => draws.normal()),
  )
const X = normal(40, 3)
const y = Float64Array.from({ length: 40 }, (_, i) => Math.max(0, X.data[i * 3]!))
const gates = sampleGates(X, { count: 10 })
const program = gatedReluProgram({ X, y, gates, lambda: 0.02 })
const none = (d: number, intercept: number) =>
  gatedReluNetwork({
    gates: matrix(0, d),
    gateBias: new Float64Array(0),
    W1: matrix(0, d),
    b1: new Float64Array(0),
    W2: matrix(0, 1),
    intercept: Float64Array.of(intercept),
  })

describe('the event loop', () => {
  it('breathes between the certificates of steps', async () => {
    let fired = 0
    const timer = setInterval(() => fired++, 1)
    const begun = performance.now()
    for await (const _ of steps(program, {
      tolerance: 0,
      maxIterations: 1e9,
      checkEvery: 1,
      solver: proximalGradient({ step: 1e-9, grow: 1 }),
    }))
      if (performance.now() - begun > 300) break
    clearInterval(timer)
    expect(fired).toBeGreaterThan(5)
  })
  it('lets a signal stop steps', async () => {
    const walking = steps(program, {
      tolerance: 0,
      maxIterations: 20_000,
      checkEvery: 1,
      signal: AbortSignal.timeout(20),
      solver: proximalGradient({ step: 1e-9, grow: 1 }),
    })
    for (;;) {
      const at = await walking.next()
      if (!at.done) continue
      expect(at.value.status).toBe('aborted')
      break
    }
  })
  it('breathes between the solutions of a sweep', async () => {
    let fired = 0
    const timer = setInterval(() => fired++, 1)
    for await (const _ of sweep(program, { lambdas: Array.from({ length: 400 }, (_, i) => 0.05 * 0.99 ** i) })) void 0
    clearInterval(timer)
    expect(fired).toBeGreaterThan(3)
  })
})

describe('a start whose fit belongs to other data', () => {
  const mirror = X.data.map((v) => -v)
  const other = gatedReluProgram({
    X: matrix(40, 3, mirror),
    y: y.map((v) => 2 * v - 1),
    gates: sampleGates(matrix(40, 3, mirror), { count: 10, seed: 5 }),
    lambda: 0.02,
  })
  it('does not lie about the answer', () => {
    const solution = solveSync(program)
    const upside = {
      coefficients: solution.coefficients.map((v) => -v),
      fit: program.operator.apply(solution.coefficients),
    }
    const again = solveSync(program, { start: upside, maxIterations: 1, checkEvery: 1 })
    expect(certify(program, { coefficients: again.coefficients }).primal).toBeCloseTo(again.certificate.primal, 10)
  })
  it('does not hang', () => {
    let products = 0
    const counted = {
      ...other,
      operator: {
        ...other.operator,
        apply(u: Float64Array, out?: Float64Array) {
          if (++products > 1e5) throw new Error('hangs')
          return other.operator.apply(u, out)
        },
      } as LinearOperator,
    }
    expect(() => solveSync(counted, { start: solveSync(program), maxIterations: 500 })).not.toThrow()
  })
})

describe('proximal gradient at a fixed point', () => {
  it('takes no more than a hundred products for one iterate', () => {
    let worst = 0
    for (let seed = 0; seed < 12; seed++) {
      const r = random(seed)
      const n = 1 + r.below(30),
        d = 1 + r.below(5)
      const Z = matrix(
        n,
        d,
        Float64Array.from({ length: n * d }, () => r.normal()),
      )
      const t = Float64Array.from({ length: n }, () => r.normal())
      const base = gatedReluProgram({ X: Z, y: t, gates: sampleGates(Z, { count: 4, seed }), lambda: 0 })
      for (const share of [0, 0.01, 0.3]) {
        const p = { ...base, lambda: share * lambdaMax(base) }
        let products = 0
        const counted = {
          ...p,
          operator: {
            ...p.operator,
            apply(u: Float64Array, out?: Float64Array) {
              products++
              return p.operator.apply(u, out)
            },
          } as LinearOperator,
        }
        let k = 0
        for (const _ of proximalGradient().iterate(counted)) {
          worst = Math.max(worst, products)
          products = 0
          if (++k > 1500) break
        }
      }
    }
    expect(worst).toBeLessThanOrEqual(100)
  })
})

describe('targets that are all the same with an unpenalised bias', () => {
  it.each([0.1, 0.3, 7.7, 1e6 + 0.1])('%s are solved at once', (c) => {
    for (const make of [gatedReluProgram, reluProgram]) {
      const s = solveSync<unknown>(
        make({ X, y: new Float64Array(40).fill(c), gates, lambda: 0.1, bias: 'unpenalised' }),
        { maxIterations: 100 },
      )
      expect(s.status).toBe('solved')
    }
  })
})

describe('verify of a penalty that is no weight decay', () => {
  it.each(
    [l1(), ridge(), featureGroupL1(), groupL1({ joint: true })].map((penalty) => ({ penalty, name: penalty.name })),
  )('$name', ({ penalty }) => {
    const Y = matrix(
      40,
      2,
      Float64Array.from({ length: 80 }, (_, k) => Math.max(0, X.data[(k >> 1) * 3 + (k % 2)]!)),
    )
    const p = gatedReluProgram({ X, y: Y, gates, lambda: 0.005, penalty })
    const s = solveSync(p, { tolerance: 1e-9 })
    const v = verify(p, s.model)
    expect(v.network ?? Infinity).toBeGreaterThanOrEqual(v.lowerBound * (1 - 1e-8))
    if (v.difference !== undefined) expect(Math.abs(v.difference)).toBeLessThan(1e-8)
  })
})

describe('an intercept that the program does not have', () => {
  const shifted = gatedReluProgram({ X, y: y.map((v) => v + 5), gates, lambda: 0.02 })
  it('is refused by embed, not ignored', () => {
    expect(() => verify(shifted, none(3, 5.3))).toThrow(/intercept/)
  })
  it('that is wrong costs what it costs', () => {
    const free = gatedReluProgram({ X, y: y.map((v) => v + 5), gates, lambda: 0.02, bias: 'unpenalised' })
    expect(verify(free, none(3, 1000)).network).toBeGreaterThan(1000)
  })
  it('relu: is refused by embed, not ignored', () => {
    const p = reluProgram({ X, y: y.map((v) => v + 5), gates, lambda: 0.02 })
    const m = reluNetwork({
      W1: matrix(0, 3),
      b1: new Float64Array(0),
      W2: matrix(0, 1),
      intercept: Float64Array.of(5.3),
    })
    expect(() => verify(p, m)).toThrow(/intercept/)
  })
})

describe('a projection on the origin', () => {
  it('is the origin: the violation of what is projected is rounding', () => {
    const rows = matrix(6, 3, Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, -0.357, 0, -1.32, 0, 0, 0, 0.185, 0, -0.904))
    const vectors = matrix(2, 3, Float64Array.of(-0.007, 2, -3, -2.221, -1, -0.327))
    const penalty = coneGroupL1({ cones: activationCones(rows, patternsOf(vectors, rows)), perGate: 2 })
    const p = penalty.domain!.project(Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0.271, 0, 1))
    expect(penalty.domain!.violation(p)).toBeLessThanOrEqual(1e-12)
  })
  it('so that a certificate of it is feasible, and its network can be embedded', () => {
    const rows = matrix(6, 3, Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, -0.357, 0, -1.32, 0, 0, 0, 0.185, 0, -0.904))
    const vectors = matrix(2, 3, Float64Array.of(-0.007, 2, -3, -2.221, -1, -0.327))
    const p = reluProgram({ X: rows, y: [1, 2, 3, 4, 5, 6], gates: gatesFrom(vectors, rows), lambda: 1000 })
    const s = solveSync(p, {
      start: { coefficients: Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0.271, 0, 1) },
      tolerance: 1e9,
    })
    expect(s.certificate.primalFeasibility).toBeLessThanOrEqual(1e-12)
    expect(s.model.width).toBe(0)
  })
})

describe('rows with a single nonzero feature', () => {
  it('embed takes back what recover made of a point on the boundary of its cone', () => {
    const oneHot = matrix(4, 3, Float64Array.of(2, -2, 2, 0, 0, -1, -1, 0, 0, 1, 0, -1))
    const vectors = matrix(1, 3, Float64Array.of(0, 0, 1))
    const p = reluProgram({ X: oneHot, y: [1, 2, 3, 4], gates: gatesFrom(vectors, oneHot), lambda: 0.01 })
    // In the cone but for one rounding: c = 1e-17 where the row (0, 0, -1) wants c >= 0 met with equality.
    const inside = Float64Array.of(-1.8735, -1.8735, -1e-17, 0, 0, 0)
    expect(certify(p, { coefficients: inside }).primalFeasibility).toBeLessThan(1e-16)
    expect(() => p.embed(p.recover({ coefficients: inside }))).not.toThrow()
  })
  it('verify takes the model of a solution on one-hot columns', () => {
    let refused = 0
    for (let seed = 0; seed < 30; seed++) {
      const r = random(seed)
      const n = 24
      const Z = matrix(n, 4)
      for (let i = 0; i < n; i++) {
        Z.data[i * 4 + r.below(3)] = 1
        if (r.uniform() < 0.7) Z.data[i * 4 + 3] = r.normal()
      }
      const t = Float64Array.from({ length: n }, () => r.normal())
      const base = reluProgram({ X: Z, y: t, gates: sampleGates(Z, { count: 12, seed }), lambda: 1 })
      const p = { ...base, lambda: 0.05 * lambdaMax(base) }
      const s = solveSync(p)
      try {
        verify(p, s.model)
      } catch {
        refused++
      }
    }
    expect(refused).toBe(0)
  })
})

describe('a damaged file', () => {
  const json = solveSync(program).model.toJSON() as unknown as Record<string, unknown>
  it.each([
    ['features', 99],
    ['outputs', 99],
  ])('with %s = %s is refused', (field, value) => {
    expect(() => loadModel({ ...json, [field]: value })).toThrow(TypeError)
  })
  it('with version "1" is not told to update', () => {
    expect(() => loadModel({ ...json, version: '1' })).toThrow(/^(?!.*update cvxnn)/)
  })
})

it('a pattern of four million rows has a key', () => {
  expect(() => patternKey(bitColumns(4e6, 1), 0)).not.toThrow()
})

describe('a lambda that is none', () => {
  it.each([-0.01, Number.NaN])('{ ...program, lambda: %s } is refused', (lambda) => {
    expect(() => solveSync({ ...program, lambda }, { maxIterations: 10 })).toThrow(RangeError)
  })
  it('lambdas: [-0.01] is refused by a sweep', () => {
    expect(() => [...sweepSync(program, { lambdas: [-0.01], maxIterations: 10 })]).toThrow(RangeError)
  })
})

it('targets without a column are refused', () => {
  expect(() => gatedReluProgram({ X, y: matrix(40, 0), gates, lambda: 0.1 })).toThrow(RangeError)
})

it('a penalty whose blocks do not divide the coefficients is refused', () => {
  expect(() => gatedReluProgram({ X, y, gates, lambda: 0.01, penalty: groupL1({ size: 4 }) })).toThrow(RangeError)
})

it('gates of other data of the same size are refused', () => {
  expect(() => gatedReluProgram({ X, y, gates: sampleGates(normal(40, 3), { count: 10 }), lambda: 0.02 })).toThrow(
    RangeError,
  )
})

describe('options of proximalGradient', () => {
  it.each([{ shrink: 1 }, { shrink: 0 }, { step: 0 }, { step: -1 }, { grow: 0.5 }, { looseness: Number.NaN }])(
    '%j is refused',
    (options) => {
      expect(() => proximalGradient(options)).toThrow(RangeError)
    },
  )
})

it('targets that are text are named as such', () => {
  expect(() => gatedReluProgram({ X, y: Array.from(y, String) as never, gates, lambda: 0.01 })).toThrow(/text/)
})

it('the polar of cones is never below the longest projection', () => {
  let worst = 0
  for (let seed = 0; seed < 200; seed++) {
    const r = random(seed)
    const d = 4
    const Z = matrix(
      12,
      d,
      Float64Array.from({ length: 12 * d }, () => r.normal()),
    )
    const g = matrix(
      1,
      d,
      Float64Array.from({ length: d }, () => r.normal()),
    )
    const cones = activationCones(Z, patternsOf(g, Z))
    const penalty = coneGroupL1({ cones, perGate: 1 })
    // A point deep in the polar cone: what the projection takes off.
    const w = Float64Array.from({ length: d }, () => r.normal())
    const p = new Float64Array(d)
    const length = cones.project(0, w, 0, p, 0, activeRows(d))
    if (!(length > 1e-9)) continue
    const off = w.map((v, j) => v - p[j]!)
    for (const tiny of [1e-6, 1e-7, 1e-8, 1e-9]) {
      const v = off.map((value, j) => value + tiny * p[j]!)
      penalty.polar(off.map((value, j) => value + 1.1 * tiny * p[j]!))
      const exact = cones.project(0, v, 0, new Float64Array(d), 0, activeRows(d))
      worst = Math.max(worst, 1 - penalty.polar(v) / exact)
    }
  }
  expect(worst).toBeLessThanOrEqual(1e-6)
})

it('a neuron that is dead on X is a point of the program over all patterns', () => {
  const Z = matrix(3, 2, Float64Array.of(1, 0, 0, 1, 1, 1))
  const p = reluProgram({ X: Z, y: [1, 2, 3], gates: enumerateGates(Z), lambda: 0.1 })
  const m = reluNetwork({
    W1: matrix(1, 2, Float64Array.of(-1, -1)),
    b1: new Float64Array(1),
    W2: matrix(1, 1, Float64Array.of(1)),
    intercept: Float64Array.of(0),
  })
  expect(verify(p, m).network).toBeGreaterThan(0)
})

it('restrict refuses gates that there are not', () => {
  expect(() => program.restrict!(Int32Array.of(99))).toThrow(RangeError)
})
it('an abort before the first iterate is seen before it is computed', () => {
  let asked = 0
  const slow = {
    name: 'slow',
    supports: () => true as const,
    *iterate() {
      for (;;) {
        asked++
        yield { coefficients: new Float64Array(program.operator.columns) }
      }
    },
  }
  const s = solveSync(program, { solver: slow, signal: AbortSignal.abort() })
  expect([s.status, asked]).toEqual(['aborted', 0])
})

it('a block on the boundary of its cone leaves no normal that would make other points vanish', () => {
  const rows = [-1, 1, 1, 3, 1, -1, -1, 2, 5, -2, 0, 1, -1, 1, 0, 3, -1, 1]
  const vectors = [0.5518373178126825, -0.9392140550752035, 0.24501197612641779]
  const others = [-0.2298295336815585, 0.9451878177083807, 0.20481482064102804]
  const data = matrix(6, 3, Float64Array.from(rows))
  const cones = activationCones(data, patternsOf(matrix(2, 3, Float64Array.from([...vectors, ...others])), data))
  const penalty = coneGroupL1({ cones, perGate: 2 })
  const point = Float64Array.of(1, 0.79, 0.52, 1, -2, 1, 1, -1.39, -3, 0.17, 0.72, -0.8)
  const polar = penalty.polar(point)
  expect(polar).toBeCloseTo(Math.sqrt(6), 12)
  expect(penalty.prox(point, polar * (1 - 1e-9)).some((value) => value !== 0)).toBe(true)
  expect(penalty.polar(point)).toBeCloseTo(polar, 12)
})
