import { gzipSync } from 'node:zlib'
import type fc from 'fast-check'
import {
  activations,
  CcnnClassifier,
  circularCnn,
  convexCnn,
  convolution,
  deepNetwork,
  fromOnnx,
  gatedReluNetwork,
  LiftedClassifier,
  LiftedRegressor,
  loadModel,
  type Matrix,
  type Model,
  matrix,
  ReluClassifier,
  ReluRegressor,
  rbf,
  readCifar,
  readCsv,
  readIdx,
  readNpy,
  readRows,
  rectifiedCnn,
  reluNetwork,
  stackedCnn,
  toNpy,
  toOnnx,
} from '../../src/index.ts'
import { cosines, kernelFeatures, pixels } from '../../src/kernels/features.ts'
import { whitenedFeatures } from '../../src/kernels/whitening.ts'
import { normals } from '../lifted/networks.ts'
import { editedJson, mutated } from './mutations.ts'

/** A reader, files to begin with, and what must hold of what it accepts. */
export interface FuzzedReader<T = unknown> {
  readonly name: string
  readonly inputs: fc.Arbitrary<T>
  /** Reads, and throws where what came out is not sound. */
  readonly read: (input: T) => unknown
  /** How the sentences of its errors begin. */
  readonly sentences: RegExp
}

class Unsound extends Error {}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Unsound(what)
}

