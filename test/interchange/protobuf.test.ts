import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage, integersOf, textOf } from '../../src/interchange/protobuf.ts'

const number = fc.integer({ min: 1, max: 2 ** 29 - 1 })

describe('a message', () => {
  it('is decoded to what was encoded: signed integers, text and bytes', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            number,
            fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 300 })),
          ),
        ),
        (fields) => {
          const bytes = encodeMessage((message) => {
            for (const [at, value] of fields) {
              if (typeof value === 'number') message.integer(at, value)
              else if (typeof value === 'string') message.text(at, value)
              else message.bytes(at, value)
            }
          })
          const read = decodeMessage(bytes)
          expect(read.map((field) => field.number)).toEqual(fields.map(([at]) => at))
          read.forEach((field, k) => {
            const value = fields[k]![1]
            if (typeof value === 'number') expect(integersOf(field)).toEqual([value])
            else if (typeof value === 'string') expect(textOf(field)).toBe(value)
            else expect([...field.bytes]).toEqual([...value])
          })
        },
      ),
    ))

  it('has the bytes that the specification gives: 150 in field 1, "testing" in field 2', () => {
    expect([...encodeMessage((message) => message.integer(1, 150))]).toEqual([0x08, 0x96, 0x01])
    const testing = encodeMessage((message) => message.text(2, 'testing'))
    expect([...testing]).toEqual([0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67])
  })

  it.each([
    ['a length beyond the end', [0x12, 0x07, 0x74]],
    ['a length of 2^64 - 1', [0x12, ...Array(9).fill(0xff), 0x01]],
    ['a number cut short', [0x08, 0x96]],
    ['a number without an end', [0x08, ...Array(11).fill(0xff)]],
    ['a group', [0x0b, 0x0c]],
    ['the field 0', [0x00, 0x01]],
  ])('with %s is refused', (_, bytes) => {
    expect(() => decodeMessage(Uint8Array.from(bytes))).toThrow(RangeError)
  })
})
