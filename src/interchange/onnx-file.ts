import {
  decodeMessage,
  encodeMessage,
  type Field,
  floatOf,
  integersOf,
  type MessageWriter,
  signed,
  textOf,
} from './protobuf.ts'

/** Types of a tensor's entries by their numbers in the file. */
export const dataTypes = { float32: 1, int32: 6, int64: 7, string: 8, bool: 9, float64: 11 } as const
export type DataType = keyof typeof dataTypes

/** A constant of the graph; entries in C order. */
export interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly type: DataType
  readonly entries: ArrayLike<number> | readonly string[]
}

/** An input or output of the graph: its first dimension is the rows, however many there are. */
export interface Port {
  readonly name: string
  readonly type: DataType
  /** What follows the rows. */
  readonly shape: readonly number[]
}

export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly output: string
  /** Whole numbers, lists of them, or (where the operator takes a float) `{ float }`. */
  readonly attributes?: Readonly<Record<string, number | readonly number[] | { readonly float: number }>>
}

export interface OnnxGraph {
  readonly name: string
  readonly nodes: readonly Node[]
  readonly constants: readonly Tensor[]
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

/** Opset 13 (ONNX 1.8, 2020), IR version 7: the oldest in which every operator used here takes float64. */
export const OPSET = 13
const IR_VERSION = 7

/** The bytes of a model file. */
export function encodeModel(graph: OnnxGraph, metadata: Readonly<Record<string, string>>): Uint8Array {
  return encodeMessage((model) => {
    model.integer(1, IR_VERSION)
    model.text(2, 'cvxnn')
    model.message(7, (message) => writeGraph(message, graph))
    model.message(8, (opset) => opset.integer(2, OPSET))
    for (const [key, value] of Object.entries(metadata))
      model.message(14, (entry) => {
        entry.text(1, key)
        entry.text(2, value)
      })
  })
}

function writeGraph(message: MessageWriter, { name, nodes, constants, inputs, outputs }: OnnxGraph): void {
  for (const { op, inputs: from, output, attributes = {} } of nodes)
    message.message(1, (node) => {
      for (const input of from) node.text(1, input)
      node.text(2, output)
      node.text(3, `${op} ${output}`)
      node.text(4, op)
      for (const [key, value] of Object.entries(attributes))
        node.message(5, (inner) => writeAttribute(inner, key, value))
    })
  message.text(2, name)
  for (const constant of constants) message.message(5, (tensor) => writeTensor(tensor, constant))
  for (const port of inputs) message.message(11, (info) => writePort(info, port))
  for (const port of outputs) message.message(12, (info) => writePort(info, port))
}

function writeAttribute(message: MessageWriter, name: string, value: NonNullable<Node['attributes']>[string]): void {
  message.text(1, name)
  if (typeof value === 'number') {
    message.integer(3, value)
    message.integer(20, ATTRIBUTE.integer)
  } else if ('float' in value) {
    message.float(2, value.float)
    message.integer(20, ATTRIBUTE.float)
  } else {
    for (const entry of value) message.integer(8, entry)
    message.integer(20, ATTRIBUTE.integers)
  }
}

/** AttributeProto.AttributeType */
const ATTRIBUTE = { float: 1, integer: 2, integers: 7 } as const

function writeTensor(message: MessageWriter, { name, shape, type, entries }: Tensor): void {
  for (const size of shape) message.integer(1, size)
  message.integer(2, dataTypes[type])
  if (type === 'string') for (const entry of entries as readonly string[]) message.text(6, entry)
  message.text(8, name)
  if (type !== 'string') message.bytes(9, rawBytes(type, entries as ArrayLike<number>))
}

/** Little-endian, as raw_data is. */
function rawBytes(type: DataType, entries: ArrayLike<number>): Uint8Array {
  const size = type === 'float64' || type === 'int64' ? 8 : 4
  const bytes = new Uint8Array(entries.length * size)
  const view = new DataView(bytes.buffer)
  for (let k = 0; k < entries.length; k++) {
    const value = entries[k]!
    if (type === 'float64') view.setFloat64(k * 8, value, true)
    else if (type === 'float32') view.setFloat32(k * 4, value, true)
    else if (type === 'int64') view.setBigInt64(k * 8, BigInt(value), true)
    else view.setInt32(k * 4, value, true)
  }
  return bytes
}

function writePort(message: MessageWriter, { name, type, shape }: Port): void {
  message.text(1, name)
  message.message(2, (kind) =>
    kind.message(1, (tensor) => {
      tensor.integer(1, dataTypes[type])
      tensor.message(2, (dimensions) => {
        dimensions.message(1, (rows) => rows.text(2, 'rows'))
        for (const size of shape) dimensions.message(1, (dimension) => dimension.integer(1, size))
      })
    }),
  )
}

/** A node of a file that was read: what `fromOnnx` needs to know of it. */
export interface ReadNode {
  readonly op: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly integers: ReadonlyMap<string, readonly number[]>
  readonly floats: ReadonlyMap<string, number>
  /** The value of a `Constant`. */
  readonly tensor?: ReadTensor
}

/** A constant of float32 or float64 entries, as float64. Others have no entries: weights are never of those types. */
export interface ReadTensor {
  readonly shape: readonly number[]
  readonly entries?: Float64Array
}

export interface ReadGraph {
  readonly nodes: readonly ReadNode[]
  readonly constants: ReadonlyMap<string, ReadTensor>
  /** Inputs that are no constants. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/**
 * The graph of a model file.
 *
 * @throws RangeError when the bytes are no model, cut short, or a constant does not have the entries its shape says.
 */
export function decodeModel(bytes: Uint8Array): ReadGraph {
  const fields = decodeMessage(bytes)
  const graph = fields.filter(({ number, wire }) => number === 7 && wire === 2)
  if (graph.length !== 1) throw new RangeError('it holds no graph')
  const parts = decodeMessage(graph[0]!.bytes)
  const messages = (number: number): Uint8Array[] => parts.filter(lengthOf(number)).map((field) => field.bytes)
  const constants = new Map(messages(5).map((tensor) => readTensor(tensor)))
  const names = (number: number): string[] => messages(number).map((port) => text(decodeMessage(port), 1))
  return {
    nodes: messages(1).map(readNode),
    constants,
    inputs: names(11).filter((name) => !constants.has(name)),
    outputs: names(12),
  }
}

function readNode(bytes: Uint8Array): ReadNode {
  const fields = decodeMessage(bytes)
  const integers = new Map<string, number[]>()
  const floats = new Map<string, number>()
  let tensor: ReadTensor | undefined
  for (const attribute of fields.filter(lengthOf(5))) {
    const inner = decodeMessage(attribute.bytes)
    const name = text(inner, 1)
    for (const field of inner) {
      if (field.number === 2 && field.wire === 5) floats.set(name, floatOf(field))
      else if (field.number === 3 && field.wire === 0) integers.set(name, [signed(field.integer)])
      else if (field.number === 8) integers.set(name, [...(integers.get(name) ?? []), ...integersOf(field)])
      else if (field.number === 5 && field.wire === 2 && name === 'value') tensor = readTensor(field.bytes)[1]
    }
  }
  return {
    op: text(fields, 4),
    domain: text(fields, 7),
    inputs: fields.filter(lengthOf(1)).map(textOf),
    outputs: fields.filter(lengthOf(2)).map(textOf),
    integers,
    floats,
    ...(tensor && { tensor }),
  }
}

function readTensor(bytes: Uint8Array): [string, ReadTensor] {
  const fields = decodeMessage(bytes)
  const name = text(fields, 8)
  const shape = fields.filter(({ number }) => number === 1).flatMap(integersOf)
  const type = fields.find(({ number, wire }) => number === 2 && wire === 0)?.integer
  const size = type === BigInt(dataTypes.float32) ? 4 : type === BigInt(dataTypes.float64) ? 8 : 0
  if (size === 0) return [name, { shape }]
  if (fields.some(({ number, integer }) => number === 13 || (number === 14 && integer !== 0n)))
    throw new RangeError(`the weights '${name}' lie in another file`)
  // raw_data, or packed float_data and double_data: little-endian all three.
  const typed = size === 4 ? 4 : 10
  const raw = joinedBytes(fields.filter(({ number, wire }) => wire === 2 && (number === 9 || number === typed)))
  const count = shape.reduce((product, entry) => product * entry, 1)
  if (shape.some((entry) => entry < 0) || raw.length !== count * size)
    throw new RangeError(`the weights '${name}' have ${raw.length} bytes and their shape is [${shape.join(', ')}]`)
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const entries = new Float64Array(count)
  for (let k = 0; k < count; k++) entries[k] = size === 4 ? view.getFloat32(4 * k, true) : view.getFloat64(8 * k, true)
  return [name, { shape, entries }]
}

function joinedBytes(fields: readonly Field[]): Uint8Array {
  if (fields.length === 1) return fields[0]!.bytes
  const whole = new Uint8Array(fields.reduce((total, { bytes }) => total + bytes.length, 0))
  let at = 0
  for (const { bytes } of fields) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return whole
}

function lengthOf(wanted: number): (field: Field) => boolean {
  return ({ number, wire }) => number === wanted && wire === 2
}

/** The text of a field, empty where it is left out. */
function text(fields: readonly Field[], number: number): string {
  const field = fields.findLast(lengthOf(number))
  return field ? textOf(field) : ''
}
