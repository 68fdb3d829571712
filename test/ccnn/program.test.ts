import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CcnnProgramOptions,
  type ConvexCnn,
  ccnnProgram,
  certify,
  hinge,
  inversePolynomial,
  lambdaMax,
  linearKernel,
  loadModel,
  logistic,
  matrix,
  nystrom,
  randomFourier,
  rbf,
  smoothHinge,
  softmax,
  solveSync,
  verify,
} from '../../src/index.ts'
import { kernelFeatures, kernelMatrix } from '../../src/kernels/index.ts'
import { layerFeatures } from '../../src/models/convolution.ts'
import { rowProducts } from '../../src/numerics/products.ts'
import { random } from '../../src/numerics/random.ts'
import { averagePooling, cutPatches, patchGrid, pool } from '../../src/operators/index.ts'
import { gaussianImages, gaussianTargets, largestDifference, seed, signs } from './images.ts'

const shape = { height: 5, width: 5, channels: 1 }
const patch = { size: 3, normalize: 'l2' } as const
const tight = { tolerance: 1e-10, maxIterations: 20_000 }

/** A small problem; `from` seeds images and targets. */
function problem(from: number, more: Partial<CcnnProgramOptions> = {}): CcnnProgramOptions {
  return {
    X: gaussianImages(8, shape, from),
    y: gaussianTargets(8, 1, from),
    shape,
    patch,
    kernel: rbf({ gamma: 0.7 }),
    lambdaRatio: 0.3,
    ...more,
  }
}

describe('kernels', () => {
  it('are what their formulas say, symmetric and positive semidefinite', () => {
    const patches = gaussianImages(6, { height: 1, width: 4, channels: 1 }, 2)
    for (let i = 0; i < 6; i++) {
      const row = patches.data.subarray(4 * i, 4 * i + 4)
      const size = Math.hypot(...row)
      for (let j = 0; j < 4; j++) row[j]! /= size
    }
    const formulas = [
      [linearKernel(), (product: number) => product],
      [rbf({ gamma: 0.8 }), (product: number) => Math.exp(-0.8 * (2 - 2 * product))],
      [inversePolynomial(), (product: number) => 1 / (2 - product)],
    ] as const
    for (const [kernel, of] of formulas) {
      const K = kernelMatrix(kernel, patches.data, patches.data, 4)
      for (let i = 0; i < 6; i++)
        for (let j = 0; j < 6; j++) {
          let product = 0
          for (let k = 0; k < 4; k++) product += patches.data[4 * i + k]! * patches.data[4 * j + k]!
          expect(K[6 * i + j]).toBeCloseTo(of(product), 13)
          expect(K[6 * i + j]).toBeCloseTo(K[6 * j + i]!, 15)
        }
      for (let draw = 0; draw < 20; draw++) {
        const v = gaussianTargets(6, 1, draw).data
        expect(rowProducts(v, 1, rowProducts(K, 6, v, 1, 6), 1, 6)[0]).toBeGreaterThan(-1e-12)
      }
    }
  })

  it('of two zero patches rbf is 1, and a patch too long for the inverse polynomial is refused', () => {
    expect(rbf().of(0, 0, 0)).toBe(1)
    expect(() => inversePolynomial().of(0, 4, 1)).toThrow(/length 2, expected at most 1/)
    expect(() => rbf({ gamma: 0 })).toThrow(/gamma is 0/)
  })
})