/** Of its own size, finite throughout, and no larger than the file can hold. */
function soundMatrix(M: Matrix, mostEntries: number): void {
  demand(M.data.length === M.rows * M.columns, 'the size is not that of the data')
  demand(M.data.every(Number.isFinite), 'an entry is not finite')
  demand(M.data.length <= mostEntries, `${M.data.length} entries are more than the file has room for`)
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const csvFiles = [
  'a,b,kind,y\n1,2,red,3\n4,5,blue,6\n-1.5e3,0.25,"red",9\n',
  'x;y\r\n1;2\r\n3;5\r\n',
  '\ufeffx\ty\n1\t"a ""quoted"" cell"\n2\tb\n3\tc\n',
  'x,y\n,1\nNA,2\n3,4\n5,7\n',
].map(text)

const idx = (type: number, shape: readonly number[], bytes: readonly number[]): Uint8Array => {
  const head = new Uint8Array(4 + 4 * shape.length)
  head.set([0, 0, type, shape.length])
  shape.forEach((size, axis) => {
    new DataView(head.buffer).setUint32(4 + 4 * axis, size)
  })
  return Uint8Array.from([...head, ...bytes])
}
const idxFiles = [
  idx(8, [3, 2, 2], [...Array(12).keys()]),
  idx(8, [5], [0, 1, 2, 3, 4]),
  idx(14, [1, 2], [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]),
]
const npyFiles = [
  toNpy(normals(3, 4, 1)),
  toNpy(normals(2, 6, 2), { type: 'float32', shape: [2, 3, 2] }),
  toNpy(normals(5, 1, 3), { shape: [5] }),
]
const cifarFile = Uint8Array.from({ length: 2 * 3073 }, (_, k) => (k % 3073 === 0 ? 7 : k % 251))

const shape = { height: 4, width: 4, channels: 1 }
const small = {
  shape,
  patch: { size: 2, stride: 2 },
  pool: { size: 2 },
  linear: normals(3, 1, 8),
  intercept: normals(1, 1, 9).data,
}
const convex = convexCnn({
  ...small,
  features: whitenedFeatures(
    kernelFeatures(rbf(), normals(3, 4, 4).data, 4, normals(3, 2, 5).data),
    normals(4, 4, 6).data,
    true,
  ),
  filters: normals(2, 3, 7),
})
const twoLayer = {
  ...{ W1: normals(3, 2, 1), b1: normals(1, 3, 2).data, W2: normals(3, 2, 3) },
  intercept: normals(1, 2, 4).data,
}
const map = convolution({ ...shape, size: 2, pool: 2 })

/** One network of every kind. */
const networks: readonly Model[] = [
  reluNetwork(twoLayer),
  reluNetwork({ W1: matrix(0, 2), b1: new Float64Array(0), W2: matrix(0, 1), intercept: Float64Array.of(1) }),
  gatedReluNetwork({ ...twoLayer, gates: normals(3, 2, 5), gateBias: normals(1, 3, 6).data }),
  deepNetwork([
    {
      map,
      W: normals(2, map.fanIn, 1),
      b: normals(1, 2, 2).data,
      activation: activations['leaky-relu']({ slope: 0.1 }),
    },
    { W: normals(1, 2 * map.positions, 3), b: normals(1, 1, 4).data, activation: activations.identity() },
  ]),
  convex,
  convexCnn({ ...small, features: pixels(4), filters: normals(4, 3, 7) }),
  convexCnn({
    ...small,
    features: cosines(4, normals(4, 2, 1).data, normals(1, 2, 2).data),
    filters: normals(2, 3, 7),
  }),
  rectifiedCnn({ ...small, filters: normals(3, 4, 7), gates: normals(3, 4, 8) }),
  stackedCnn([
    convexCnn({
      ...small,
      pool: { size: 1 },
      linear: normals(3, 4, 8),
      features: pixels(4),
      filters: normals(4, 3, 7),
    }),
    convexCnn({
      ...small,
      shape: { height: 2, width: 2, channels: 3 },
      patch: { size: 1 },
      linear: normals(3, 1, 8),
      features: pixels(3),
      filters: normals(3, 3, 7),
    }),
  ]),
  circularCnn({ filter: normals(1, 4, 1).data, linear: normals(1, 4, 2).data, intercept: 1 }),
]

/** What `toJSON` of them gives, as a file has it. */
const onFile = (models: readonly { toJSON(): object }[]): object[] =>
  models.map((model) => JSON.parse(JSON.stringify(model)) as object)

const rows = normals(12, 2, 1)
const numbers = Array.from({ length: 12 }, (_, i) => i % 5)
const quick = { lambda: 0.1, gates: 4, maxIterations: 50 }
const lifted = { hidden: [2], maxSweeps: 2 }

function estimators(): readonly { toJSON(): object }[] {
  return [
    new ReluRegressor(quick).train(rows, numbers),
    new ReluClassifier({ ...quick, program: 'relu' }).train(
      rows,
      numbers.map((k) => (k > 2 ? 'yes' : 'no')),
    ),
    new ReluRegressor({ gates: 3, folds: 2, lambdaCount: 2, gateOrder: 0, maxIterations: 50 }).train(rows, numbers),
    new LiftedClassifier(lifted).train(
      rows,
      numbers.map((k) => k % 3),
    ),
    new LiftedRegressor(lifted).train(rows, numbers),
    new CcnnClassifier({
      shape,
      layers: [{ patch: { size: 2 }, landmarks: 2 }],
      maxIterations: 20,
    }).train(
      normals(12, 16, 2),
      numbers.map((k) => k % 2),
    ),
  ]
}

/** Loads, and asks what it loaded to predict, to be written again and to be exported. */
function useModel(input: unknown): void {
  const model = loadModel(input as object)
  const network = 'network' in model ? (model.network as Model) : (model as Model)
  const features = featuresOf(network)
  demand(Number.isSafeInteger(features) && features > 0, `it reads ${features} features`)
  // What no file of this size can be meant for is not predicted with here.
  if (features > 1e5) return
  const X = normals(2, features, 5)
  const out = network.predict(X)
  demand(out.rows === 2 && out.data.length === 2 * out.columns, 'the predictions have another size')
  const again = loadModel(JSON.parse(JSON.stringify(model)) as object)
  const other = ('network' in again ? (again.network as Model) : (again as Model)).predict(X)
  demand(
    out.data.every((value, k) => Object.is(value, other.data[k])),
    'written and loaded again it predicts otherwise',
  )
  demand(toOnnx(model as Model).length > 0, 'nothing is exported')
}

function featuresOf(network: Model): number {
  const any = network as unknown as {
    features?: number | object
    layers?: readonly Model[]
    shape?: { height: number; width: number; channels: number }
    filter?: Float64Array
  }
  if (typeof any.features === 'number') return any.features
  if (any.shape) return any.shape.height * any.shape.width * any.shape.channels
  return any.layers ? featuresOf(any.layers[0]!) : any.filter!.length
}

/** Every reader and loader; `train` is done when they are made. */
export function fuzzedReaders(): FuzzedReader[] {
  const readers: FuzzedReader<never>[] = []
  const add = <T>(reader: FuzzedReader<T>): void => {
    readers.push(reader as unknown as FuzzedReader<never>)
  }
  for (const missing of ['error', 'mean', 'drop'] as const)
    add({
      name: `readCsv, missing: '${missing}'`,
      inputs: mutated(csvFiles),
      sentences: /^readCsv: /,
      read: async (bytes: Uint8Array) => {
        const { X, y, features } = await readCsv(bytes, { target: 'y', missing })
        soundMatrix(X, bytes.length * bytes.length)
        soundMatrix(y, bytes.length * bytes.length)
        demand(features.length === X.columns && y.rows === X.rows, 'the sizes do not agree')
      },
    })
  add({
    name: 'readRows',
    inputs: mutated(csvFiles.slice(0, 1)),
    sentences: /^readRows: /,
    read: async (bytes: Uint8Array) => {
      const { schema } = await readCsv(csvFiles[0]!, { target: 'y' })
      const { X } = await readRows(bytes, schema)
      soundMatrix(X, bytes.length * 4)
    },
  })
  add({
    name: 'readNpy',
    inputs: mutated(npyFiles),
    sentences: /^readNpy: /,
    read: async (bytes: Uint8Array) => {
      const M = await readNpy(bytes)
      soundMatrix(M, bytes.length)
      const again = await readNpy(toNpy(M, { shape: M.shape }))
      demand(
        again.data.every((value, k) => Object.is(value, M.data[k])),
        'written and read again it differs',
      )
    },
  })
  add({
    name: 'readIdx',
    inputs: mutated([...idxFiles, ...idxFiles.map((file) => new Uint8Array(gzipSync(file)))]),
    sentences: /^readIdx: /,
    read: async (bytes: Uint8Array) => soundMatrix(await readIdx(bytes), bytes.length * 1100),
  })
  add({
    name: 'readCifar',
    inputs: mutated([cifarFile, new Uint8Array(gzipSync(cifarFile))]),
    sentences: /^readCifar: /,
    read: async (bytes: Uint8Array) => {
      const { X, labels } = await readCifar(bytes)
      soundMatrix(X, bytes.length * 1100)
      demand(labels.length === X.rows && labels.every((label) => label >= 0 && label <= 9), 'a label is no class')
    },
  })
  const onnx = networks.filter(({ kind, width }) => kind === 'relu-network' && width > 0)
  add({
    name: 'fromOnnx',
    inputs: mutated([
      ...onnx.flatMap((network) => [toOnnx(network), toOnnx(network, { type: 'float32' })]),
      toOnnx(networks[2]!),
    ]),
    sentences: /^fromOnnx: /,
    read: (bytes: Uint8Array) => {
      const network = fromOnnx(bytes)
      soundMatrix(network.W1, bytes.length)
      soundMatrix(network.W2, bytes.length)
      demand(network.predict(normals(2, network.features, 1)).rows === 2, 'it does not predict')
    },
  })
  const files = onFile(networks)
  const trained = onFile(estimators())
  const asBytes = (objects: readonly object[]): Uint8Array[] => objects.map((file) => text(JSON.stringify(file)))
  const decoded = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const loaders = /^(loadModel|load): /
  add({
    name: 'loadModel, networks, bytes',
    inputs: mutated(asBytes(files)).map(decoded),
    sentences: loaders,
    read: useModel,
  })
  add({ name: 'loadModel, networks, fields', inputs: editedJson(files), sentences: loaders, read: useModel })
  add({
    name: 'loadModel, estimators, bytes',
    inputs: mutated(asBytes(trained)).map(decoded),
    sentences: loaders,
    read: useModel,
  })
  add({ name: 'loadModel, estimators, fields', inputs: editedJson(trained), sentences: loaders, read: useModel })
  return readers as unknown as FuzzedReader[]
}

/** Words of the engine, not ours. */
const foreign =
  /Cannot (read|set|convert|mix)|is not (a function|iterable|defined)|Invalid (typed )?array length|out of bounds|allocation|Maximum call stack|of undefined|heap/

/** Seconds of processor time that count as a hang: files are of a few kilobytes. */
const LONGEST = 2

export interface Tally {
  accepted: number
  refused: number
  /** Seconds of processor time of the slowest input. */
  slowest: number
}

/** Reads one input; throws where a reader breaks its promise. */
export async function readOnce({ read, sentences }: FuzzedReader, input: unknown, tally: Tally): Promise<void> {
  const before = process.cpuUsage()
  let failure: unknown
  try {
    await read(input)
    tally.accepted++
  } catch (error) {
    failure = error
    tally.refused++
  }
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  tally.slowest = Math.max(tally.slowest, seconds)
  if (seconds > LONGEST) throw new Error(`it took ${seconds.toFixed(1)} s`)
  if (failure === undefined) return
  const ours = failure instanceof RangeError || failure instanceof TypeError || failure instanceof SyntaxError
  const { message } = failure as Error
  if (!ours || !sentences.test(message) || foreign.test(message))
    throw new Error(`it threw ${(failure as Error).name}: ${message}`, { cause: failure })
}
