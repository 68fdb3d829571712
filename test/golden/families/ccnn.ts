import * as v from 'valibot'
import {
  type CcnnDualOptions,
  type ConvexCnn,
  ccnnDual,
  ccnnProgram,
  columnGeneration,
  dualAscent,
  fromRows,
  hinge,
  interiorPoint,
  inversePolynomial,
  type KernelSolution,
  kernelLambdaMax,
  type LossChoice,
  lambdaMax,
  linearKernel,
  logistic,
  type Matrix,
  nystrom,
  type PatchKernel,
  rbf,
  recoverWeights,
  type Solution,
  smoothHinge,
  softmaxReference,
  solveKernel,
  solveSync,
  squared,
} from '../../../src/index.ts'
// The operator norm at a point that is no solution is below the public names.
import { kernelSpectrum } from '../../../src/numerics/kernel-spectrum.ts'
import { type Checked, type Family, type Finding, numbers, type Reference, read, rowsOfNumbers } from '../reference.ts'
import { networks } from './ccnn-networks.ts'

/**
 * Convexified convolutional networks: the primal with exact features and the dual by three kernel-only solvers, the
 * constrained form, and weights recovered from the dual alone. Losses in the files are sums; ours are means, so lambda and
 * objectives are divided by n (and by the outputs for the squared loss) on the way in.
 */
export const ccnn: Family = {
  family: 'ccnn',
  *check(reference) {
    const { content, name } = reference
    if (typeof content === 'object' && content !== null && 'layer1' in content) yield* checkTwoLayers(reference)
    else if (typeof content === 'object' && content !== null && 'config' in content) yield* checkOneLayer(reference)
    else if (Object.hasOwn(networks, name)) yield networks[name]!(reference)
    else yield { kind: 'skipped', name, why: 'ccnn: a problem that has no reader' }
  },
}

const allowed = { objective: 1e-8, polished: 1e-6, firstOrder: 3e-5, spectrum: 1e-6, lambdaMax: 1e-9 }
/** Asked of every solver: a gap that leaves the predictions their digits. */
const tolerance = 1e-11

const configSchema = v.object({
  patchSize: v.number(),
  stride: v.number(),
  pad: v.number(),
  patchNorm: v.picklist(['none', 'l2']),
  poolSize: v.number(),
  poolStride: v.number(),
  kernel: v.object({ type: v.picklist(['linear', 'rbf', 'invpoly']), gamma: v.optional(v.number()) }),
  loss: v.object({ type: v.string(), gamma: v.optional(v.number()) }),
  lambda: v.number(),
  nystrom: v.optional(v.object({ landmarks: numbers })),
})
type Config = v.InferOutput<typeof configSchema>
const images = v.array(v.array(v.array(numbers)))
const sets = { train: v.object({ images, targets: rowsOfNumbers }), test: v.object({ images }) }
const oneLayer = v.object({
  config: configSchema,
  ...sets,
  intermediate: v.object({ opA2: v.number(), lambdaMax: v.optional(v.number()) }),
  unit: v.optional(
    v.object({
      alpha: rowsOfNumbers,
      opNorm: v.number(),
      negConj: v.number(),
      lam: v.number(),
      rho: v.number(),
      elasticPenalty: v.number(),
      elasticF: rowsOfNumbers,
    }),
  ),
  expected: v.object({
    primal: v.number(),
    dual: v.number(),
    lossValue: v.optional(v.number()),
    nuclearNorm: v.number(),
    rank: v.number(),
    alpha: rowsOfNumbers,
    fTrain: rowsOfNumbers,
    fTest: rowsOfNumbers,
    singularM: v.optional(numbers),
    singularA: numbers,
    constraintForm: v.optional(v.object({ R: v.number(), objective: v.number() })),
  }),
})
type OneLayer = v.InferOutput<typeof oneLayer>

const losses: Record<string, (gamma?: number) => LossChoice> = {
  squared: () => squared(),
  logistic: () => logistic(),
  hinge: () => hinge(),
  softmaxRef: () => softmaxReference(),
  smoothHinge: (gamma) => smoothHinge({ gamma: gamma ?? 1 }),
}

function kernelOf({ type, gamma = 1 }: Config['kernel']): PatchKernel {
  return type === 'linear' ? linearKernel() : type === 'rbf' ? rbf({ gamma }) : inversePolynomial()
}

function flat(list: number[][][][]): Matrix {
  return fromRows(list.map((image) => image.flat(2)))
}

/** Our options for a layer on images of any shape, and what its objective is divided by. */
function optionsOf(
  config: Config,
  X: Matrix,
  shape: CcnnDualOptions['shape'],
  y: number[][],
): { options: CcnnDualOptions; scale: number } {
  const { loss, kernel, patchNorm, lambda } = config
  const choice = losses[loss.type]
  if (!choice) throw new TypeError(`config.loss.type is ${loss.type}, expected ${Object.keys(losses).join(', ')}`)
  const scale = loss.type === 'squared' ? y.length * y[0]!.length : y.length
  return {
    scale,
    options: {
      X,
      y,
      shape,
      patch: { size: config.patchSize, stride: config.stride, padding: config.pad, normalize: patchNorm },
      pool: { size: config.poolSize, stride: config.poolStride },
      kernel: kernelOf(kernel),
      loss: choice(loss.gamma),
      lambda: lambda / scale,
    },
  }
}

