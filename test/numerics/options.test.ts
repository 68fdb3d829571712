import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as cvxnn from '../../src/index.ts'
import { given } from '../../src/numerics/given.ts'
import { requireOptions } from '../../src/numerics/options.ts'

const names = { tolerance: true, maxIterations: true, seed: true } as const

describe('requireOptions', () => {
  it('lets every choice of the names through, whatever their values', () => {
    fc.assert(
      fc.property(fc.subarray(Object.keys(names)), fc.anything(), (some, value) => {
        const options = Object.fromEntries(some.map((name) => [name, value]))
        expect(() => requireOptions(options, names as never, 'fit')).not.toThrow()
      }),
    )
  })

  it('refuses any other name, be it one that every object has', () => {
    const strange = fc.oneof(fc.string(), fc.constantFrom('toString', 'constructor', 'hasOwnProperty', 'Seed'))
    fc.assert(
      fc.property(
        strange.filter((name) => !Object.hasOwn(names, name)),
        (name) => {
          const options = Object.fromEntries([
            ['seed', 1],
            [name, 1],
          ])
          expect(() => requireOptions(options, names as never, 'fit')).toThrow(RangeError)
        },
      ),
    )
  })

  it.each<[unknown, Error]>([
    [{ Seed: 1 }, new RangeError('fit: there is no option Seed; did you mean seed?')],
    [{ maxIteration: 1 }, new RangeError('fit: there is no option maxIteration; did you mean maxIterations?')],
    [{ x: 1 }, new RangeError('fit: there is no option x; the options are tolerance, maxIterations, seed.')],
    [
      undefined,
      new TypeError(
        'fit: the options are undefined, expected an object; pass one with tolerance, maxIterations, seed.',
      ),
    ],
    [
      'fast',
      new TypeError('fit: the options are "fast", expected an object; pass one with tolerance, maxIterations, seed.'),
    ],
  ])('says of %o what was given and what there is', (options, error) => {
    expect(() => requireOptions(options as object, names as never, 'fit')).toThrow(error)
  })
})

describe('what was given', () => {
  it.each<[unknown, string]>([
    [0.1, '0.1'],
    ['0.1', '"0.1"'],
    [null, 'null'],
    [undefined, 'undefined'],
    [cvxnn.huber, 'the function huber'],
    [() => 1, 'a function'],
    [[1], 'an object (Array)'],
    [Object.create(null), 'an object (no prototype)'],
  ])('%o is written %s', (value, text) => {
    expect(given(value)).toBe(text)
  })
})

