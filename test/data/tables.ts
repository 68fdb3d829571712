import fc from 'fast-check'
import { expect } from 'vitest'

/** A table with what its columns mean: numbers, or texts that are no numbers. */
export interface Table {
  readonly names: string[]
  readonly columns: (number[] | string[])[]
  readonly delimiter: string
  readonly ending: string
}

/** A text of any characters, in quotes so that it is read back as it is. */
export const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

/** The text of a table, with every text quoted and every number as it prints. */
export function write({ names, columns, delimiter, ending }: Table): string {
  const rows = columns[0]!.map((_, i) =>
    columns.map((column) => (typeof column[i] === 'string' ? quoted(column[i]) : String(column[i]))).join(delimiter),
  )
  return [names.map(quoted).join(delimiter), ...rows].join(ending) + ending
}

/** Any text that is neither a number nor one of the markers of a missing cell. */
export const label = (): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r', '\t', ' ', '|', '=', 'é', '😀') }),
    )
    .filter(
      (text) => Number.isNaN(Number(text)) && !/^(|\?|#?n\/?a|<na>|nan|null|[+-]?inf(inity)?)$/i.test(text.trim()),
    )

/** Names that differ and are not blank. */
const header = (width: number): fc.Arbitrary<string[]> =>
  fc.uniqueArray(
    label().filter((name) => name.trim() !== ''),
    { minLength: width, maxLength: width },
  )

/** A finite number; -0 prints as 0. */
const number = (): fc.Arbitrary<number> => fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)

const numbers = (rows: number): fc.Arbitrary<number[]> => fc.array(number(), { minLength: rows, maxLength: rows })

const texts = (rows: number): fc.Arbitrary<string[]> => fc.array(label(), { minLength: rows, maxLength: rows })

/** Tables of 2 to 12 rows whose last column is one of texts with two of them at least, or of numbers that differ. */
export const table = (): fc.Arbitrary<Table> =>
  fc.record({ rows: fc.integer({ min: 2, max: 12 }), width: fc.integer({ min: 1, max: 4 }) }).chain(({ rows, width }) =>
    fc.record({
      names: header(width + 1),
      columns: fc
        .tuple(
          fc.array(fc.oneof(numbers(rows), texts(rows)), { minLength: width, maxLength: width }),
          fc.oneof(numbers(rows), texts(rows)).filter((column) => new Set<unknown>(column).size > 1),
        )
        .map(([features, target]) => [...features, target]),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      ending: fc.constantFrom('\n', '\r\n', '\r'),
    }),
  )

/** Bytes in pieces of any size, as a stream might bring them. */
export async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let start = 0, k = 0; start < bytes.length; k++) {
    const size = sizes[k % sizes.length]!
    yield bytes.subarray(start, start + size)
    start += size
  }
}

/** Expects the promise to fail with this kind of error and sentence. */
export async function refuses(
  attempt: Promise<unknown>,
  kind: typeof RangeError | typeof TypeError,
  sentence: string,
): Promise<void> {
  const outcome = await attempt.then(
    () => 'no error',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(kind)
  expect((outcome as Error).message).toBe(sentence)
}