function shapeOf(list: number[][][][]): CcnnDualOptions['shape'] {
  return { height: list[0]!.length, width: list[0]![0]!.length, channels: list[0]![0]![0]!.length }
}

function* checkOneLayer(reference: Reference): Generator<Finding> {
  const { name } = reference
  const file = read(oneLayer, reference)
  const { config, train, test, expected, intermediate } = file
  const X = flat(train.images)
  const { options, scale } = optionsOf(config, X, shapeOf(train.images), train.targets)
  const seen = flat(test.images)
  const predictions = (model: ConvexCnn): number => largest(model.predict(seen).data, expected.fTest.flat())

  if (config.loss.type !== 'hinge') {
    const features = config.nystrom && nystrom(config.nystrom)
    const program = ccnnProgram({ ...options, ...(features && { features }) })
    const found = solveSync(program, { tolerance, maxIterations: 100_000 })
    yield finding(`${name} primal`, found, expected.primal, scale, [
      ['the test predictions', predictions(found.model), allowed.firstOrder],
      ['the fit', largest(found.fit!, expected.fTrain.flat()), allowed.firstOrder],
      ...(intermediate.lambdaMax === undefined
        ? []
        : [['lambda_max', off(lambdaMax(program) * scale, intermediate.lambdaMax), allowed.lambdaMax] as const]),
      ['the rank', Math.abs(found.model.width - expected.rank), 0],
      ['the nuclear norm', off(program.penalty.value(found.coefficients), expected.nuclearNorm), allowed.spectrum],
    ])
    if (expected.constraintForm) {
      const { lambda: _, ...rest } = options
      const within = solveSync(ccnnProgram({ ...rest, radius: expected.constraintForm.R }), { tolerance })
      yield finding(`${name} constrained`, within, expected.constraintForm.objective, scale, [])
    }
  }
  if (config.nystrom) return
  yield* checkDual(name, file, options, scale, predictions)
}

function* checkDual(
  name: string,
  { expected, unit, intermediate }: OneLayer,
  options: CcnnDualOptions,
  scale: number,
  predictions: (model: ConvexCnn) => number,
): Generator<Finding> {
  const program = ccnnDual(options)
  const smooth = Number.isFinite(program.loss.smoothness)
  const solvers = [
    // Where strict complementarity fails, alpha is off by the root of the gap.
    { solver: interiorPoint(), most: allowed.polished, of: smooth ? tolerance / 100 : tolerance },
    ...(smooth ? [{ solver: columnGeneration(), most: allowed.firstOrder, of: tolerance }] : []),
    // The hinge's own proximal steps are slow at the end.
    { solver: dualAscent(), most: allowed.firstOrder, of: smooth ? tolerance : 1e-8 },
  ]
  for (const { solver, most, of } of solvers) {
    const found = solveKernel(program, { solver, tolerance: of })
    const alpha = expected.alpha.flat().map((value) => value / scale)
    yield finding(`${name} ${solver.name}`, found, expected.primal, scale, [
      ['the dual value', off(found.certificate.dual * scale, expected.dual), smooth ? allowed.objective : 1e-8],
      ['the test predictions', predictions(found.model), most],
      ['alpha', largest(found.dual, alpha) * scale, most],
      ['lambda_max', off(kernelLambdaMax(program) * scale, intermediate.lambdaMax!), allowed.lambdaMax],
      ['the nuclear norm', off(found.norm, expected.nuclearNorm), most],
    ])
    if (solver.name !== 'interior-point') continue
    // From alpha and the kernel alone, with no weights in between.
    for (const method of smooth ? (['core', 'least-squares', 'filters'] as const) : (['margin'] as const)) {
      const recovered = recoverWeights(program, found.dual, { method })
      const singular = expected.singularM!.map((value) => value / scale)
      yield {
        ...finding(
          `${name} recovery by ${method}`,
          { ...found, ...recovered, status: 'solved' },
          expected.primal,
          scale,
          [
            ['the test predictions', predictions(program.recover(recovered)), allowed.polished],
            ['the fit', largest(recovered.fit, expected.fTrain.flat()), allowed.polished],
            ['the spectrum of M', largest(recovered.spectrum, singular) * scale, allowed.spectrum],
            // Where the face is larger than the rank, least squares leave a weight of the size of alpha's error.
            ...(method === 'least-squares' && recovered.faceDimension > expected.rank
              ? []
              : [['the rank', Math.abs(recovered.rank - expected.rank), 0] as const]),
          ],
        ),
      }
    }
  }
  if (unit) yield checkUnit(name, program, unit, scale)
}

