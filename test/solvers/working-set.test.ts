import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  augmentedLagrangian,
  type ConvexProgram,
  certify,
  etaNewton,
  gatedReluProgram,
  huber,
  type LossChoice,
  lambdaMax,
  logistic,
  type Matrix,
  matrix,
  proximalGradient,
  proximalNewton,
  reluProgram,
  type Solution,
  type Solver,
  sampleGates,
  screened,
  softmax,
  solve,
  solveSync,
  squared,
  squaredHinge,
  workingSet,
} from '../../src/index.ts'
import { type Instance, instance, plainMatrix, programOf } from '../arbitraries.ts'
import { bent } from '../support/planted.ts'
import { zoo } from '../zoo.ts'

const tolerance = 1e-8
/** Small sets that have to grow, and looks after every iterate: everything happens on small programs too. */
const eager = (): Solver => workingSet({ first: 1, growth: 1, checkEvery: 1 })
const solvers: [string, () => Solver][] = [
  ['by default', () => workingSet()],
  ['with the smallest sets', eager],
]

/** The optima of both, known up to their gaps, may be the same. */
function expectSameOptimum(a: Solution, b: Solution): void {
  expect([a.status, b.status]).toEqual(['solved', 'solved'])
  const size = 1e-12 * (1e-3 + Math.abs(a.certificate.primal))
  expect(a.certificate.dual).toBeLessThanOrEqual(b.certificate.primal + size)
  expect(b.certificate.dual).toBeLessThanOrEqual(a.certificate.primal + size)
}

for (const [how, make] of solvers)
  describe(`a working set ${how}, on the zoo`, () => {
    const supported = zoo.filter(({ program }) => make().supports(program) === true)

    it.each(supported)('solves $name as proximal gradient does, leaving a start as it is', ({ program }) => {
      const alone = solveSync(program, { solver: proximalGradient(), tolerance })
      const found = solveSync(program, { solver: make(), tolerance })
      expectSameOptimum(found, alone)
      const fresh = certify(program, { coefficients: found.coefficients })
      expect(Math.abs(fresh.primal - found.certificate.primal)).toBeLessThanOrEqual(1e-12 * (1 + fresh.primal))
      expect(fresh.primalFeasibility).toBeLessThanOrEqual(1e-12)

      const coefficients = Float64Array.from({ length: program.operator.columns }, (_, k) => Math.sin(k + 1))
      const kept = coefficients.slice()
      expectSameOptimum(solveSync(program, { solver: make(), tolerance, start: { coefficients } }), alone)
      expect(coefficients).toEqual(kept)
      const again = solveSync(program, { solver: make(), tolerance: 2 * tolerance, start: found })
      expect([again.status, again.iterations]).toEqual(['solved', 0])
    })

    it('says why not of the rest', () => {
      expect(supported.length).toBeGreaterThan(30)
      for (const { program } of zoo) {
        const answer = make().supports(program)
        if (answer !== true) expect(answer).toMatch(/^working-set: .+, expected .+; use proximalGradient\(\)\.$/)
      }
    })
  })

interface Drawn extends Instance {
  readonly loss: LossChoice
}

/** Losses on random targets, on their signs, and on one class a row. */
const drawn: fc.Arbitrary<Drawn> = instance({
  inputs: plainMatrix,
  penalties: ['group-l1', 'joint-group-l1', 'l1'],
  leastLambda: 0.005,
})
  .chain((at) => fc.tuple(fc.constant(at), fc.constantFrom('squared', 'logistic', 'hinge', 'huber', 'softmax')))
  .map(([at, name]): Drawn => {
    const signs = { ...at, y: changed(at.y, (value) => (value > 0 ? 1 : -1)) }
    switch (name) {
      case 'squared':
        return { ...at, loss: squared() }
      case 'huber':
        return { ...at, loss: huber({ delta: 0.3 }) }
      case 'logistic':
        return { ...signs, loss: logistic({ sampleWeights: weights(at.y.rows) }) }
      case 'hinge':
        return { ...signs, loss: squaredHinge() }
      default:
        return {
          ...at,
          y: matrix(
            at.y.rows,
            3,
            Float64Array.from({ length: 3 * at.y.rows }, (_, k) => Number(k % 3 === ((k / 3) | 0) % 3)),
          ),
          loss: softmax(),
        }
    }
  })
  // With an intercept a classifier needs every class; that is tested with the losses.
  .filter(({ bias, loss }) => bias !== 'unpenalised' || loss.name === 'squared' || loss.name === 'huber')

