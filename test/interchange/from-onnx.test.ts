import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromOnnx, matrix, reluNetwork, toOnnx } from '../../src/index.ts'
import { encodeModel, type Node, type OnnxGraph, type Tensor } from '../../src/interchange/onnx-file.ts'
import { encodeMessage } from '../../src/interchange/protobuf.ts'
import { normals } from '../lifted/networks.ts'
import { runOnnx } from './runtime.ts'

const [d, m, c] = [3, 4, 2]
const weights = {
  W1: normals(m, d, 1),
  b1: normals(1, m, 2).data,
  W2: normals(m, c, 3),
  intercept: normals(1, c, 4).data,
}

const turned = (rows: number, columns: number, data: Float64Array): Float64Array =>
  Float64Array.from(data, (_, k) => data[(k % rows) * columns + Math.floor(k / rows)]!)

const tensor = (name: string, shape: readonly number[], entries: ArrayLike<number>): Tensor => ({
  ...{ name, shape, entries },
  type: 'float32',
})

/** As torch.onnx.export names and writes them: W is outputs x inputs. */
const linear = [
  tensor('0.weight', [m, d], weights.W1.data),
  tensor('0.bias', [m], weights.b1),
  tensor('2.weight', [c, m], turned(m, c, weights.W2.data)),
  tensor('2.bias', [c], weights.intercept),
]

function file(
  nodes: readonly Node[],
  constants: readonly Tensor[] = linear,
  changes: Partial<OnnxGraph> = {},
): Uint8Array {
  const port = { type: 'float32', shape: [] } as const
  return encodeModel(
    {
      ...{ name: 'main_graph', nodes, constants },
      inputs: [{ ...port, name: 'X', shape: [d] }],
      outputs: [{ ...port, name: 'Y', shape: [c] }],
      ...changes,
    },
    {},
  )
}

const node = (op: string, inputs: readonly string[], output: string, attributes?: Node['attributes']): Node => ({
  ...{ op, inputs, output },
  ...(attributes && { attributes }),
})

const torch: Node[] = [
  node('Gemm', ['X', '0.weight', '0.bias'], '/0/Gemm_output_0', { alpha: { float: 1 }, beta: { float: 1 }, transB: 1 }),
  node('Relu', ['/0/Gemm_output_0'], '/1/Relu_output_0'),
  node('Gemm', ['/1/Relu_output_0', '2.weight', '2.bias'], 'Y', {
    ...{ alpha: { float: 1 }, beta: { float: 1 } },
    transB: 1,
  }),
]

const X = normals(7, d, 9)

/** What the runtime answers is what the network read from the file predicts, to float32. */
async function expectRead(bytes: Uint8Array): Promise<void> {
  const { Y } = await runOnnx(bytes, X, 'float32')
  const predicted = fromOnnx(bytes).predict(X).data
  Y!.forEach((value, k) => {
    expect(Math.abs((value as number) - predicted[k]!)).toBeLessThan(1e-5)
  })
}

