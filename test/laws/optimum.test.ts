import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  gatesOf as gatesOfNetwork,
  lambdaMax,
  type Matrix,
  matrix,
  reluNetwork,
  reluProgram,
  type Solution,
  solveSync,
} from '../../src/index.ts'
import {
  gatesOf,
  type Instance,
  type InstanceOptions,
  instance,
  instanceWithPoint,
  norms,
  perGate,
  permutation,
  plainMatrix,
  programOf,
  vector,
} from '../arbitraries.ts'
import { fitOf, insideOf, ista, length, naive, naiveCertificate } from './naive.ts'

const tolerance = 1e-7

/** The optimum lies in [dual, primal]: what is compared is these intervals, so that nothing depends on the solver. */
function solved(program: ConvexProgram): Solution['certificate'] {
  const { status, certificate } = solveSync(program, { tolerance, maxIterations: 20_000 })
  expect(status).toBe('solved')
  return certificate
}

/** That two optima, known up to their gaps, may be equal after the second is multiplied. */
function expectEqualOptima(a: ConvexProgram, b: ConvexProgram, factor = 1): void {
  const [first, second] = [solved(a), solved(b)]
  expect(first.dual).toBeLessThanOrEqual(factor * second.primal * (1 + 1e-9) + 1e-15)
  expect(factor * second.dual).toBeLessThanOrEqual(first.primal * (1 + 1e-9) + 1e-15)
}

const law = (
  title: string,
  check: (at: Instance, u: Float64Array) => void,
  options: InstanceOptions & { runs?: number } = {},
): void =>
  it(title, () => {
    fc.assert(
      fc.property(instanceWithPoint({ inputs: plainMatrix, leastLambda: 0.02, ...options }), ([at, u]) => check(at, u)),
      { numRuns: options.runs ?? 40 },
    )
  })

