import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bitColumns, bitText, countSet, isSet, selectColumns, setBit } from '../../src/numerics/bits.ts'

/** Columns of bits as text, around the sizes of one and two words. */
const columns = fc
  .tuple(fc.constantFrom(0, 1, 31, 32, 33, 63, 64, 65, 100), fc.integer({ min: 0, max: 4 }))
  .chain(([rows, count]) =>
    fc
      .array(
        fc.array(fc.constantFrom('0', '1'), { minLength: rows, maxLength: rows }).map((bits) => bits.join('')),
        { minLength: count, maxLength: count },
      )
      .map((texts) => ({ rows, texts })),
  )

function packed({ rows, texts }: { rows: number; texts: string[] }): ReturnType<typeof bitColumns> {
  const bits = bitColumns(rows, texts.length)
  texts.forEach((text, column) => {
    for (let row = 0; row < rows; row++) if (text[row] === '1') setBit(bits, row, column)
  })
  return bits
}

describe('columns of bits', () => {
  it('start at zero, with as many words as they need', () => {
    for (const [rows, stride] of [
      [0, 0],
      [1, 1],
      [32, 1],
      [33, 2],
    ] as const) {
      const bits = bitColumns(rows, 3)
      expect([bits.rows, bits.count, bits.stride, bits.words.length]).toEqual([rows, 3, stride, 3 * stride])
      expect(bits.words.every((word) => word === 0)).toBe(true)
    }
  })

  it('give back every bit that was set, and no other', () => {
    fc.assert(
      fc.property(columns, (at) => {
        const bits = packed(at)
        at.texts.forEach((text, column) => {
          expect(bitText(bits, column)).toBe(text)
          for (let row = 0; row < at.rows; row++) expect(isSet(bits, row, column)).toBe(text[row] === '1')
        })
      }),
    )
  })

  it('count the bits of one column', () => {
    fc.assert(
      fc.property(columns, (at) => {
        const bits = packed(at)
        at.texts.forEach((text, column) => {
          expect(countSet(bits, column)).toBe(text.replaceAll('0', '').length)
        })
      }),
    )
  })

  it('leave the bits beyond the rows at zero', () => {
    fc.assert(
      fc.property(columns, (at) => {
        const bits = packed(at)
        if (at.rows % 32 === 0) return
        for (let column = 0; column < bits.count; column++)
          expect(bits.words[(column + 1) * bits.stride - 1]! >>> (at.rows % 32)).toBe(0)
      }),
    )
  })

  it('select copies the chosen ones in the order given, repeats included', () => {
    fc.assert(
      fc.property(columns, fc.array(fc.nat(), { maxLength: 6 }), (at, numbers) => {
        const bits = packed(at)
        const chosen = bits.count > 0 ? numbers.map((number) => number % bits.count) : []
        const selected = selectColumns(bits, chosen)
        expect([selected.rows, selected.count]).toEqual([at.rows, chosen.length])
        chosen.forEach((column, k) => {
          expect(bitText(selected, k)).toBe(at.texts[column])
        })
        const before = bits.words.slice()
        selected.words.fill(-1)
        expect(bits.words).toEqual(before)
      }),
    )
  })
})
