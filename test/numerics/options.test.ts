import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as cvxnn from '../../src/index.ts'
import { given } from '../../src/numerics/given.ts'
import { requireOptions } from '../../src/numerics/options.ts'
import * as plots from '../../src/plots/index.ts'

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

  it('takes for a number what is one, for true or false those, and nothing for what is undefined', () => {
    const kinds = { tolerance: 'number', bias: 'boolean', start: true } as const
    fc.assert(
      fc.property(fc.constantFrom('tolerance', 'bias', 'start'), fc.anything(), (name, value) => {
        const kind = kinds[name]
        const fits = kind === true || value === undefined || typeof value === kind
        const check = (): void => requireOptions({ [name]: value }, kinds as never, 'fit')
        if (fits) expect(check).not.toThrow()
        else expect(check).toThrow(TypeError)
      }),
    )
  })

  it.each<[object, string]>([
    [{ tolerance: '0.1' }, 'fit: tolerance is "0.1", expected a number; pass 0.1 without quotes.'],
    [{ tolerance: ' ' }, 'fit: tolerance is " ", expected a number; pass one.'],
    [{ tolerance: [0.1] }, 'fit: tolerance is an object (Array), expected a number; pass one.'],
    [{ tolerance: null }, 'fit: tolerance is null, expected a number; pass one.'],
    [{ bias: 'no' }, 'fit: bias is "no", expected true or false; pass one of them.'],
  ])('says of %o what it is and what to pass', (options, sentence) => {
    const kinds = { tolerance: 'number', bias: 'boolean' } as const
    expect(() => requireOptions(options, kinds as never, 'fit')).toThrow(new TypeError(sentence))
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
  const { certificate } = solution
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
    trainTestSplit: (options) => cvxnn.trainTestSplit({ X, y }, { testFraction: 0.5, ...options }),
    kFolds: (options) => cvxnn.kFolds(4, { count: 2, ...options }),
    toNpy: (options) => cvxnn.toNpy(X, options),
    bullmq: (options) => cvxnn.bullmq({ redis: 'redis://127.0.0.1:1', ...options }),
    LiftedClassifier: (options) => new cvxnn.LiftedClassifier(options),
    ReluClassifier: (options) => new cvxnn.ReluClassifier(options),
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
    readCsv: (options) => cvxnn.readCsv({ text: 'a,b\n1,2\n' }, { target: 'b', ...options }),
    readHeader: (options) => cvxnn.readHeader({ text: 'a,b\n1,2\n' }, options),
    openIdx: (options) => cvxnn.openIdx('no such file', options),
    openNpy: (options) => cvxnn.openNpy('no such file', options),
    linePlot: (options) => plots.linePlot({ line: { x: [1], y: [1] } }, options),
    pathPlot: (options) => plots.pathPlot([plots.pathPoint(solution)], options),
    convergencePlot: (options) => plots.convergencePlot([{ iteration: 0, seconds: 0, certificate }], options),
    networkPlot: (options) => plots.networkPlot(solution.model, options),
    residualPlot: (options) => plots.residualPlot(certificate, options),
    predictionPlot: (options) => plots.predictionPlot({}, options),
    confusionPlot: (options) => plots.confusionPlot(['a'], ['a'], options),
    filterPlot: (options) => plots.filterPlot({ patches: X, side: 1, channels: 2 }, options),
    crossValidationPlot: (options) =>
      plots.crossValidationPlot({ points: [], selectedLambda: 1, gateOrder: 0 }, options),
    toPng: (options) => plots.toPng('<svg', options),
  }

  /** Options of numbers, or of true or false, and who takes them. */
  const kinds: readonly (readonly [string, string, unknown])[] = [
    ['sampleGates', 'count', '3'],
    ['sampleGates', 'bias', 'no'],
    ['enumerateGates', 'bias', 'no'],
    ['groupL1', 'joint', 'no'],
    ['gatedReluProgram', 'lambda', '0.1'],
    ['huber', 'delta', '1'],
    ['solve', 'tolerance', '1e-6'],
    ['solve', 'maxIterations', '10'],
    ['solve', 'timeLimit', '5'],
    ['sweep', 'count', '20'],
    ['sweep', 'ratio', '0.1'],
    ['sweep', 'tolerance', '1e-6'],
    ['solveKernel', 'maxIterations', '10'],
    ['solveGlobal', 'timeLimit', '5'],
    ['workingSet', 'growth', '2'],
    ['proximalGradient', 'looseness', '2'],
    ['augmentedLagrangian', 'increase', '2'],
    ['optimalSet', 'dependence', '1e-6'],
    ['verify', 'tolerance', '1e-6'],
    ['mergeNeurons', 'tolerance', '1e-6'],
    ['leakyRelu', 'slope', '0.1'],
    ['trainTestSplit', 'testFraction', '0.2'],
    ['fenchelNetwork', 'linearShare', '0.1'],
    ['tikhonovNetwork', 'ridge', '0.1'],
    ['train', 'tolerance', '0.1'],
    ['ReluRegressor', 'tolerance', '0.1'],
    ['LiftedRegressor', 'tolerance', '0.1'],
    ['bullmq', 'patience', '60'],
  ]

  it.each(Object.entries(calls))('is refused by %s, which takes none as well', (name, call) => {
    const before = cvxnn.backend()
    expect(() => call({})).not.toThrow()
    cvxnn.useBackend(before)
    expect(() => call({ whatever: 1 })).toThrow(RangeError)
    expect(() => call({ whatever: 1 })).toThrow(`${name}: there is no option whatever; the options are `)
  })

  it.each(kinds)('as one of another kind is refused by %s: %s', (name, option, value) => {
    expect(() => calls[name]!({ [option]: value })).toThrow(TypeError)
    expect(() => calls[name]!({ [option]: value })).toThrow(`${name}: ${option} is "${value}", expected `)
  })

  it.each(Object.entries(promises))('is refused by %s, which answers with a promise', async (name, call) => {
    await expect(call({ whatever: 1 })).rejects.toThrow(`${name}: there is no option whatever; the options are `)
  })
})