describe('features', () => {
  it('exact ones have the pooled kernel as their products', () => {
    const pooled = { size: 2, stride: 2 }
    const options = problem(3, { shape: { height: 6, width: 6, channels: 1 }, pool: pooled })
    const X = gaussianImages(5, { height: 6, width: 6, channels: 1 }, 3)
    const program = ccnnProgram({ ...options, X, y: gaussianTargets(5, 1, 3) })
    const { features } = solveSync(program, { tolerance: 1e-3 }).model
    const grid = patchGrid({ height: 6, width: 6, channels: 1 }, patch)
    const pooling = averagePooling(grid.rows, grid.columns, pooled)
    const Z = layerFeatures({ grid, pooling, features }, X)
    const cut = (i: number): Float64Array => cutPatches(grid, X.data, i * 36, new Float64Array(16 * 9))
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 5; j++) {
        const K = kernelMatrix(rbf({ gamma: 0.7 }), cut(i), cut(j), 9)
        const half = pool(pooling, K, 16)
        const turned = new Float64Array(64)
        for (let p = 0; p < 4; p++) for (let r = 0; r < 16; r++) turned[r * 4 + p] = half[p * 16 + r]!
        const m = features.width
        const products = rowProducts(
          Z.data.subarray(j * 4 * m, (j + 1) * 4 * m),
          4,
          Z.data.subarray(i * 4 * m, (i + 1) * 4 * m),
          4,
          m,
        )
        expect(largestDifference(products, pool(pooling, turned, 4))).toBeLessThan(1e-9)
      }
  })

  it('of all patches as Nystrom landmarks give the optimum of exact ones', () => {
    const exact = solveSync(ccnnProgram(problem(4)), tight)
    const landmarks = Array.from({ length: 8 * 9 }, (_, k) => k)
    const program = ccnnProgram({ ...problem(4), features: nystrom({ landmarks }) })
    const all = solveSync(program, tight)
    expect(all.certificate.primal).toBeCloseTo(exact.certificate.primal, 8)
  })

  it('random Fourier ones approach the kernel as they get more', () => {
    const exact = solveSync(ccnnProgram(problem(5)), tight).certificate.primal
    const errors = [50, 4000].map((count) => {
      const program = ccnnProgram(problem(5, { features: randomFourier({ count, seed: 1 }) }))
      const { lambda } = ccnnProgram(problem(5))
      return Math.abs(solveSync({ ...program, lambda }, { tolerance: 1e-6 }).certificate.primal - exact)
    })
    expect(errors[1]).toBeLessThan(0.02 * exact)
    expect(errors[1]).toBeLessThan(errors[0]!)
  })
})

