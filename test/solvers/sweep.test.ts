import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  etaNewton,
  gatedReluProgram,
  lambdaGrid,
  lambdaMax,
  logistic,
  proximalGradient,
  proximalNewton,
  reluProgram,
  ridge,
  type Solution,
  type Solver,
  type SweepOptions,
  sampleGates,
  solveSync,
  sweep,
  sweepSync,
  workingSet,
} from '../../src/index.ts'
import { bent } from '../support/planted.ts'

const { X, y } = bent(40)
const gates = sampleGates(X, { count: 15 })
const program = gatedReluProgram({ X, y, gates, lambda: 1 })
const labels = y.map((value) => (value > 1 ? 1 : -1))
const classes = gatedReluProgram({ X, y: labels, gates, lambda: 1, loss: logistic() })
const solvers: [string, () => Solver][] = [
  ['proximal gradient', () => proximalGradient()],
  ['working sets', () => workingSet()],
  ["Newton's method on eta", () => etaNewton()],
  ['proximal Newton', () => proximalNewton()],
]

async function all(options: SweepOptions): Promise<Solution[]> {
  const found: Solution[] = []
  for await (const solution of sweep(program, options)) found.push(solution)
  return found
}

describe('a sweep', () => {
  it('goes in geometric steps from lambda_max to ratio times it', async () => {
    const path = await all({ count: 5, ratio: 1e-2 })
    const lambdas = path.map((solution) => solution.program.lambda)
    expect(lambdas).toEqual(lambdaGrid(program, { count: 5, ratio: 1e-2 }))
    const top = lambdaMax(program)
    for (const [k, ratio] of [1, 10 ** -0.5, 0.1, 10 ** -1.5, 0.01].entries())
      expect(lambdas[k]! / (top * ratio)).toBeCloseTo(1, 12)
    expect(lambdaGrid(program).length).toBe(20)
    expect(lambdaGrid(program).at(-1)! / top).toBeCloseTo(1e-3, 12)
    expect(lambdaGrid(program, { count: 1 })).toEqual([top])
  })

  it.each<[string, ConvexProgram]>([
    ['gated', program],
    ['ReLU', reluProgram({ X, y, gates, lambda: 1 })],
  ])('certifies every %s point, as a solve from zero does', async (_, of) => {
    const path: Solution[] = []
    for await (const solution of sweep(of, { count: 6, ratio: 1e-2, tolerance: 1e-7 })) path.push(solution)
    expect(path.length).toBe(6)
    for (const { status, certificate, program: at } of path) {
      expect(status).toBe('solved')
      const alone = solveSync(at, { tolerance: 1e-7 }).certificate
      expect(certificate.primal).toBeGreaterThanOrEqual(alone.dual * (1 - 1e-12))
      expect(certificate.dual).toBeLessThanOrEqual(alone.primal * (1 + 1e-12))
    }
    expect(path[0]!.coefficients.every((value) => value === 0)).toBe(true)
  })

  it('has objectives that fall and networks that grow in size as lambda falls', async () => {
    const path = await all({ count: 8, tolerance: 1e-8 })
    for (let k = 1; k < path.length; k++) {
      expect(path[k]!.certificate.primal).toBeLessThanOrEqual(path[k - 1]!.certificate.primal)
      const norms = [path[k - 1]!, path[k]!].map((at) => at.program.penalty.value(at.coefficients))
      expect(norms[1]).toBeGreaterThanOrEqual(norms[0]! * (1 - 1e-4))
    }
  })

  it.each<[string, ConvexProgram]>([
    ['gated', program],
    ['ReLU', reluProgram({ X, y, gates, lambda: 1 })],
  ])('starts every %s solve at the solution before, or at an extrapolation that is better and inside', (_, of) => {
    const starts: { at: ConvexProgram; u: Float64Array | undefined }[] = []
    const inner = proximalGradient()
    const solver: Solver = {
      ...inner,
      iterate(at, start) {
        starts.push({ at, u: start?.coefficients })
        return inner.iterate(at, start)
      },
    }
    const lambdas = [0.5, 0.3, 0.2, 0.15, 0.1, 0.08].map((ratio) => ratio * lambdaMax(of))
    const path = [...sweepSync(of, { solver, lambdas, tolerance: 1e-8 })]
    expect(starts.map(({ at }) => at.lambda)).toEqual(lambdas)
    expect(starts[0]!.u).toBe(undefined)
    expect(starts[1]!.u).toEqual(path[0]!.coefficients)
    let better = 0
    for (let k = 2; k < path.length; k++) {
      const { at, u } = starts[k]!
      const last = path[k - 1]!.coefficients
      const values = [u!, last].map((coefficients) => certify(at, { coefficients }).primal)
      expect(values[0]).toBeLessThanOrEqual(values[1]! * (1 + 1e-12))
      if (values[0]! < values[1]!) better++
      expect(at.penalty.domain?.violation(u!) ?? 0).toBeLessThanOrEqual(1e-12)
      for (let j = 0; j < last.length; j++) if (last[j] === 0) expect(u![j]).toBe(0)
    }
    expect(better).toBeGreaterThan(2)
  })

  it('takes a lambda twice, up and down', () => {
    const top = lambdaMax(program)
    const lambdas = [0.1, 0.1, 0.2, 0.1, 0.05].map((ratio) => ratio * top)
    const path = [...sweepSync(program, { lambdas, tolerance: 1e-7 })]
    expect(path.map((at) => at.status)).toEqual(lambdas.map(() => 'solved'))
    expect(path[1]!.iterations).toBe(0)
  })

  it.each(solvers)('by %s has the points that solves from zero have, all certified', (_, make) => {
    const programs: ConvexProgram[] = [program, classes, reluProgram({ X, y, gates, lambda: 1 })]
    for (const of of programs) {
      const solver = make()
      if (solver.supports({ ...of, lambda: 0.1 * lambdaMax(of) }) !== true) continue
      for (const found of sweepSync(of, { solver, count: 12, ratio: 1e-2, tolerance: 1e-7 })) {
        expect(found.status).toBe('solved')
        const fresh = certify(found.program, { coefficients: found.coefficients })
        expect(Math.abs(fresh.primal - found.certificate.primal)).toBeLessThanOrEqual(1e-12 * (1 + fresh.primal))
        const alone = solveSync(found.program, { solver: proximalGradient(), tolerance: 1e-8 }).certificate
        expect(found.certificate.primal).toBeGreaterThanOrEqual(alone.dual * (1 - 1e-12))
        expect(found.certificate.dual).toBeLessThanOrEqual(alone.primal * (1 + 1e-12))
      }
    }
  })

  it('takes fewer iterations than solving each point from zero', async () => {
    const path = await all({ count: 10, ratio: 1e-2, checkEvery: 1 })
    const warm = path.reduce((total, at) => total + at.iterations, 0)
    const cold = path.reduce((total, at) => total + solveSync(at.program, { checkEvery: 1 }).iterations, 0)
    expect(warm).toBeLessThan(cold)
  })

  it('takes lambdas as given, in their order, and a start for the first', () => {
    const lambdas = [0.01, 0.2, 0.05]
    const start = solveSync({ ...program, lambda: 0.01 })
    const path = [...sweepSync(program, { lambdas, start })]
    expect(path.map((at) => at.program.lambda)).toEqual(lambdas)
    expect(path[0]!.iterations).toBe(0)
  })

  it('leaves the program as it was', async () => {
    await all({ count: 3 })
    expect(program.lambda).toBe(1)
  })

  it('ends at an abort with the aborted solution', async () => {
    const controller = new AbortController()
    const path: Solution[] = []
    for await (const solution of sweep(program, { count: 10, tolerance: 1e-9, signal: controller.signal })) {
      path.push(solution)
      if (path.length === 3) controller.abort()
    }
    expect(path.length).toBe(4)
    expect(path.map((at) => at.status)).toEqual(['solved', 'solved', 'solved', 'aborted'])
    expect(path[3]!.certificate.primal).toBeGreaterThanOrEqual(path[3]!.certificate.dual)
  })

  it('is left by break', async () => {
    let seen = 0
    for await (const _ of sweep(program, { count: 10 })) if (++seen === 2) break
    expect(seen).toBe(2)
  })

  it.each([
    [{ count: 0 }, 'sweep: count is 0, expected a positive whole number; pass how many lambdas to solve for.'],
    [{ count: 2.5 }, 'sweep: count is 2.5, expected a positive whole number; pass how many lambdas to solve for.'],
    [{ ratio: 0 }, 'sweep: ratio is 0, expected above 0 and at most 1; pass for example 0.001.'],
    [{ ratio: 2 }, 'sweep: ratio is 2, expected above 0 and at most 1; pass for example 0.001.'],
  ])('refuses %o in a sentence', (options, sentence) => {
    expect(() => lambdaGrid(program, options)).toThrow(new RangeError(sentence))
    expect(() => [...sweepSync(program, options)]).toThrow(new RangeError(sentence))
  })

  it('refuses a lambda_max of rounding alone, whatever the rows and the size of the targets, and takes targets of zero', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 60 }),
        fc.constantFrom(1e-9, 1, 1e9),
        fc.boolean(),
        (half, scale, bias) => {
          const drawn = [...half, ...half.map((value) => -value)]
          const centred = drawn.map((value) => scale * value)
          const flat = { X: drawn.map(() => [bias ? 0 : 1]), y: centred, lambda: 1, bias }
          const blind = gatedReluProgram({ ...flat, gates: sampleGates(flat.X, { count: 3, bias }) })
          const refused =
            /^sweep: lambda_max is .*0.*; pass features that vary with the targets, or the lambdas themselves\.$/
          if (centred.some((value) => value !== 0)) expect(() => lambdaGrid(blind)).toThrow(refused)
          const still = gatedReluProgram({
            ...flat,
            y: drawn.map(() => 0),
            gates: sampleGates(flat.X, { count: 3, bias }),
          })
          expect(lambdaGrid(still, { count: 2 })).toEqual([0, 0])
          // A feature that goes along with the targets by a millionth is enough.
          const faint = { ...flat, X: drawn.map((value) => [1 + 1e-6 * value]) }
          if (Math.max(...drawn) - Math.min(...drawn) > 0.1)
            expect(
              lambdaGrid(gatedReluProgram({ ...faint, gates: sampleGates(faint.X, { count: 3, bias }) })).length,
            ).toBe(20)
        },
      ),
    )
  })

  it.each<object>([{ checkpoint: { path: 'x' } }, { set: {} }, { toString: 1 }])(
    'refuses %o, which is none of its options',
    (options) => {
      const [name] = Object.keys(options)
      expect(() => [...sweepSync(program, options as SweepOptions)]).toThrow(
        new RangeError(
          `sweep: there is no option ${name}; the options are solver, tolerance, maxIterations, timeLimit, checkEvery, start, signal, onProgress, count, ratio, lambdas.`,
        ),
      )
    },
  )

  it('asks for the lambdas where the penalty has no lambda_max', async () => {
    const damped = gatedReluProgram({ X, y, gates, lambda: 1, penalty: ridge() })
    await expect(sweep(damped).next()).rejects.toThrow(
      new RangeError(
        'sweep: ridge has no finite lambda_max, expected the lambdas themselves; pass lambdas: [1, 0.1, 0.01].',
      ),
    )
    expect([...sweepSync(damped, { lambdas: [1, 0.1] })].map((at) => at.status)).toEqual(['solved', 'solved'])
  })
})
