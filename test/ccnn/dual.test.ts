import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CcnnDualOptions,
  ccnnDual,
  ccnnProgram,
  certifyKernel,
  columnGeneration,
  dualAscent,
  fromRows,
  hinge,
  interiorPoint,
  kernelLambdaMax,
  linearKernel,
  loadModel,
  logistic,
  matrix,
  rbf,
  recoverWeights,
  smoothHinge,
  softmax,
  softmaxReference,
  solveKernel,
  solveSync,
  squaredHinge,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { classes, gaussianImages, gaussianTargets, largestDifference, seed, signs } from './images.ts'

const n = 8
const shape = { height: 4, width: 4, channels: 1 }

function problem(from: number, more: Partial<CcnnDualOptions> = {}): CcnnDualOptions {
  return {
    X: gaussianImages(n, shape, from),
    y: gaussianTargets(n, 1, from),
    shape,
    patch: { size: 3, normalize: 'l2' },
    kernel: rbf({ gamma: 0.7 }),
    lambdaRatio: 0.2,
    ...more,
  }
}

const few = { numRuns: 5 }
const reference = { solver: interiorPoint(), tolerance: 1e-11 }

describe('the three dual solvers and the primal', () => {
  const kinds: [string, (from: number) => Partial<CcnnDualOptions>][] = [
    ['squared', () => ({})],
    ['squared with two outputs', (from) => ({ y: gaussianTargets(n, 2, from) })],
    ['logistic', (from) => ({ y: signs(n, from), loss: logistic() })],
    ['smooth hinge', (from) => ({ y: signs(n, from), loss: smoothHinge({ gamma: 0.5 }) })],
    ['squared hinge', (from) => ({ y: signs(n, from), loss: squaredHinge() })],
    ['softmax-reference', (from) => ({ y: classes(n, 2, from), loss: softmaxReference() })],
  ]
  for (const [name, more] of kinds)
    it(`come to one optimum, one fit and one alpha: ${name}`, () => {
      fc.assert(
        fc.property(seed, (from) => {
          const options = problem(from, more(from))
          const program = ccnnDual(options)
          const exact = solveKernel(program, reference)
          expect(exact.status).toBe('solved')
          expect(exact.certificate.gap).toBeGreaterThanOrEqual(-1e-12)
          const scale = 1 + exact.certificate.primal
          for (const solver of [columnGeneration(), dualAscent()]) {
            const found = solveKernel(program, { solver, tolerance: 1e-9 })
            expect(found.status).toBe('solved')
            expect(found.certificate.gap).toBeGreaterThanOrEqual(-1e-12)
            expect(Math.abs(found.certificate.primal - exact.certificate.primal)).toBeLessThanOrEqual(2e-9 * scale)
            expect(largestDifference(found.fit, exact.fit)).toBeLessThan(1e-3)
            expect(largestDifference(found.dual, exact.dual)).toBeLessThan(1e-3)
          }
          const primal = solveSync(ccnnProgram(options), { tolerance: 1e-10, maxIterations: 50_000 })
          expect(Math.abs(primal.certificate.primal - exact.certificate.primal)).toBeLessThanOrEqual(2e-9 * scale)
          const seen = gaussianImages(3, shape, from + 1)
          expect(largestDifference(primal.model.predict(seen).data, exact.model.predict(seen).data)).toBeLessThan(1e-3)
        }),
        few,
      )
    })

  it('agree on the hinge, which the primal solver does not take', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const program = ccnnDual(problem(from, { y: signs(n, from), loss: hinge() }))
        const exact = solveKernel(program, { solver: interiorPoint(), tolerance: 1e-8 })
        const other = solveKernel(program, { solver: dualAscent(), tolerance: 1e-6 })
        expect([exact.status, other.status]).toEqual(['solved', 'solved'])
        expect(Math.abs(exact.certificate.primal - other.certificate.primal)).toBeLessThan(3e-6)
        expect(columnGeneration().supports(program)).toMatch(/needs a smooth loss/)
      }),
      few,
    )
  })

  it('column generation takes an intercept and softmax, whose duals have no interior', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const oneHot = matrix(n, 3)
        for (let r = 0; r < n; r++) oneHot.data[3 * r + (r % 3)] = 1
        for (const more of [{ bias: 'unpenalised' as const }, { y: oneHot, loss: softmax() }]) {
          const options = problem(from, more)
          const found = solveKernel(ccnnDual(options), { tolerance: 1e-8 })
          expect([found.status, found.solver]).toEqual(['solved', 'column-generation'])
          const primal = solveSync(ccnnProgram(options), { tolerance: 1e-9, maxIterations: 50_000 })
          expect(Math.abs(primal.certificate.primal - found.certificate.primal)).toBeLessThan(3e-8)
          const X = gaussianImages(3, shape, from + 1)
          expect(largestDifference(primal.model.predict(X).data, found.model.predict(X).data)).toBeLessThan(3e-3)
          expect(interiorPoint().supports(ccnnDual(options))).toMatch(/needs a dual with an interior/)
        }
      }),
      few,
    )
  })
})