describe('ccnnProgram', () => {
  it('its answer is a network with that objective, found again by embed, by verify and in a file', () => {
    fc.assert(
      fc.property(seed, (from) => {
        for (const more of [{}, { bias: 'unpenalised' as const }, { y: gaussianTargets(8, 2, from) }]) {
          const program = ccnnProgram(problem(from, more))
          const { model, certificate, coefficients, fit } = solveSync(program, tight)
          const X = gaussianImages(8, shape, from)
          expect(verify(program, model).network).toBeCloseTo(certificate.primal, 9)
          expect(largestDifference(program.embed(model).coefficients, coefficients)).toBeLessThan(1e-9)
          const again = loadModel(JSON.parse(JSON.stringify(model))) as ConvexCnn
          expect(largestDifference(again.predict(X).data, model.predict(X).data)).toBe(0)
          if (!('bias' in more)) expect(largestDifference(model.predict(X).data, fit!)).toBeLessThan(1e-9)
        }
      }),
      { numRuns: 6 },
    )
  })

  it('of the linear kernel is linear in the pixels, with ordinary filters', () => {
    const program = ccnnProgram(problem(6, { kernel: linearKernel(), patch: { size: 3 } }))
    const { model } = solveSync(program, tight)
    const X = gaussianImages(3, shape, 60)
    for (let j = 0; j < 25; j++) X.data[50 + j] = 2 * X.data[j]! - 3 * X.data[25 + j]!
    const [a, b, c] = model.predict(X).data
    expect(c).toBeCloseTo(2 * a! - 3 * b!, 10)
    expect(model.filters.rows).toBe(9)
  })

  it('the zero network is the answer from lambda_max on, exactly, and not before', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const program = ccnnProgram(problem(from))
        const most = lambdaMax(program)
        expect(solveSync({ ...program, lambda: most }, tight).model.width).toBe(0)
        expect(solveSync({ ...program, lambda: 0.98 * most }, tight).model.width).toBeGreaterThan(0)
        expect(program.lambda / most).toBeCloseTo(0.3, 12)
      }),
      { numRuns: 5 },
    )
  })

  it('predictions do not move when features times c meet lambda times c, nor under a rotation of the features', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const options = problem(from)
        const plain = ccnnProgram(options)
        const solved = solveSync(plain, tight)
        const { features } = solved.model
        const source = random(from)
        const m = features.width
        // A reflection, and c = 3.
        const v = Float64Array.from({ length: m }, () => source.normal())
        const square = v.reduce((total, x) => total + x * x, 0)
        const turned = {
          ...features,
          map(patches: Float64Array, out = new Float64Array((patches.length / 9) * m)) {
            features.map(patches, out)
            for (let i = 0; i < out.length; i += m) {
              let along = 0
              for (let k = 0; k < m; k++) along += out[i + k]! * v[k]!
              for (let k = 0; k < m; k++) out[i + k] = 3 * (out[i + k]! - (2 * along * v[k]!) / square)
            }
            return out
          },
        }
        const other = ccnnProgram({
          X: options.X,
          y: options.y,
          shape,
          patch,
          features: turned,
          lambda: 3 * plain.lambda,
        })
        const again = solveSync(other, tight)
        expect(again.certificate.primal).toBeCloseTo(solved.certificate.primal, 9)
        expect(largestDifference(again.fit!, solved.fit!)).toBeLessThan(1e-4)
      }),
      { numRuns: 4 },
    )
  })

  it('the constrained form with the radius of the penalised solution has its loss and its predictions', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const program = ccnnProgram(problem(from))
        const penalised = solveSync(program, tight)
        const norm = program.penalty.value(penalised.coefficients)
        const { lambdaRatio: _, ...rest } = problem(from)
        const within = ccnnProgram({ ...rest, radius: norm })
        const constrained = solveSync(within, tight)
        expect(constrained.status).toBe('solved')
        expect(constrained.certificate.primal).toBeCloseTo(program.loss.value(penalised.fit!), 8)
        expect(largestDifference(constrained.fit!, penalised.fit!)).toBeLessThan(1e-4)
        expect(constrained.certificate.dual).toBeLessThanOrEqual(constrained.certificate.primal + 1e-13)
      }),
      { numRuns: 5 },
    )
  })

  it('no point is below the bound of another, whatever the loss', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const y = signs(8, from)
        for (const loss of [logistic(), smoothHinge({ gamma: 0.5 })]) {
          const program = ccnnProgram(problem(from, { y, loss }))
          const { dual } = solveSync(program, { tolerance: 1e-6 }).certificate
          const point = gaussianTargets(program.operator.columns, 1, from).data
          for (const scale of [0, 1e-3, 0.1]) {
            const at = certify(program, { coefficients: point.map((value) => scale * value) })
            expect(at.primal).toBeGreaterThanOrEqual(dual - 1e-12)
            expect(at.gap).toBeGreaterThanOrEqual(-1e-12)
          }
        }
      }),
      { numRuns: 5 },
    )
  })

  it('takes softmax with one filter bank for all classes', () => {
    const y = matrix(8, 3)
    for (let r = 0; r < 8; r++) y.data[3 * r + (r % 3)] = 1
    const solved = solveSync(ccnnProgram(problem(9, { y, loss: softmax() })), { tolerance: 1e-8 })
    expect(solved.status).toBe('solved')
    expect(solved.model.linear.columns).toBe(27)
  })

  it('refuses what does not fit, each in a sentence', () => {
    const good = problem(1)
    expect(() => ccnnProgram({ ...good, y: gaussianTargets(7, 1, 1) })).toThrow(/y has 7 rows and X has 8/)
    expect(() => ccnnProgram({ ...good, shape: { height: 4, width: 5, channels: 1 } })).toThrow(/X has 25 columns/)
    const made = (options: object) => () => ccnnProgram({ ...good, ...options } as CcnnProgramOptions)
    expect(made({ lambdas: 1 })).toThrow('ccnnProgram: there is no option lambdas; did you mean lambda?')
    expect(made({ bias: true })).toThrow('ccnnProgram: bias is true, expected one of false, "unpenalised"; pass one')
    expect(made({ loss: 'squared' })).toThrow('ccnnProgram: loss is "squared", expected a loss')
    expect(made({ lambdaRatio: '0.1' })).toThrow('ccnnProgram: lambdaRatio is "0.1", expected a number')
    expect(() => ccnnProgram({ ...good, lambda: 1 })).toThrow(/both lambda and lambdaRatio/)
    expect(() => ccnnProgram({ ...good, lambdaRatio: -1 })).toThrow(/lambdaRatio is -1/)
    expect(() => ccnnProgram({ ...good, radius: 1 })).toThrow(/both a radius and a lambda/)
    expect(() => ccnnProgram({ ...good, y: signs(8, 1), loss: hinge() })).toThrow(/hinge loss has a corner/)
    const X = gaussianImages(8, shape, 1)
    X.data[30] = Number.NaN
    expect(() => ccnnProgram({ ...good, X })).toThrow(/NaN in row 1, column 5/)
    expect(() => ccnnProgram({ ...good, features: nystrom({ landmarks: [72] }) })).toThrow(/landmark 72/)
    expect(() => ccnnProgram({ ...good, kernel: linearKernel(), features: randomFourier() })).toThrow(/expected rbf/)
    const features = kernelFeatures(linearKernel(), new Float64Array(4), 4)
    expect(() => ccnnProgram({ ...good, features })).toThrow(/patches have 9/)
    const { model } = solveSync(ccnnProgram(good), { tolerance: 1e-3 })
    expect(() => model.predict(matrix(1, 24))).toThrow(/X has 24 columns and the network reads 25/)
  })
})
