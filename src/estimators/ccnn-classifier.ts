import * as v from 'valibot'
import { walk } from '../../solvers/index.ts'
import { isRounding } from '../../solvers/sweep.ts'
import { breathe } from '../../solvers/turn.ts'
import { decodeLabels, encodeLabels } from '../data/dataset.ts'
import { nystrom } from '../kernels/features.ts'
import { rbf } from '../kernels/kernels.ts'
import { type WhiteningOptions, whitened } from '../kernels/whitening.ts'
import { logistic } from '../losses/logistic.ts'
import { softmax } from '../losses/softmax.ts'
import type { ConvexCnn } from '../models/convex-cnn.ts'
import { describeDamage } from '../models/load-model.ts'
import { type StackedCnn, stackedCnn, stackedCnnFromJson, strongestFilters } from '../models/stacked-cnn.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import type { ImageShape, PatchOptions } from '../operators/patches.ts'
import type { PoolOptions } from '../operators/pooling.ts'
import { ccnnProgram } from '../programs/ccnn/ccnn.ts'
import type { Certificate, Matrix, ModelJson, Progress, Status } from '../types.ts'
import { fieldsOf, requireOutputs } from './estimator-file.ts'
import type { Label } from './file.ts'
import { requireLabels } from './training-data.ts'

/** One convolutional layer of a `CcnnClassifier`. */
export interface CcnnLayerOptions {
  /** Default: size 5, `contrast` in the first layer and `l2` in the others. */
  patch?: PatchOptions
  /** Average pooling (default 2 x 2). */
  pool?: PoolOptions
  /** Of the rbf kernel on patches (default 1). */
  gamma?: number
  /** Landmarks of the kernel among the training patches (default 100). */
  landmarks?: number
  /** ZCA whitening of the patches, fitted on the training images (default: the first layer only). */
  whiten?: boolean | WhiteningOptions
  /** Weight of the nuclear norm as a share of the smallest one with no filter at all (default 1e-3). */
  lambdaRatio?: number
  /** Filters that the next layer is built on, the strongest ones (default 16). */
  filters?: number
}

/** How a `CcnnClassifier` trains. */
export interface CcnnTrainOptions {
  shape: ImageShape
  /** From the images up (default one layer). */
  layers?: readonly CcnnLayerOptions[]
  /** Relative duality gap of every layer (default 1e-2). */
  tolerance?: number
  /** Default 500 a layer. */
  maxIterations?: number
  /** Seconds a layer (default none). */
  timeLimit?: number
  /** Of the landmarks (default 1). */
  seed?: number
}

/** How one layer was trained. */
export interface CcnnLayerReport {
  readonly status: Status
  readonly iterations: number
  readonly seconds: number
  readonly lambda: number
  /** Of the layer's own convex program, its images given. */
  readonly certificate: Certificate
  /** Filters that it found. */
  readonly rank: number
}

interface Trained {
  readonly network: StackedCnn
  readonly classes: readonly Label[]
  readonly scale: number
  readonly layers: readonly CcnnLayerReport[]
}

/** The file of a `CcnnClassifier`. */
export interface CcnnClassifierJson extends ModelJson {
  readonly kind: 'ccnn-classifier'
}

/**
 * Classification of images by a convexified convolutional network, layer on layer, each trained to a certified gap:
 *
 * ```ts
 * const classifier = new CcnnClassifier({ shape: { height: 28, width: 28, channels: 1 } }).train(X, labels)
 * classifier.predict(X)                     // labels
 * ```
 *
 * Rows are images of height x width x channels numbers. Two classes share one output with the logistic loss, more have one
 * each with softmax. A layer's certificate is of its own convex program; a stack of several has no bound of its own.
 */
export class CcnnClassifier {
  readonly kind = 'ccnn-classifier' as const
  readonly #options: CcnnTrainOptions
  #state: Trained | undefined

  constructor(options: CcnnTrainOptions) {
    checkOptions(options)
    this.#options = options
  }

  /** Trains and blocks until done; returns itself. */
  train(X: MatrixLike, labels: ArrayLike<Label>): this {
    const work = this.#training(X, labels)
    for (;;) if (work.next().done) return this
  }

