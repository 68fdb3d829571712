import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  gatedReluProgram,
  lambdaGrid,
  lambdaMax,
  proximalGradient,
  reluProgram,
  ridge,
  type Solution,
  type Solver,
  type SweepOptions,
  sampleGates,
  solveSync,
  sweep,
  sweepSync,
} from '../../src/index.ts'
import { bent } from '../support/planted.ts'

const { X, y } = bent(40)
const gates = sampleGates(X, { count: 15 })
const program = gatedReluProgram({ X, y, gates, lambda: 1 })

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

  it('starts every solve at the solution before', () => {
    const starts: (Float64Array | undefined)[] = []
    const inner = proximalGradient()
    const solver: Solver = {
      ...inner,
      iterate(at, start) {
        starts.push(start?.coefficients)
        return inner.iterate(at, start)
      },
    }
    const lambdas = [0.5, 0.3, 0.1].map((ratio) => ratio * lambdaMax(program))
    const path = [...sweepSync(program, { solver, lambdas })]
    expect(starts).toEqual([undefined, path[0]!.coefficients, path[1]!.coefficients])
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