describe('the dual program', () => {
  it('has the zero network as its answer from lambda_max on, with alpha = -dF(0)', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const program = ccnnDual(problem(from))
        const most = kernelLambdaMax(program)
        expect(program.lambda / most).toBeCloseTo(0.2, 12)
        const found = solveKernel({ ...program, lambda: most * (1 + 1e-12) }, { tolerance: 1e-12 })
        expect(found.iterations).toBe(1)
        expect(found.norm).toBe(0)
        const slope = program.loss.gradient(new Float64Array(n))
        expect(
          largestDifference(
            found.dual,
            slope.map((value) => -value),
          ),
        ).toBeLessThan(1e-11)
        expect(found.model.width).toBe(0)
      }),
      few,
    )
  })

  it('moves with its images: permuted images have the permuted alpha', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const options = problem(from)
        const order = Array.from(random(from).permutation(n))
        const rows = (M: ReturnType<typeof matrix>): number[][] =>
          order.map((i) => Array.from(M.data.subarray(i * M.columns, (i + 1) * M.columns)))
        const plain = solveKernel(ccnnDual(options), reference)
        const moved = solveKernel(
          ccnnDual({
            ...options,
            X: fromRows(rows(gaussianImages(n, shape, from))),
            y: fromRows(rows(gaussianTargets(n, 1, from))),
          }),
          reference,
        )
        expect(
          largestDifference(
            moved.dual,
            order.map((i) => plain.dual[i]!),
          ),
        ).toBeLessThan(1e-8)
      }),
      few,
    )
  })

  it('is the same whether the kernel is kept or computed again in every pass', () => {
    const options = problem(3, { pool: { size: 2, stride: 1 }, patch: { size: 2, normalize: 'l2' } })
    const kept = ccnnDual(options)
    const streamed = ccnnDual({ ...options, memory: 0 })
    const alpha = gaussianTargets(n, 1, 9).data
    expect(largestDifference(kept.kernel.images(alpha), streamed.kernel.images(alpha))).toBe(0)
    const W = gaussianTargets(n * kept.kernel.size, 2, 4).data
    expect(largestDifference(kept.kernel.products(W, 2), streamed.kernel.products(W, 2))).toBe(0)
    expect(largestDifference(kept.kernel.block(2, 5), streamed.kernel.block(2, 5))).toBe(0)
    const [a, b] = [kept, streamed].map((program) => solveKernel(program, { tolerance: 1e-8 }))
    expect(a!.certificate.primal).toBe(b!.certificate.primal)
  })

  it('no predictor is below the bound of any alpha', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const program = ccnnDual(problem(from, { y: signs(n, from), loss: logistic() }))
        const { certificate, fit, norm } = solveKernel(program, { tolerance: 1e-3 })
        for (const share of [0, 0.3, 1, 2]) {
          const predictor = fit.map((value) => share * value)
          const alpha = program.loss.gradient(gaussianTargets(n, 1, from).data).map((value) => -value)
          const at = certifyKernel(program, { dual: alpha, fit: predictor, norm: share * norm })
          expect(at.gap).toBeGreaterThanOrEqual(-1e-12)
          expect(at.primal).toBeGreaterThanOrEqual(certificate.dual - 1e-12)
        }
      }),
      few,
    )
  })

  it('its optimality conditions hold at the answer, and do not beside it', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const program = ccnnDual(problem(from))
        const { certificate, dual, fit, norm } = solveKernel(program, reference)
        const { stationarity, dualFeasibility, complementarity } = certifyKernel(program, { dual, fit, norm })
        for (const residual of [stationarity, dualFeasibility, complementarity]) expect(residual).toBeLessThan(1e-5)
        expect(certificate.relativeGap).toBeLessThan(1e-11)
        const off = certifyKernel(program, { dual: dual.map((value) => 1.1 * value), fit, norm })
        expect(off.stationarity).toBeGreaterThan(0.01)
        expect(off.dualFeasibility).toBeGreaterThan(0.01)
      }),
      few,
    )
  })

  it('says why it stopped, and refuses what it cannot do in a sentence', () => {
    const program = ccnnDual(problem(1))
    expect(solveKernel(program, { tolerance: 0, maxIterations: 2 }).status).toBe('iteration-limit')
    expect(solveKernel(program, { signal: AbortSignal.abort() }).status).toBe('aborted')
    expect(solveKernel(program, { tolerance: 0, timeLimit: 1e-9 }).status).toBe('time-limit')
    expect(() => solveKernel(program, { tolerance: -1 })).toThrow(/tolerance is -1/)
    expect(() => solveKernel({ ...program, lambda: 0 }, { solver: interiorPoint() })).toThrow(/positive lambda/)
    expect(() => recoverWeights(program, new Float64Array(3))).toThrow(/alpha has 3 entries, expected 8/)
    expect(() => ccnnDual({ ...problem(1), y: gaussianTargets(5, 1, 1) })).toThrow(/y has 5 rows/)
    const cornered = ccnnDual(problem(1, { y: signs(n, 1), loss: hinge() }))
    expect(() => recoverWeights(cornered, new Float64Array(n), { method: 'core' })).toThrow(/corner/)
  })
})

