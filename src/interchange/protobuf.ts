/**
 * The wire format of protocol buffers, the part of it that ONNX files use: varints, fixed numbers and lengths of bytes.
 * Schema-bound libraries weigh megabytes and the small ones read past the end of a damaged file without a word.
 */

/** One field of a message: its number and its value, still encoded. */
export interface Field {
  readonly number: number
  /** Wire types 0, 1 and 5: the number's bytes as one integer; of type 2 the length of `bytes`. */
  readonly integer: bigint
  /** Wire type 2: text, a message, or packed numbers, shared with the file; empty otherwise. */
  readonly bytes: Uint8Array
  readonly wire: 0 | 1 | 2 | 5
}

/** Writes the fields of one message. */
export interface MessageWriter {
  integer(number: number, value: number | bigint): void
  text(number: number, value: string): void
  bytes(number: number, value: Uint8Array): void
  /** A float32. */
  float(number: number, value: number): void
  message(number: number, write: (inner: MessageWriter) => void): void
}

/** The bytes of the message that `write` fills in. */
export function encodeMessage(write: (message: MessageWriter) => void): Uint8Array {
  const parts: Uint8Array[] = []
  const key = (number: number, wire: number): void => {
    parts.push(varint(BigInt(number * 8 + wire)))
  }
  const bytes = (number: number, value: Uint8Array): void => {
    key(number, 2)
    parts.push(varint(BigInt(value.length)), value)
  }
  write({
    integer(number, value) {
      key(number, 0)
      parts.push(varint(BigInt.asUintN(64, BigInt(value))))
    },
    text: (number, value) => bytes(number, new TextEncoder().encode(value)),
    bytes,
    float(number, value) {
      key(number, 5)
      parts.push(new Uint8Array(Float32Array.of(value).buffer))
    },
    message: (number, inner) => bytes(number, encodeMessage(inner)),
  })
  return joined(parts)
}

/**
 * The fields of a message in their order.
 *
 * @throws RangeError when it is cut short or holds what no message holds.
 */
export function decodeMessage(bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  const take = (count: number): Uint8Array => {
    if (count > bytes.length - at)
      throw new RangeError(`a field of ${count} bytes begins ${bytes.length - at} bytes before the end`)
    at += count
    return bytes.subarray(at - count, at)
  }
  const next = (): bigint => {
    const [value, length] = readVarint(bytes, at)
    at += length
    return value
  }
  while (at < bytes.length) {
    const key = next()
    const number = Number(key >> 3n)
    const wire = Number(key & 7n)
    if (number < 1 || number > LARGEST_FIELD) throw new RangeError(`a field has the number ${number}`)
    if (wire === 0) fields.push({ number, wire, integer: next(), bytes: NOTHING })
    else if (wire === 1 || wire === 5)
      fields.push({ number, wire, integer: littleEndian(take(wire === 1 ? 8 : 4)), bytes: NOTHING })
    else if (wire === 2) {
      const length = next()
      // Compared before it is made a number: 2^64 - 1 is a length too.
      if (length > BigInt(bytes.length - at))
        throw new RangeError(`a field of ${length} bytes begins ${bytes.length - at} bytes before the end`)
      fields.push({ number, wire, integer: length, bytes: take(Number(length)) })
    } else throw new RangeError(`a field has the wire type ${wire}`)
  }
  return fields
}

/** Signed integers of a repeated field, one a field or packed. */
export function integersOf({ wire, integer, bytes }: Field): number[] {
  if (wire !== 2) return [signed(integer)]
  const values: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const [value, length] = readVarint(bytes, at)
    values.push(signed(value))
    at += length
  }
  return values
}

export function signed(integer: bigint): number {
  return Number(BigInt.asIntN(64, integer))
}

/** Text in UTF-8; broken sequences are refused. */
export function textOf({ bytes }: Field): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new RangeError('a name is not text in UTF-8', { cause })
  }
}

/** The float32 of a field of four bytes. */
export function floatOf({ integer }: Field): number {
  return new Float32Array(Uint32Array.of(Number(BigInt.asUintN(32, integer))).buffer)[0]!
}

const NOTHING = new Uint8Array(0)
const LARGEST_FIELD = 2 ** 29 - 1

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

/** The varint at `start`, and how many bytes it has. */
function readVarint(bytes: Uint8Array, start: number): [bigint, number] {
  let value = 0n
  for (let length = 0; length < 10; length++) {
    const byte = bytes[start + length]
    if (byte === undefined) throw new RangeError('it ends within a number')
    value |= BigInt(byte & 127) << BigInt(7 * length)
    if (byte < 128) return [BigInt.asUintN(64, value), length + 1]
  }
  throw new RangeError('a number has more than 64 bits')
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