describe('the optimum', () => {
  law('lies between bound and objective of every point', (at, u) => {
    const program = programOf(at)
    const best = solved(program)
    const certificate = certify(program, { coefficients: u })
    expect(certificate.dual).toBeLessThanOrEqual(best.primal * (1 + 1e-10))
    expect(certificate.primal).toBeGreaterThanOrEqual(best.dual * (1 - 1e-10))
  })

  law('is where plain proximal gradient steps on dense matrices come to', (at) => {
    const best = solved(programOf(at))
    const plain = naive(at)
    const { primal, dual } = naiveCertificate(plain, Float64Array.from(ista(plain, 300)))
    expect(best.dual).toBeLessThanOrEqual(primal * (1 + 1e-9) + rounding(at))
    expect(best.primal).toBeGreaterThanOrEqual(dual - 1e-9 * primal - rounding(at))
  })

  it('does not change when rows, gates and features change places', () => {
    const moved = instance({ inputs: plainMatrix, leastLambda: 0.02 }).chain((at) =>
      fc.tuple(fc.constant(at), permutation(at.X.rows), permutation(at.vectors.rows), permutation(at.X.columns)),
    )
    fc.assert(
      fc.property(moved, ([at, rows, gates, features]) => {
        const offsets = at.vectors.columns > at.X.columns ? [at.X.columns] : []
        expectEqualOptima(
          programOf(at),
          programOf({
            ...at,
            X: chosen(at.X, rows, features),
            y: chosen(at.y, rows, all(at.y.columns)),
            vectors: chosen(at.vectors, gates, [...features, ...offsets]),
          }),
        )
      }),
      { numRuns: 40 },
    )
  })

  law(
    'scales with the square when y and lambda are scaled together',
    (at) => {
      const s = 7
      const scaled = {
        ...at,
        y: matrix(
          at.y.rows,
          at.y.columns,
          at.y.data.map((value) => s * value),
        ),
        lambda: s * at.lambda,
      }
      expectEqualOptima(programOf(scaled), programOf(at), s * s)
    },
    { penalties: norms },
  )

  law(
    'with ridge, scales with the square of y at the same lambda',
    (at) => {
      const scaled = {
        ...at,
        y: matrix(
          at.y.rows,
          at.y.columns,
          at.y.data.map((value) => 5 * value),
        ),
      }
      expectEqualOptima(programOf(scaled), programOf(at), 25)
    },
    { families: ['gated-relu'], penalties: ['ridge'] },
  )

  law(
    'does not change when a gate is there twice',
    (at) => {
      const twice = chosen(at.vectors, [...all(at.vectors.rows), 0, at.vectors.rows - 1], all(at.vectors.columns))
      expectEqualOptima(programOf({ ...at, vectors: twice }), programOf(at))
    },
    { penalties: ['group-l1', 'joint-group-l1', 'l1'] },
  )

  law('is never raised by more gates', (at) => {
    const some = chosen(at.vectors, all(Math.ceil(at.vectors.rows / 2)), all(at.vectors.columns))
    expect(solved(programOf(at)).dual).toBeLessThanOrEqual(
      solved(programOf({ ...at, vectors: some })).primal * (1 + 1e-10),
    )
  })

  law('rises with lambda, and never above what the zero network pays', (at) => {
    const low = solveSync(programOf(at), { tolerance })
    const high = solveSync(programOf({ ...at, lambda: 3 * at.lambda }), { tolerance })
    expect(low.certificate.dual).toBeLessThanOrEqual(high.certificate.primal * (1 + 1e-10))
    const start = low.program.loss.value(new Float64Array(low.program.loss.size))
    expect(high.certificate.dual).toBeLessThanOrEqual(start * (1 + 1e-10) + 1e-15)
  })

  law(
    'of the ReLU program is at least that of the gated one on the same gates',
    (at) => {
      const relu = programOf({ ...at, family: 'relu' })
      const gated = programOf({ ...at, family: 'gated-relu', penalty: 'group-l1' })
      expect(solved(relu).primal).toBeGreaterThanOrEqual(solved(gated).dual * (1 - 1e-10))
    },
    { families: ['relu'] },
  )

  law(
    'is kept when the program is restricted to the gates that are active',
    (at) => {
      const program = programOf(at)
      const solution = solveSync(program, { tolerance })
      const size = perGate(at)
      const active = all(at.vectors.rows).filter((i) =>
        solution.coefficients.subarray(i * size, (i + 1) * size).some((value) => value !== 0),
      )
      fc.pre(active.length > 0)
      const narrow = program.restrict!(Int32Array.from(active))
      expect(narrow.operator.columns).toBe(active.length * size)
      expect(narrow.lambda).toBe(program.lambda)
      expect(narrow.scope).toBe('program')
      expectEqualOptima(narrow, program)
      const kept = Float64Array.from(
        active.flatMap((i) => [...solution.coefficients.subarray(i * size, (i + 1) * size)]),
      )
      const primal = certify(narrow, { coefficients: kept }).primal
      expect(Math.abs(primal - solution.certificate.primal)).toBeLessThanOrEqual(1e-10 * (1e-6 + primal))
    },
    { penalties: ['group-l1', 'joint-group-l1', 'l1', 'ridge'] },
  )

  law(
    'of { ...program, lambda } is that of the program made with this lambda',
    (at, u) => {
      const other = 2 * at.lambda + 0.01
      const moved = { ...programOf(at), lambda: other }
      const made = programOf({ ...at, lambda: other })
      expect(certify(moved, { coefficients: u })).toEqual(certify(made, { coefficients: u }))
      const model = made.recover({ coefficients: u })
      expect(moved.networkObjective?.(model)).toBe(made.networkObjective?.(model))
      const gates = Int32Array.of(0)
      expect(moved.restrict!(gates).lambda).toBe(other)
      expect(lambdaMax(moved)).toBe(lambdaMax(made))
    },
    { runs: 100 },
  )
})