describe('weights recovered from the dual alone', () => {
  it('predict what the primal solution predicts, by every method', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const options = problem(from)
        const program = ccnnDual(options)
        const { dual } = solveKernel(program, reference)
        const primal = solveSync(ccnnProgram(options), { tolerance: 1e-13, maxIterations: 100_000 })
        const X = gaussianImages(4, shape, from + 1)
        const expected = primal.model.predict(X).data
        for (const method of ['core', 'least-squares', 'filters'] as const) {
          const found = recoverWeights(program, dual, { method })
          expect(found.freedom).toBe(0)
          expect(found.certificate.relativeGap).toBeLessThan(1e-9)
          const model = program.recover(found)
          expect(largestDifference(model.predict(X).data, expected)).toBeLessThan(2e-5)
          const again = loadModel(JSON.parse(JSON.stringify(model))) as typeof model
          expect(largestDifference(again.predict(X).data, model.predict(X).data)).toBe(0)
        }
      }),
      few,
    )
  })

  it('are the better by filters beyond the face the worse alpha is known', () => {
    const options = problem(11)
    const program = ccnnDual(options)
    const { dual } = solveKernel(program, { solver: interiorPoint(), tolerance: 1e-12 })
    const X = gaussianImages(20, shape, 12)
    const expected = program.recover(recoverWeights(program, dual)).predict(X).data
    const noise = gaussianTargets(n, 1, 13).data
    const size = Math.hypot(...dual) / Math.hypot(...noise)
    const errors = (eps: number): number[] => {
      const off = dual.map((value, k) => value + eps * size * noise[k]!)
      const face = 100 * eps
      return [
        recoverWeights(program, off, { face }),
        recoverWeights(program, off, { face, method: 'filters', extra: 4 }),
      ].map((found) => largestDifference(program.recover(found).predict(X).data, expected))
    }
    for (const eps of [1e-3, 1e-5]) {
      const [core, filters] = errors(eps)
      expect(core).toBeLessThan(300 * eps)
      expect(filters).toBeLessThan(core!)
    }
  })

  it('are told to be free where data do not fix them, and the least ones are taken', () => {
    // One image of two orthonormal patches: f = tr B, and any B of that trace is optimal.
    const program = ccnnDual({
      X: fromRows([[1, 0, 0, 1]]),
      y: [2],
      shape: { height: 2, width: 2, channels: 1 },
      patch: { size: 1 },
      kernel: linearKernel(),
      lambda: 0.5,
    })
    // Patches are 1, 0, 0, 1: one pixel each, so M has rank one and nothing is free.
    const simple = solveKernel(program, reference)
    expect(recoverWeights(program, simple.dual).freedom).toBe(0)
    const free = ccnnDual({
      X: fromRows([[1, 0, 0, 1]]),
      y: [2],
      shape: { height: 2, width: 1, channels: 2 },
      patch: { size: 1 },
      kernel: linearKernel(),
      lambda: 0.5,
    })
    // M = alpha I: alpha = lambda, fit = y - alpha = 1.5 = tr B, and lambda tr B is all that B pays.
    const found = recoverWeights(free, solveKernel(free, reference).dual)
    expect(found.freedom).toBe(2)
    expect(found.norm).toBeCloseTo(1.5, 8)
    expect(found.certificate.primal).toBeCloseTo(0.125 + 0.75, 9)
    const { linear, filters } = found
    const B = Array.from({ length: 4 }, (_, k) => {
      let total = 0
      for (let j = 0; j < 2; j++) total += filters.data[2 * Math.floor(k / 2) + j]! * linear.data[2 * j + (k % 2)]!
      return total
    })
    expect(largestDifference(B, [0.75, 0, 0, 0.75])).toBeLessThan(1e-8)
  })
})

describe('layers', () => {
  it('a second rbf layer does not see how the filters of the first were turned', () => {
    const first = solveKernel(ccnnDual(problem(21, { y: gaussianTargets(n, 2, 21) })), reference).model
    const X = gaussianImages(n, shape, 21)
    const H = first.convolve(X, { orthonormal: true })
    const r = first.width
    expect(r).toBeGreaterThan(1)
    const turned = matrix(H.rows, H.columns)
    // A rotation of the first two channels, and a sign.
    for (let k = 0; k < H.data.length; k += r) {
      turned.data.set(H.data.subarray(k, k + r), k)
      turned.data[k] = 0.6 * H.data[k]! - 0.8 * H.data[k + 1]!
      turned.data[k + 1] = -0.8 * H.data[k]! - 0.6 * H.data[k + 1]!
    }
    const next = { shape: first.convolved, patch: { size: 2, normalize: 'l2' as const }, y: gaussianTargets(n, 1, 22) }
    const [a, b] = [H, turned].map(
      (images) => solveKernel(ccnnDual({ ...problem(21), ...next, X: images }), reference).certificate.primal,
    )
    expect(Math.abs(a! - b!)).toBeLessThan(1e-10)
  })
})