/** Operator norm, dual value, and the elastic net's dual at an alpha that is no solution. */
function checkUnit(
  name: string,
  { kernel, loss }: ReturnType<typeof ccnnDual>,
  { alpha, opNorm, negConj, lam, rho, elasticPenalty, elasticF }: NonNullable<OneLayer['unit']>,
  scale: number,
): Checked {
  const at = Float64Array.from(alpha.flat())
  const { values } = kernelSpectrum(kernel, at)
  const elastic = (point: Float64Array): number =>
    kernelSpectrum(kernel, point).values.reduce((total, s) => total + Math.max(0, s - lam) ** 2 / (2 * rho), 0)
  const slopes = at.map((_, k) => {
    const h = 1e-5
    const moved = (by: number): Float64Array => at.map((value, j) => (j === k ? value + by : value))
    return (elastic(moved(h)) - elastic(moved(-h))) / (2 * h)
  })
  const value = 0 - loss.conjugate(at.map((entry) => -entry / scale)) * scale
  const misses = missesOf([
    ['the operator norm', off(values[0]!, opNorm), 1e-10],
    ['the dual value', off(value, negConj), 1e-10],
    ['the elastic penalty', off(elastic(at), elasticPenalty), 1e-8],
    ['the elastic gradient', largest(slopes, elasticF.flat()), 1e-4 * (1 + Math.max(...elasticF.flat().map(Math.abs)))],
  ])
  const error = off(values[0]!, opNorm)
  return { kind: 'checked', name: `${name} unit`, expected: opNorm, got: values[0]!, error, gap: 0, seconds: 0, misses }
}

const twoLayers = v.object({
  layer1: v.object({
    config: configSchema,
    expected: v.object({
      primal: v.number(),
      rank: v.number(),
      fTest: rowsOfNumbers,
      gramH: v.array(v.array(rowsOfNumbers)),
    }),
  }),
  layer2: v.object({
    config: configSchema,
    expected: v.object({ primal: v.number(), rank: v.number(), fTest: rowsOfNumbers }),
  }),
  ...sets,
})

/** The second layer's images are what the first one's orthonormal filters see. */
function* checkTwoLayers(reference: Reference): Generator<Finding> {
  const { name } = reference
  const { layer1, layer2, train, test } = read(twoLayers, reference)
  let X = flat(train.images)
  let seen = flat(test.images)
  let shape = shapeOf(train.images)
  for (const [layer, { config, expected }] of [layer1, layer2].entries()) {
    const { options, scale } = optionsOf(config, X, shape, train.targets)
    const found = solveKernel(ccnnDual(options), { solver: interiorPoint(), tolerance: 1e-12 })
    const { model } = found
    const H = model.convolve(X, { orthonormal: true })
    yield finding(`${name} ${layer + 1}`, found, expected.primal, scale, [
      ['the test predictions', largest(model.predict(seen).data, expected.fTest.flat()), allowed.polished],
      ['the rank', Math.abs(model.width - expected.rank), 0],
      ...('gramH' in expected
        ? [
            [
              'the products of what filters see',
              largest(grams(H, model.width), (expected as typeof layer1.expected).gramH.flat(3)),
              1e-6,
            ] as const,
          ]
        : []),
    ])
    seen = model.convolve(seen, { orthonormal: true })
    X = H
    shape = model.convolved
  }
}

/** h_p(x_i)'h_r(x_j) of the first two images, in the order i, p, j, r. */
function grams(H: Matrix, r: number): Float64Array {
  const P = H.columns / r
  const out: number[] = []
  for (let i = 0; i < 2; i++)
    for (let p = 0; p < P; p++)
      for (let j = 0; j < 2; j++)
        for (let s = 0; s < P; s++) {
          let total = 0
          for (let k = 0; k < r; k++) total += H.data[i * H.columns + p * r + k]! * H.data[j * H.columns + s * r + k]!
          out.push(total)
        }
  return Float64Array.from(out)
}

type Measured = readonly (readonly [string, number, number])[]

function finding(
  name: string,
  { certificate, status, seconds }: Pick<Solution | KernelSolution, 'certificate' | 'status' | 'seconds'>,
  expected: number,
  scale: number,
  measured: Measured,
): Checked {
  const got = certificate.primal * scale
  const error = off(got, expected)
  return {
    kind: 'checked',
    name,
    expected,
    got,
    error,
    gap: certificate.relativeGap,
    seconds,
    misses: [
      ...(status === 'solved' ? [] : [`the solver ended with status ${status}`]),
      ...missesOf([
        ['the objective', error, allowed.objective],
        ['the bound above the optimum', (certificate.dual * scale - expected) / (1 + expected), allowed.objective],
        ...measured,
      ]),
    ],
  }
}

function missesOf(measured: Measured): string[] {
  return measured.flatMap(([what, value, most]) =>
    value <= most ? [] : [`the error of ${what} is ${value.toExponential(2)}, allowed is ${most.toExponential(0)}`],
  )
}

/** |got - expected| / (1 + |expected|) */
function off(got: number, expected: number): number {
  return Math.abs(got - expected) / (1 + Math.abs(expected))
}

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN
  let most = 0
  for (let k = 0; k < a.length; k++) most = Math.max(most, Math.abs(a[k]! - b[k]!))
  return most
}