describe('a network and its point', () => {
  law(
    'the recovered network has the fit of its point, and its own objective is the program value',
    (at, given) => {
      const program = programOf(at)
      const u = insideOf(naive(at), given)
      const model = program.recover({ coefficients: u })
      const fit = fitOf(naive(at), u)
      const predicted = model.predict(at.X).data
      const { intercept } = program.loss
      const shift = intercept ? intercept(Float64Array.from(fit)) : new Float64Array(at.y.columns)
      const scale = 1 + Math.max(...fit.map(Math.abs), ...at.y.data.map(Math.abs))
      fit.forEach((value, k) => {
        expect(Math.abs(predicted[k]! - value - shift[k % at.y.columns]!)).toBeLessThanOrEqual(1e-11 * scale)
      })
      // Weight decay is what group-l1 pays, and no other penalty.
      const joined = at.penalty === 'joint-group-l1' && at.y.columns === 1
      const decays = at.family === 'relu' || at.penalty === 'group-l1' || joined
      expect(program.networkObjective !== undefined).toBe(decays)
      if (!decays) return
      const { primal } = naiveCertificate({ ...naive({ ...at, penalty: 'group-l1' }) }, u)
      expect(Math.abs(program.networkObjective!(model)! - primal)).toBeLessThanOrEqual(1e-10 * (1 + primal))
    },
    { runs: 150, leastLambda: 0 },
  )

  law(
    'embed undoes recover: the same fit',
    (at, given) => {
      const program = programOf({ ...at, vectors: gatesOf(at).vectors })
      const u = insideOf(naive(at), given)
      const back = program.embed(program.recover({ coefficients: u }))
      const [first, second] = [fitOf(naive(at), u), fitOf(naive(at), back.coefficients)]
      const scale = 1 + Math.max(...first.map(Math.abs))
      first.forEach((value, k) => {
        expect(Math.abs(second[k]! - value)).toBeLessThanOrEqual(1e-8 * scale)
      })
    },
    { families: ['gated-relu'], runs: 100 },
  )

  const networks = fc
    .tuple(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 2 }),
    )
    .chain(([n, d, width, outputs]) =>
      fc.record({
        X: plainMatrix(n, d),
        weights: fc.record({
          W1: plainMatrix(width, d),
          b1: vector(width),
          W2: plainMatrix(width, outputs),
          intercept: fc.constant(new Float64Array(outputs)),
        }),
        y: plainMatrix(n, outputs),
      }),
    )

  it('a ReLU network of any weights is a point of the program with its patterns: the same fit, inside the cones', () => {
    fc.assert(
      fc.property(networks, ({ X, weights, y }) => {
        const network = reluNetwork(weights)
        const program = reluProgram({ X, y, gates: gatesOfNetwork(network, X), lambda: 0.1, bias: true })
        const at = program.embed(network)
        const fit = program.operator.apply(at.coefficients)
        const predicted = network.predict(X).data
        const scale = 1 + Math.max(...predicted.map(Math.abs))
        predicted.forEach((value, k) => {
          expect(Math.abs(fit[k]! - value)).toBeLessThanOrEqual(1e-8 * scale)
        })
        const { primal, primalFeasibility } = certify(program, at)
        expect(primalFeasibility).toBeLessThanOrEqual(1e-8)
        // Its layers need not be balanced, so a network pays at least what its point does; with several outputs it may
        // pay less, since a neuron that serves two of them is two blocks here.
        if (y.columns === 1) expect(program.networkObjective!(network)).toBeGreaterThanOrEqual(primal * (1 - 1e-8))
      }),
      { numRuns: 200 },
    )
  })
})

/** What rounding leaves of targets that are all the same, once an intercept has taken them. */
function rounding({ y }: Instance): number {
  return 1e-30 * length(Array.from(y.data)) ** 2
}

function all(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k)
}

/** Some rows and columns, in the order given. */
function chosen(M: Matrix, rows: readonly number[], columns: readonly number[]): Matrix {
  return matrix(
    rows.length,
    columns.length,
    Float64Array.from(rows.flatMap((r) => columns.map((j) => M.data[r * M.columns + j]!))),
  )
}

describe('a point outside the cones', () => {
  law(
    'is repaired: its value is finite and that of a feasible point, never below the optimum, and the violation is told',
    (at, u) => {
      const program = programOf(at)
      const certificate = certify(program, { coefficients: u })
      const inside = insideOf(naive(at), u)
      const repaired = naiveCertificate(naive(at), u)
      expect(Math.abs(certificate.primal - repaired.primal)).toBeLessThanOrEqual(1e-9 * repaired.primal + rounding(at))
      expect(certificate.primal).toBeGreaterThanOrEqual(solved(program).dual * (1 - 1e-9))
      const moved = length(Array.from(u, (value, k) => value - inside[k]!))
      if (moved > 1e-6) expect(certificate.primalFeasibility).toBeGreaterThan(0)
      if (moved === 0) expect(certificate.primalFeasibility).toBeLessThanOrEqual(1e-12)
    },
    { families: ['relu'], runs: 100 },
  )
})