describe('for every loss, penalty and family', () => {
  it('a working set reaches the optimum that proximal gradient reaches', () => {
    fc.assert(
      fc.property(drawn, ({ loss, ...at }) => {
        const base = programOf(at, loss)
        const program = { ...base, lambda: at.lambda * (lambdaMax(base) || 1) }
        const alone = solveSync(program, { solver: proximalGradient(), tolerance: 1e-7 })
        for (const [, make] of solvers)
          expectSameOptimum(solveSync(program, { solver: make(), tolerance: 1e-7 }), alone)
      }),
      { numRuns: 150 },
    )
  })

  it('screened blocks are zero at the optimum, however bad the point that proves it, and nothing active is screened', () => {
    let dropped = 0
    fc.assert(
      fc.property(
        drawn,
        fc.constantFrom(1e-1, 1e-3, 1e-5, 1e-8),
        fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
        ({ loss, ...at }, accuracy, noise) => {
          const base = programOf(at, loss)
          const program = { ...base, lambda: at.lambda * (lambdaMax(base) || 1) }
          const best = solveSync(program, { solver: proximalGradient(), tolerance: 1e-9 })
          const size = program.blocks!.size
          const near = solveSync(program, { solver: proximalGradient(), tolerance: accuracy }).coefficients
          const length = Math.sqrt(best.coefficients.reduce((sum, value) => sum + value * value, 0))
          const far = best.coefficients.map((value) => value + accuracy * length * noise.next().value)
          for (const coefficients of [near, far]) {
            const gone = [...screened(program, { coefficients })]
            dropped += gone.length
            const kept = Int32Array.from(
              Array.from({ length: best.coefficients.length / size }, (_, b) => b).filter((b) => !gone.includes(b)),
            )
            for (const b of gone) {
              // Zero at the optimum: what a solution of gap 1e-9 still has there is of the size of its gap.
              expect(program.lambda * program.penalty.value(only(best.coefficients, b, size))).toBeLessThanOrEqual(
                1e-4 * best.certificate.primal,
              )
            }
            if (kept.length > 0)
              expectSameOptimum(
                solveSync(program.restrict!(kept), { solver: proximalGradient(), tolerance: 1e-8 }),
                best,
              )
          }
        },
      ),
      { numRuns: 100 },
    )
    // The law is not empty: screening finds something.
    expect(dropped).toBeGreaterThan(50)
  })
})

