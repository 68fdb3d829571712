import type { Matrix } from '../types.ts'
import { type DataType, encodeModel, type Node, type Port, type Tensor } from './onnx-file.ts'

/** What numbers are computed in. */
export type FloatType = 'float64' | 'float32'

/** A graph as it grows: every method adds a node or a constant and gives the name of its value. */
export interface GraphBuilder {
  readonly type: FloatType
  /** Adds a node. */
  node(op: string, inputs: readonly string[], attributes?: Node['attributes']): string
  /** Adds a constant of the graph's own type. */
  numbers(name: string, shape: readonly number[], entries: ArrayLike<number>): string
  /** Adds a constant of another type. */
  constant(name: string, shape: readonly number[], type: DataType, entries: Tensor['entries']): string
  matrix(name: string, M: Matrix): string
  scalar(name: string, value: number): string
  /** x W' + b, or x W + b with `transposed: false`, for rows x. */
  affine(x: string, W: string, b: string, options?: { transposed?: boolean }): string
  /** The value under another shape; one size may be -1. */
  reshape(x: string, shape: readonly number[]): string
  /** Sums over one axis, which stays with size 1 where `keep` says so. */
  sum(x: string, axis: number, keep?: boolean): string
  /** Names a value as an output. */
  output(value: string, port: Port): void
  finish(name: string, inputs: readonly Port[], metadata: Readonly<Record<string, string>>): Uint8Array
}

/** An empty graph of numbers of one type. */
export function graphBuilder(type: FloatType): GraphBuilder {
  const nodes: Node[] = []
  const constants: Tensor[] = []
  const outputs: Port[] = []
  const taken = new Set<string>(['X'])
  const fresh = (wanted: string): string => {
    let name = wanted
    for (let k = 2; taken.has(name); k++) name = `${wanted}_${k}`
    taken.add(name)
    return name
  }
  const builder: GraphBuilder = {
    type,
    node(op, inputs, attributes) {
      const output = fresh(op.toLowerCase())
      nodes.push({ op, inputs, output, ...(attributes && { attributes }) })
      return output
    },
    numbers(name, shape, entries) {
      for (let k = 0; type === 'float32' && k < entries.length; k++)
        if (!Number.isFinite(Math.fround(entries[k]!)))
          throw new RangeError(
            `toOnnx: entry ${k} of ${name} is ${entries[k]}, beyond what float32 holds; leave type out for float64.`,
          )
      return builder.constant(name, shape, type, entries)
    },
    constant(name, shape, kind, entries) {
      const unique = fresh(name)
      constants.push({ name: unique, shape, type: kind, entries })
      return unique
    },
    matrix: (name, M) => builder.numbers(name, [M.rows, M.columns], M.data),
    scalar: (name, value) => builder.numbers(name, [], [value]),
    affine: (x, W, b, { transposed = true } = {}) => builder.node('Gemm', [x, W, b], transposed ? { transB: 1 } : {}),
    reshape: (x, shape) => builder.node('Reshape', [x, builder.constant('shape', [shape.length], 'int64', shape)]),
    sum: (x, axis, keep = false) =>
      builder.node('ReduceSum', [x, builder.constant('axis', [1], 'int64', [axis])], { keepdims: keep ? 1 : 0 }),
    output(value, port) {
      nodes.push({ op: 'Identity', inputs: [value], output: port.name })
      outputs.push(port)
    },
    finish: (name, inputs, metadata) => encodeModel({ name, nodes, constants, inputs, outputs }, metadata),
  }
  for (const name of ['Y', 'scores', 'label']) taken.add(name)
  return builder
}