  /** Trains while the event loop keeps breathing; aborting keeps the layers and the best point found so far. */
  async trainAsync(
    X: MatrixLike,
    labels: ArrayLike<Label>,
    options: { signal?: AbortSignal; onProgress?: (progress: Progress & { layer: number }) => void } = {},
  ): Promise<this> {
    requireOptions(options, { signal: true, onProgress: true }, 'CcnnClassifier')
    await breathe(this.#training(X, labels, options))
    return this
  }

  /** One label per image. */
  predict(X: MatrixLike): Label[] {
    const { classes } = this.#trained()
    const byName = new Map(classes.map((label) => [String(label), label]))
    return decodeLabels(this.decisionFunction(X), classes.map(String)).map((name) => byName.get(name)!)
  }

  /** The network's outputs: one column for two classes (positive: the second), one per class for more. */
  decisionFunction(X: MatrixLike): Matrix {
    const { network, scale } = this.#trained()
    return network.predict(scaledImages(asMatrix(X, 'CcnnClassifier', 'X'), scale))
  }

  /** Share of images whose predicted label is the given one. */
  score(X: MatrixLike, labels: ArrayLike<Label>): number {
    const predicted = this.predict(X)
    if (predicted.length !== labels.length)
      throw new RangeError(
        `score: there are ${labels.length} labels and X has ${predicted.length} rows; pass one label per image.`,
      )
    return predicted.filter((label, r) => String(label) === String(labels[r])).length / predicted.length
  }

  /** The stack of networks, for images divided by `scale`. */
  get network(): StackedCnn {
    return this.#trained().network
  }

  /** What images are divided by: the largest entry of those it was trained on. */
  get scale(): number {
    return this.#trained().scale
  }

  /** The class names, in the order of the outputs. */
  get classes(): readonly Label[] {
    return this.#trained().classes
  }

  /** How every layer was trained, from the images up. */
  get layers(): readonly CcnnLayerReport[] {
    return this.#trained().layers
  }

  /** Of the last layer. */
  get certificate(): Certificate {
    return this.layers.at(-1)!.certificate
  }

  /** `solved` when every layer is; otherwise how the first that is not ended. */
  get status(): Status {
    return this.layers.find(({ status }) => status !== 'solved')?.status ?? 'solved'
  }

  /** What `load` and `loadModel` read back. */
  toJSON(): CcnnClassifierJson {
    const { network, classes, scale, layers } = this.#trained()
    return {
      format: 'cvxnn',
      version: 1,
      kind: 'ccnn-classifier',
      options: this.#options,
      classes,
      scale,
      layers,
      network: network.toJSON(),
    } as CcnnClassifierJson
  }

  /** @throws TypeError in one sentence when the file is foreign, of another kind, or damaged. */
  static load(json: string | object): CcnnClassifier {
    const head = fieldsOf('ccnn-classifier', json)
    return describeDamage(() => {
      const { options, classes, scale, layers, network } = v.parse(file, head)
      const loaded = new CcnnClassifier(options as unknown as CcnnTrainOptions)
      const stack = stackedCnnFromJson(network as unknown as ModelJson)
      requireOutputs(classes as Label[], stack.outputs)
      loaded.#state = { network: stack, classes, scale, layers: layers as unknown as CcnnLayerReport[] }
      return loaded
    })
  }

  #trained(): Trained {
    if (!this.#state) throw new Error('CcnnClassifier: it has not been trained; call train(X, labels) first.')
    return this.#state
  }

  *#training(
    given: MatrixLike,
    labels: ArrayLike<Label>,
    {
      signal,
      onProgress,
    }: { signal?: AbortSignal; onProgress?: (progress: Progress & { layer: number }) => void } = {},
  ): Generator<undefined, void> {
    const raw = asMatrix(given, 'CcnnClassifier', 'X')
    requireFinite(raw, 'CcnnClassifier', 'X')
    requireLabels(labels, 'CcnnClassifier')
    if (labels.length !== raw.rows)
      throw new RangeError(
        `CcnnClassifier: there are ${labels.length} labels and X has ${raw.rows} rows; pass one label per image.`,
      )
    const { y, classes } = encodeLabels(Array.from(labels, String))
    const { shape, layers = [{}], tolerance = 1e-2, maxIterations = 500, timeLimit, seed = 1 } = this.#options
    const scale = raw.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
    let images = scaledImages(raw, scale)
    let size = shape
    const networks: ConvexCnn[] = []
    const reports: CcnnLayerReport[] = []
    for (const [k, layer] of layers.entries()) {
      const { gamma = 1, landmarks = 100, whiten = k === 0, lambdaRatio = 1e-3, filters = 16 } = layer
      const features = nystrom({ count: landmarks, seed: seed + k })
      const program = ccnnProgram({
        X: images,
        y,
        shape: size,
        patch: layer.patch ?? { size: 5, normalize: k === 0 ? 'contrast' : 'l2' },
        pool: layer.pool ?? { size: 2 },
        kernel: rbf({ gamma }),
        features: whiten ? whitened(features, whiten === true ? {} : whiten) : features,
        loss: y.columns === 1 ? logistic() : softmax(),
        bias: 'unpenalised',
        lambdaRatio,
      })
      if (!(program.lambda > 0) || isRounding(program, program.lambda / lambdaRatio))
        throw new RangeError(
          `CcnnClassifier: layer ${k + 1} sees nothing by which the classes differ: the images are all alike, or each is of one colour throughout; pass images that differ.`,
        )
      const work = walk(program, {
        tolerance,
        maxIterations,
        ...(timeLimit !== undefined && { timeLimit }),
        ...(signal && { signal }),
        ...(onProgress && { onProgress: (progress: Progress) => onProgress({ ...progress, layer: k + 1 }) }),
      })
      let at = work.next()
      while (!at.done) {
        yield
        at = work.next()
      }
      const { model, status, iterations, seconds, certificate } = at.value
      const last = k + 1 === layers.length
      const network = last ? model : strongestFilters(model, filters)
      reports.push({ status, iterations, seconds, lambda: program.lambda, certificate, rank: model.width })
      networks.push(network)
      if (last) break
      if (network.width === 0)
        throw new RangeError(
          `CcnnClassifier: layer ${k + 1} found no filter for the next one to read; pass a smaller lambdaRatio than ${lambdaRatio}.`,
        )
      images = network.convolve(images, { orthonormal: true })
      size = network.convolved
    }
    const numeric = Array.from(labels).every((label) => typeof label === 'number')
    this.#state = {
      network: stackedCnn(networks),
      classes: numeric ? classes.map(Number) : [...classes],
      scale,
      layers: reports,
    }
  }
}