describe('an option that there is not', () => {
  const X = cvxnn.matrix(4, 2, Float64Array.of(1, 2, -1, 1, 0.5, -1, 2, 0.3))
  const y = [1, -1, 2, 0]
  const gates = cvxnn.sampleGates(X, { count: 4 })
  const program = cvxnn.reluProgram({ X, y, gates, lambda: 0.01 })
  const gated = cvxnn.gatedReluProgram({ X, y, gates, lambda: 0.01 })
  const solution = cvxnn.solveSync(gated, { tolerance: 1e-12 })
  const images = {
    ...{ X: cvxnn.matrix(4, 4, new Float64Array(16).fill(1)), y, lambda: 1 },
    ...{ shape: { height: 2, width: 2, channels: 1 }, patch: { size: 1 } },
  }
  const patchGates = cvxnn.sampleGates(cvxnn.imagePatches(images), { count: 1 })
  const kernel = cvxnn.ccnnDual(images)
  const targets = [[1], [0], [1], [0]]
  const classifier = new cvxnn.CcnnClassifier({ shape: images.shape })
  /** Every function that takes options, called with these and nothing else wrong. */
  const calls: Record<string, (options: object) => unknown> = {
    ...Object.fromEntries(
      [
        cvxnn.squared,
        cvxnn.huber,
        cvxnn.hinge,
        cvxnn.smoothHinge,
        cvxnn.logistic,
        cvxnn.squaredHinge,
        cvxnn.softmax,
        cvxnn.softmaxReference,
        cvxnn.groupL1,
        cvxnn.featureGroupL1,
        cvxnn.workingSet,
        cvxnn.proximalGradient,
        cvxnn.augmentedLagrangian,
        cvxnn.nystromNewton,
        cvxnn.nystromNewtonCg,
        cvxnn.fullyCorrective,
        cvxnn.columnGeneration,
        cvxnn.dualAscent,
        cvxnn.interiorPoint,
        cvxnn.nystrom,
        cvxnn.randomFourier,
        cvxnn.rbf,
        cvxnn.leakyRelu,
        cvxnn.clip,
        cvxnn.softThreshold,
        cvxnn.threads,
      ].map((make) => [make.name, (options: object) => Reflect.apply(make, undefined, [options])]),
    ),
    sampleGates: (options) => cvxnn.sampleGates(X, options),
    enumerateGates: (options) => cvxnn.enumerateGates(X, options),
    reluProgram: (options) => cvxnn.reluProgram({ X, y, gates, lambda: 0.01, ...options }),
    gatedReluProgram: (options) => cvxnn.gatedReluProgram({ X, y, gates, lambda: 0.01, ...options }),
    ccnnProgram: (options) => cvxnn.ccnnProgram({ ...images, ...options }),
    ccnnDual: (options) => cvxnn.ccnnDual({ ...images, ...options }),
    gatedCnnProgram: (options) => cvxnn.gatedCnnProgram({ ...images, gates: patchGates, ...options }),
    reluCnnProgram: (options) => cvxnn.reluCnnProgram({ ...images, gates: patchGates, ...options }),
    circularCnnProgram: (options) => cvxnn.circularCnnProgram({ X, y, lambda: 1, ...options }),
    patch: (options) => cvxnn.ccnnProgram({ ...images, patch: { size: 1, ...options } }),
    pool: (options) => cvxnn.ccnnProgram({ ...images, pool: { size: 2, ...options } }),
    imageFeatures: ({ ...options }) => {
      const { X, shape, patch } = images
      return cvxnn.imageFeatures({ X, shape, patch, ...options })
    },
    whitened: (options) => cvxnn.whitened(cvxnn.nystrom(), options),
    coneDecomposition: (options) => cvxnn.coneDecomposition({ X, gates, coefficients: solution.coefficients }, options),
    solve: (options) => cvxnn.solveSync(gated, options),
    sweep: (options) => [...cvxnn.sweepSync(gated, options)],
    solveKernel: (options) => cvxnn.solveKernel(kernel, options),
    recoverWeights: (options) => cvxnn.recoverWeights(kernel, new Float64Array(4), options),
    solveGlobal: (options) => cvxnn.solveGlobalSync(program, options),
    optimalSet: (options) => cvxnn.optimalSet(gated, solution, options),
    minimumNorm: (options) => cvxnn.minimumNorm(gated, solution, options),
    prune: (options) => cvxnn.prune(gated, solution, options),
    verify: (options) => cvxnn.verify(gated, solution.model, options),
    globalCertificate: (options) => cvxnn.globalCertificate(program, { coefficients: new Float64Array(16) }, options),
    mergeNeurons: (options) => cvxnn.mergeNeurons(cvxnn.solveSync(program).model, X, options),
    toOnnx: (options) => cvxnn.toOnnx(solution.model, options),
    useBackend: (options) => cvxnn.useBackend('js', options),
    compactMatrix: (options) => cvxnn.compactMatrix(1, 1, new Uint8Array(1), options),
    fenchelNetwork: (options) => cvxnn.fenchelNetwork({ X, y: targets, hidden: [2], loss: 'squared', ...options }),
    lpomNetwork: (options) => cvxnn.lpomNetwork({ X, y: targets, hidden: [2], ...options }),
    tikhonovNetwork: (options) => cvxnn.tikhonovNetwork({ X, y: targets, hidden: [2], ...options }),
    train: (options) =>
      cvxnn.trainSync(cvxnn.fenchelNetwork({ X, y: targets, hidden: [2], loss: 'squared' }), {
        maxSweeps: 1,
        ...options,
      }),
    CcnnClassifier: (options) => new cvxnn.CcnnClassifier({ shape: images.shape, ...options }),
    ReluRegressor: (options) => new cvxnn.ReluRegressor(options),
    LiftedRegressor: (options) => new cvxnn.LiftedRegressor(options),
  }
  /** Those that answer with a promise. */
  const promises: Record<string, (options: object) => Promise<unknown>> = {
    preciseCertificate: (options) =>
      cvxnn.preciseCertificate(
        { X, Y: cvxnn.asMatrix(y, 'test', 'y'), gates, lambda: 0.01 },
        solution.coefficients,
        options,
      ),
    crossValidate: (options) => cvxnn.crossValidate({ X, y }, { folds: 2, settings: [{ gates: 3 }], ...options }),
    CcnnClassifier: (options) => classifier.trainAsync(images.X, ['a', 'b', 'a', 'b'], options),
  }

  it.each(Object.entries(calls))('is refused by %s, which takes none as well', (name, call) => {
    const before = cvxnn.backend()
    expect(() => call({})).not.toThrow()
    cvxnn.useBackend(before)
    expect(() => call({ whatever: 1 })).toThrow(RangeError)
    expect(() => call({ whatever: 1 })).toThrow(`${name}: there is no option whatever; the options are `)
  })

  it.each(Object.entries(promises))('is refused by %s, which answers with a promise', async (name, call) => {
    await expect(call({ whatever: 1 })).rejects.toThrow(`${name}: there is no option whatever; the options are `)
  })
})