describe('on a program with many gates', () => {
  const { X, y } = bent(120)
  const gates = sampleGates(X, { count: 150 })
  const signs = y.map((value) => (value > 1 ? 1 : -1))
  const programs: [string, ConvexProgram][] = [
    ['gated', gatedReluProgram({ X, y, gates, lambda: 0 })],
    ['gated, logistic', gatedReluProgram({ X, y: signs, gates, lambda: 0, loss: logistic(), bias: 'unpenalised' })],
    ['ReLU', reluProgram({ X, y, gates: sampleGates(X, { count: 40 }), lambda: 0 })],
    ['gated, two outputs', gatedReluProgram({ X, y: twice(y), gates, lambda: 0 })],
  ]

  /** Counts the coefficients that the operators of restricted programs are applied to, by way of their sizes. */
  function counting(program: ConvexProgram, sizes: number[]): ConvexProgram {
    return {
      ...program,
      restrict(this: ConvexProgram, blocks: Int32Array) {
        sizes.push(blocks.length)
        return program.restrict!.call(this, blocks)
      },
    }
  }

  it.each(programs)('%s: works on few of the blocks, and so with fewer of their products', (_, base) => {
    const sizes: number[] = []
    const program = counting({ ...base, lambda: 0.1 * lambdaMax(base) }, sizes)
    const found = solveSync(program, { solver: workingSet(), tolerance })
    expectSameOptimum(found, solveSync(program, { solver: proximalGradient(), tolerance }))
    const count = program.operator.columns / program.blocks!.size
    expect(sizes.length).toBeGreaterThan(0)
    expect(Math.max(...sizes)).toBeLessThan(count)
    expect(Math.min(...sizes)).toBeLessThan(0.6 * count)
  })

  it.each(programs)('%s: started at a near solution, it works on what that solution uses from the first', (_, base) => {
    const top = lambdaMax(base)
    const before = solveSync({ ...base, lambda: 0.11 * top }, { solver: workingSet() })
    const sizes: number[] = []
    const program = counting({ ...base, lambda: 0.1 * top }, sizes)
    const warm = solveSync(program, { solver: workingSet(), start: before })
    const cold = solveSync(program, { solver: workingSet() })
    expectSameOptimum(warm, cold)
    expect(warm.iterations).toBeLessThan(cold.iterations)
  })

  it('an abort in the middle leaves a valid certificate, and an answer to go on from', async () => {
    const base = programs[0]![1]
    const program = { ...base, lambda: 1e-2 * lambdaMax(base) }
    const optimum = solveSync(program, { solver: workingSet(), tolerance: 1e-9 }).certificate.primal
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 20)
    const stopped = await solve(program, { solver: workingSet(), signal: controller.signal, tolerance: 0 })
    expect(stopped.status).toBe('aborted')
    expect(stopped.iterations).toBeGreaterThan(0)
    const fresh = certify(program, { coefficients: stopped.coefficients })
    expect(Math.abs(stopped.certificate.primal - fresh.primal)).toBeLessThanOrEqual(1e-12 * fresh.primal)
    expect(stopped.certificate.dual).toBeLessThanOrEqual(optimum * (1 + 1e-12))
    expect(stopped.certificate.primal).toBeGreaterThanOrEqual(optimum * (1 - 1e-9))
    expect(stopped.certificate.primal).toBeLessThan(program.loss.value(new Float64Array(X.rows)))
    const again = solveSync(program, { solver: workingSet(), start: stopped })
    expect(again.status).toBe('solved')
    expect(again.certificate.primal).toBeLessThanOrEqual(stopped.certificate.primal)
  })

  it('goes on at rounding level without end, and without harm', () => {
    const program = { ...programs[0]![1], lambda: 0.3 * lambdaMax(programs[0]![1]) }
    const found = solveSync(program, { solver: workingSet(), tolerance: 0, maxIterations: 5000 })
    expect(found.certificate.relativeGap).toBeLessThanOrEqual(1e-12)
  })

  it('lets the inner solver clean up', () => {
    let open = 0
    const plain = proximalGradient()
    const inner: Solver = {
      ...plain,
      *iterate(program, start) {
        open++
        try {
          yield* plain.iterate(program, start)
        } finally {
          open--
        }
      },
    }
    const program = { ...programs[0]![1], lambda: 0.1 * lambdaMax(programs[0]![1]) }
    expect(solveSync(program, { solver: workingSet({ inner }) }).status).toBe('solved')
    expect(open).toBe(0)
  })

  it('takes any inner solver: one that ends by itself, one that leaves the cones, one that says when to look', () => {
    const [base, , cones] = programs.map(([, program]) => program)
    const ending: Solver = {
      ...proximalGradient(),
      *iterate(program, start) {
        let left = 7
        for (const { coefficients } of proximalGradient().iterate(program, start)) {
          if (left-- === 0) return
          yield { coefficients, certify: left === 0 }
        }
      },
    }
    for (const [of, inner] of [
      [base!, ending],
      [base!, etaNewton()],
      [gatedReluProgram({ X, y: signs, gates, lambda: 1, loss: logistic() }), proximalNewton()],
      [cones!, augmentedLagrangian()],
    ] as const) {
      const program = { ...of, lambda: 0.5 * lambdaMax(of) }
      const found = solveSync(program, { solver: workingSet({ inner }), tolerance: 1e-4 })
      expectSameOptimum(found, solveSync(program, { tolerance: 1e-4 }))
    }
  })
})

describe('options and programs that are refused', () => {
  it.each([
    [{ accuracy: 0 }, 'workingSet: accuracy is 0, expected between 0 and 1; pass for example 0.1.'],
    [{ accuracy: 1 }, 'workingSet: accuracy is 1, expected between 0 and 1; pass for example 0.1.'],
    [{ first: 0 }, 'workingSet: first is 0, expected a positive whole number; pass for example 10.'],
    [{ growth: 0.5 }, 'workingSet: growth is 0.5, expected at least 1; pass for example 1.5.'],
    [{ growth: Number.NaN }, 'workingSet: growth is NaN, expected at least 1; pass for example 1.5.'],
    [{ checkEvery: 1.5 }, 'workingSet: checkEvery is 1.5, expected a positive whole number; pass for example 10.'],
  ])('%o', (options, sentence) => {
    expect(() => workingSet(options)).toThrow(new RangeError(sentence))
  })

  it('screened names what the program lacks', () => {
    const { X, y } = bent(10)
    const program = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 3 }), lambda: 0 })
    const at = { coefficients: new Float64Array(program.operator.columns) }
    expect(screened({ ...program, lambda: 2 * lambdaMax(program) }, at)).toEqual(Int32Array.of(0, 1, 2))
    expect(() => screened(program, at)).toThrow(
      new RangeError(
        'screened: gated-relu has lambda 0, expected above 0, so that blocks are zero; use proximalGradient().',
      ),
    )
  })
})

/** u with all but one block zero. */
function only(u: Float64Array, b: number, size: number): Float64Array {
  return u.map((value, k) => (Math.floor(k / size) === b ? value : 0))
}

function weights(rows: number): number[] {
  return Array.from({ length: rows }, (_, r) => 0.5 + (r % 3))
}

function changed(M: Matrix, change: (value: number) => number): Matrix {
  return matrix(M.rows, M.columns, M.data.map(change))
}

function twice(y: readonly number[]): Matrix {
  return matrix(y.length, 2, Float64Array.from(y.flatMap((value, r) => [value, Math.sin(r) * value])))
}