describe('what has to be there', () => {
  const X = [[1], [2], [-1]]
  const y = [[1], [0], [1]]
  const one = cvxnn.matrix(1, 1, Float64Array.of(1))

  it.each<[string, () => unknown, string]>([
    [
      'a width in place of the hidden layers',
      () => cvxnn.fenchelNetwork({ X, y, hidden: 8 as never, loss: 'squared' }),
      'fenchelNetwork: hidden is 8, expected a list of widths, or of { units, map }; pass for example hidden: [8].',
    ],
    [
      'no hidden layers',
      () => cvxnn.tikhonovNetwork({ X, y } as never),
      'tikhonovNetwork: hidden is undefined, expected a list of widths, or of { units, map }; pass for example hidden: [64].',
    ],
    [
      'no shape of images',
      () => cvxnn.ccnnProgram({ X, y, lambda: 1, patch: { size: 1 } } as never),
      'patches: the shape of the images is undefined, expected their height, width and channels; pass shape: { height: 28, width: 28, channels: 1 }.',
    ],
    [
      'a network without biases',
      () => cvxnn.reluNetwork({ W1: one, W2: one, intercept: new Float64Array(1) } as never),
      'reluNetwork: b1 is undefined, expected a Float64Array; pass one, of zeros for none.',
    ],
    [
      'weights as rows',
      () => cvxnn.gatedReluNetwork({ gates: one, W1: [[1]], W2: one } as never),
      'gatedReluNetwork: W1 is an object (Array), expected a matrix; pass fromRows(rows).',
    ],
  ])('is asked for in a sentence: %s', (_, make, sentence) => {
    expect(make).toThrow(new TypeError(sentence))
  })

  it('a level as text is refused', async () => {
    await expect(cvxnn.confidenceInterval([1, 2, 3], { level: '0.9' as never })).rejects.toThrow(
      'confidenceInterval: level is "0.9", expected between 0 and 1; pass for example 0.95.',
    )
  })
})