describe('fromOnnx', () => {
  it('gives back what toOnnx wrote of a ReLU network, to the last bit in float64', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 99 }),
        (width, features, outputs, seed) => {
          const network = reluNetwork({
            W1: normals(width, features, seed),
            b1: normals(1, width, seed + 1).data,
            W2: normals(width, outputs, seed + 2),
            intercept: normals(1, outputs, seed + 3).data,
          })
          expect(fromOnnx(toOnnx(network)).toJSON()).toEqual(network.toJSON())
        },
      ),
    ))

  it('reads Gemm, Relu, Gemm as PyTorch exports it', async () => {
    await expectRead(file(torch))
    expect(fromOnnx(file(torch)).W1.data[0]).toBe(Math.fround(weights.W1.data[0]!))
  })

  it('reads factors and a layer without a bias', () =>
    expectRead(
      file([
        node('Gemm', ['X', '0.weight', '0.bias'], 'h', { alpha: { float: 0.5 }, beta: { float: -2 }, transB: 1 }),
        node('Relu', ['h'], 'r'),
        node('Gemm', ['r', '2.weight'], 'Y', { transB: 1 }),
      ]),
    ))

  it('reads MatMul and Add, either way round, weights transposed in the graph, and what changes nothing', () =>
    expectRead(
      file([
        node('Transpose', ['0.weight'], 'W1', { perm: [1, 0] }),
        node('Flatten', ['X'], 'x', { axis: 1 }),
        node('MatMul', ['x', 'W1'], 'h'),
        node('Add', ['0.bias', 'h'], 'hb'),
        node('Relu', ['hb'], 'r'),
        node('Identity', ['r'], 'i'),
        node('Transpose', ['2.weight'], 'W2', { perm: [1, 0] }),
        node('MatMul', ['i', 'W2'], 'y'),
        node('Add', ['y', '2.bias'], 'yb'),
        node('Cast', ['yb'], 'Y', { to: 1 }),
      ]),
    ))

  it('reads weights that are Constant nodes', () => {
    // W = [[2]] as a Constant; everything else as above, 1 x 1.
    const one = [tensor('b', [1], [1]), tensor('W2', [1, 1], [3])]
    const rest = file(
      [node('Gemm', ['X', 'W', 'b'], 'h'), node('Relu', ['h'], 'r'), node('MatMul', ['r', 'W2'], 'Y')],
      one,
    )
    const constant = encodeMessage((graph) =>
      graph.message(1, (inner) => {
        inner.text(2, 'W')
        inner.text(4, 'Constant')
        inner.message(5, (attribute) => {
          attribute.text(1, 'value')
          attribute.message(5, (value) => {
            value.integer(1, 1)
            value.integer(1, 1)
            value.integer(2, 1)
            value.bytes(4, new Uint8Array(Float32Array.of(2).buffer)) // float_data, packed
          })
        })
      }),
    )
    const bytes = withGraph(rest, (graph) => Uint8Array.from([...constant, ...graph]))
    expect(fromOnnx(bytes).predict(matrix(1, 1, Float64Array.of(5))).data[0]).toBe(3 * (2 * 5 + 1))
  })

  const three = [...torch.slice(0, 2), node('Gemm', ['/1/Relu_output_0', '2.weight', '2.bias'], 'z', { transB: 1 })]
  const wrong: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /no ONNX model, or damaged \(it holds no graph\)/],
    ['text', new TextEncoder().encode('{"format": "cvxnn"}'), /no ONNX model, or damaged/],
    ['a sigmoid', file([torch[0]!, node('Sigmoid', ['/0/Gemm_output_0'], 'Y')]), /has the operator Sigmoid, expected/],
    [
      'no ReLU',
      file([torch[0]!, { ...torch[2]!, inputs: ['/0/Gemm_output_0', '2.weight'] }]),
      /a Gemm at another place/,
    ],
    ['a ReLU at the end', file([...three, node('Relu', ['z'], 'Y')]), /a ReLU at another place/],
    ['one layer', file([{ ...torch[0]!, output: 'Y' }]), /has 1 linear layers/],
    ['a weight that is an input', file(torch, linear.slice(1)), /input 1 of the operator Gemm is no constant/],
    [
      'a bias of another length',
      file(torch, linear.with(1, tensor('0.bias', [3], [1, 2, 3]))),
      /a bias has the shape \[3\]/,
    ],
    [
      'layers that do not meet',
      file(torch, linear.with(2, tensor('2.weight', [2, 1], [1, 2]))),
      /gives 4 numbers and the second reads 1/,
    ],
    [
      'a weight that is not finite',
      file(torch, linear.with(1, tensor('0.bias', [4], [0, Number.NaN, 0, 0]))),
      /b1 has NaN/,
    ],
    [
      'weights of int64',
      file(torch, linear.with(0, { ...linear[0]!, type: 'int64', entries: Array(12).fill(1) })),
      /no constant of float32/,
    ],
    [
      'a hostile shape',
      file(torch, linear.with(0, { ...linear[0]!, shape: [2 ** 40, 2 ** 40] })),
      /have 48 bytes and their shape/,
    ],
    [
      'two outputs',
      file(torch, linear, { outputs: [1, 2].map((k) => ({ name: `Y${k}`, type: 'float32', shape: [1] })) }),
      /1 inputs and 2 outputs/,
    ],
  ]
  it.each(wrong)('refuses %s in a sentence', (_, bytes, words) => {
    expect(() => fromOnnx(bytes)).toThrow(TypeError)
    expect(() => fromOnnx(bytes)).toThrow(words)
  })

  it('refuses what is no bytes', () => {
    expect(() => fromOnnx('model.onnx' as never)).toThrow(/expected the bytes of an ONNX file/)
  })
})

/** The file with another graph: fields keep their order, and the graph is written again. */
function withGraph(bytes: Uint8Array, change: (graph: Uint8Array) => Uint8Array): Uint8Array {
  const graph = graphOf(bytes)
  return encodeMessage((model) => model.bytes(7, change(graph)))
}

function graphOf(bytes: Uint8Array): Uint8Array {
  // ir_version (2 bytes), producer (2 + 5), then the key of the graph and its length as a varint.
  let at = 10
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!
    length += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  return bytes.subarray(at, at + length)
}
