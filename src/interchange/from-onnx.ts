import { type ReluNetwork, reluNetwork } from '../models/relu-network.ts'
import { matrix } from '../numerics/matrix.ts'
import { dataTypes, decodeModel, type ReadGraph, type ReadNode, type ReadTensor } from './onnx-file.ts'

/** x -> W x + b, W outputs x inputs. */
interface Affine {
  readonly outputs: number
  readonly inputs: number
  readonly W: Float64Array
  readonly b: Float64Array
}

/**
 * The two-layer ReLU network of an ONNX model: x -> Gemm -> Relu -> Gemm, or MatMul and Add in place of a Gemm, as PyTorch
 * exports `nn.Sequential(nn.Linear(d, m), nn.ReLU(), nn.Linear(m, c))` and other tools write it. Identity, Dropout, Flatten
 * and Cast on the way change nothing and are passed over; a weight may be a Constant, or a constant transposed. Weights
 * are float32 or float64. `gatesOf(network, X)` then has its patterns, and `verify` says how good it is.
 *
 * @throws TypeError in one sentence when the bytes are no ONNX model or damaged, or the graph is another network.
 */
export function fromOnnx(bytes: Uint8Array): ReluNetwork {
  if (!(bytes instanceof Uint8Array))
    throw new TypeError('fromOnnx: expected the bytes of an ONNX file; pass for example readFileSync(path).')
  let graph: ReadGraph
  try {
    graph = decodeModel(bytes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new TypeError(
      `fromOnnx: the bytes are no ONNX model, or damaged (${error.message}); export the network again, weights inside the file.`,
      { cause: error },
    )
  }
  const [first, second] = layersOf(graph)
  try {
    return reluNetwork({
      W1: matrix(first.outputs, first.inputs, first.W),
      b1: first.b,
      W2: transposed(second),
      intercept: second.b,
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new TypeError(`fromOnnx: the weights make no network (${error.message}); export the network again.`, {
      cause: error,
    })
  }
}

const EXPECTED = 'expected a linear layer, a ReLU and a linear layer; export such a network alone'

/** Operators that change nothing here. */
const passedOver = new Set(['Identity', 'Dropout', 'Flatten', 'Cast'])
const FLOATS: ReadonlySet<number> = new Set([dataTypes.float32, dataTypes.float64])

/** Walks from the only input to the only output, one node at a time. */
function layersOf(graph: ReadGraph): [Affine, Affine] {
  const refuse = (what: string): never => {
    throw new TypeError(`fromOnnx: ${what}, ${EXPECTED}.`)
  }
  const { inputs, outputs } = graph
  if (inputs.length !== 1 || outputs.length !== 1)
    refuse(`the graph has ${inputs.length} inputs and ${outputs.length} outputs`)
  const constants = new Map(graph.constants)
  const layers: Affine[] = []
  let rectified = false
  let at = inputs[0]!
  for (const node of graph.nodes) {
    const { op, domain, inputs: from, outputs: made } = node
    if (domain !== '' && domain !== 'ai.onnx') refuse(`the graph has the operator ${domain}.${op}`)
    if (foldedConstant(node, constants)) continue
    if (!from.includes(at)) refuse(`the operator ${op} does not follow the one before it`)
    const weights = (k: number): ReadTensor => {
      const tensor = constants.get(from[k] ?? '')
      if (!tensor?.entries) return refuse(`input ${k} of the operator ${op} is no constant of float32 or float64`)
      return tensor
    }
    if (passedOver.has(op)) {
      if (from[0] !== at) refuse(`the operator ${op} reads another value`)
      const axis = node.integers.get('axis')?.[0] ?? 1
      const to = node.integers.get('to')?.[0]
      if (op === 'Flatten' && axis !== 1) refuse(`a Flatten keeps ${axis} dimensions`)
      if (op === 'Cast' && !FLOATS.has(to!)) refuse('a Cast is to another type than float32 and float64')
    } else if (op === 'Relu') {
      if (rectified || layers.length !== 1) refuse('there is a ReLU at another place')
      rectified = true
    } else if (op === 'Gemm' || op === 'MatMul') {
      if (from[0] !== at || layers.length !== (rectified ? 1 : 0)) refuse(`there is a ${op} at another place`)
      layers.push(op === 'Gemm' ? gemm(node, weights, refuse) : product(weights(1), refuse))
    } else if (op === 'Add') {
      const last = layers.at(-1)
      if (!last || layers.length !== (rectified ? 2 : 1)) return refuse('there is an Add at another place')
      addTo(last.b, weights(from[0] === at ? 1 : 0), 1, refuse)
    } else refuse(`the graph has the operator ${op === '' ? 'without a name' : op}`)
    at = made[0] ?? ''
  }
  if (layers.length !== 2 || at !== outputs[0])
    refuse(`the graph has ${layers.length} linear layers${at === outputs[0] ? '' : ' and does not end in its output'}`)
  const [first, second] = layers as [Affine, Affine]
  if (first.outputs !== second.inputs)
    refuse(`the first layer gives ${first.outputs} numbers and the second reads ${second.inputs}`)
  if (first.inputs === 0 || second.outputs === 0)
    refuse(`the network reads ${first.inputs} numbers and gives ${second.outputs}`)
  return [first, second]
}

/** Keeps the value of a Constant, or of a Transpose or Identity of a constant; whether it was one of them. */
function foldedConstant(
  { op, inputs, outputs, tensor, integers }: ReadNode,
  constants: Map<string, ReadTensor>,
): boolean {
  const source = constants.get(inputs[0] ?? '')
  let value: ReadTensor | undefined
  if (op === 'Constant') value = tensor ?? { shape: [] }
  else if (op === 'Identity') value = source
  else if (op === 'Transpose' && source?.entries && source.shape.length === 2) {
    const order = integers.get('perm') ?? [1, 0]
    const [rows, columns] = source.shape as [number, number]
    value = order[0] === 0 ? source : { shape: [columns, rows], entries: turned(source.entries, rows, columns) }
  }
  if (!value) return false
  constants.set(outputs[0] ?? '', value)
  return true
}

type Refuse = (what: string) => never

/** alpha x B + beta C */
function gemm({ integers, floats, inputs }: ReadNode, weights: (k: number) => ReadTensor, refuse: Refuse): Affine {
  const flag = (name: string): boolean => (integers.get(name)?.[0] ?? 0) !== 0
  if (flag('transA')) refuse('a Gemm transposes its rows')
  const { shape, entries } = weights(1)
  if (shape.length !== 2) refuse(`the weights of a Gemm have ${shape.length} dimensions`)
  const [rows, columns] = shape as [number, number]
  const W = flag('transB') ? entries!.slice() : turned(entries!, rows, columns)
  const [outputs, inner] = flag('transB') ? [rows, columns] : [columns, rows]
  const alpha = floats.get('alpha') ?? 1
  for (let k = 0; k < W.length; k++) W[k]! *= alpha
  const b = new Float64Array(outputs)
  if (inputs[2]) addTo(b, weights(2), floats.get('beta') ?? 1, refuse)
  return { outputs, inputs: inner, W, b }
}

/** x B */
function product({ shape, entries }: ReadTensor, refuse: Refuse): Affine {
  if (shape.length !== 2) refuse(`the weights of a MatMul have ${shape.length} dimensions`)
  const [rows, columns] = shape as [number, number]
  return { outputs: columns, inputs: rows, W: turned(entries!, rows, columns), b: new Float64Array(columns) }
}

/** b += factor * a vector, a row or one number. */
function addTo(b: Float64Array, { shape, entries }: ReadTensor, factor: number, refuse: Refuse): void {
  const count = entries!.length
  if ((count !== 1 && count !== b.length) || (count > 1 && shape.at(-1) !== count))
    refuse(`a bias has the shape [${shape.join(', ')}] behind ${b.length} neurons`)
  for (let k = 0; k < b.length; k++) b[k]! += factor * entries![count === 1 ? 0 : k]!
}

function transposed({ outputs, inputs, W }: Affine): ReturnType<typeof matrix> {
  return matrix(inputs, outputs, turned(W, outputs, inputs))
}

/** rows x columns to columns x rows. */
function turned(entries: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(entries.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = entries[i * columns + j]!
  return out
}