function scaledImages(X: Matrix, scale: number): Matrix {
  return scale === 1
    ? X
    : matrix(
        X.rows,
        X.columns,
        X.data.map((value) => value / scale),
      )
}

const optionNames: OptionKinds<CcnnTrainOptions> = {
  shape: true,
  layers: true,
  tolerance: 'number',
  maxIterations: 'number',
  timeLimit: 'number',
  seed: 'number',
}

const layerOptionNames: OptionKinds<CcnnLayerOptions> = {
  patch: true,
  pool: true,
  gamma: 'number',
  landmarks: 'number',
  whiten: true,
  lambdaRatio: 'number',
  filters: 'number',
}

function checkOptions(options: CcnnTrainOptions): void {
  requireOptions(options, optionNames, 'CcnnClassifier')
  const { layers = [{}], tolerance = 1e-2 } = options
  if (!options.shape)
    throw new TypeError('CcnnClassifier: there is no shape; pass shape: { height, width, channels } of the images.')
  if (layers.length === 0) throw new RangeError('CcnnClassifier: there is no layer; pass layers: [{}] for one.')
  if (!(tolerance > 0))
    throw new RangeError(`CcnnClassifier: tolerance is ${tolerance}, expected above 0; pass for example 1e-2.`)
  for (const [k, layer] of layers.entries()) {
    requireOptions(layer, layerOptionNames, `CcnnClassifier: layer ${k + 1}`)
    const { lambdaRatio = 1e-3, filters = 16 } = layer
    if (!(lambdaRatio > 0))
      throw new RangeError(`CcnnClassifier: lambdaRatio is ${lambdaRatio}, expected above 0; pass for example 1e-3.`)
    if (!Number.isInteger(filters) || filters < 1)
      throw new RangeError(
        `CcnnClassifier: filters is ${filters}, expected a positive whole number; pass for example 16.`,
      )
  }
}

const file = v.object({
  options: v.looseObject({
    shape: v.object({ height: v.number(), width: v.number(), channels: v.number() }),
    layers: v.optional(v.array(v.looseObject({}))),
  }),
  classes: v.pipe(v.union([v.array(v.string()), v.array(v.number())]), v.minLength(2)),
  scale: v.pipe(v.number(), v.minValue(0)),
  layers: v.array(
    v.looseObject({ status: v.string(), certificate: v.looseObject({ relativeGap: v.nullable(v.number()) }) }),
  ),
  network: v.looseObject({ kind: v.literal('stacked-cnn') }),
})
