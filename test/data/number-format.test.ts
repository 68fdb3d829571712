import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inFlags } from '../../src/cli/words.ts'
import { type NumberFormat, type ReadCsvOptions, readCsv, readRows, trainTestSplit } from '../../src/data/index.ts'
import { toRows } from '../../src/numerics/matrix.ts'
import { quoted, refuses } from './tables.ts'

/** A number as a table in this format prints it, with at most three digits after the decimal. */
function printed(value: number, { decimal = '.', thousands = undefined as string | undefined }): string {
  const [whole, fraction] = String(Math.abs(value)).split('.')
  const groups = thousands ? whole!.replace(/\B(?=(\d{3})+$)/g, thousands) : whole
  return `${value < 0 ? '-' : ''}${groups}${fraction ? decimal + fraction : ''}`
}

const format = (): fc.Arbitrary<NumberFormat> =>
  fc.constantFrom<NumberFormat>(
    ...([{ decimal: ',' }, { thousands: ',' }, { decimal: ',', thousands: '.' }] as const),
    ...([{ thousands: ' ' }, { decimal: ',', thousands: ' ' }, { thousands: "'" }] as const),
  )

/** Columns of numbers that differ, so that one of them can be a target. */
const columns = (): fc.Arbitrary<number[][]> =>
  fc.integer({ min: 2, max: 10 }).chain((rows) =>
    fc.array(
      fc.uniqueArray(
        fc
          .tuple(fc.integer({ min: -5_000_000, max: 5_000_000 }), fc.constantFrom(1, 10, 1000))
          .map(([digits, scale]) => digits / scale + 0),
        { minLength: rows, maxLength: rows },
      ),
      { minLength: 2, maxLength: 3 },
    ),
  )

const textOf = (table: number[][], how: NumberFormat): string =>
  [
    table.map((_, j) => `c${j}`).join(';'),
    ...table[0]!.map((_, i) => table.map((column) => quoted(printed(column[i]!, how))).join(';')),
  ].join('\n')

const transposed = (table: number[][]): number[][] => table[0]!.map((_, i) => table.map((column) => column[i]!))

describe('numbers in other formats', () => {
  it('are read as the numbers they are when the format is named, by readRows too', () =>
    fc.assert(
      fc.asyncProperty(columns(), format(), async (table, how) => {
        const source = { text: textOf(table, how) }
        const { X, y, task, schema } = await readCsv(source, { target: 'c0', ...how })
        expect(task).toBe('regression')
        expect(toRows(X)).toEqual(transposed(table.slice(1)))
        expect([...y.data]).toEqual(table[0])
        const again = await readRows(source, JSON.parse(JSON.stringify(schema)))
        expect({ X: again.X, y: again.y }).toEqual({ X, y })
      }),
    ))

  it('are never taken for categories, and the sentence names the options that read them', () =>
    fc.assert(
      fc.asyncProperty(columns(), format(), async (table, how) => {
        const source = { text: textOf(table, how) }
        const plain = table.map((column) => column.every((value) => !Number.isNaN(Number(printed(value, how)))))
        const outcome = await readCsv(source, { target: 'c0' }).then(
          ({ task, features }) => ({ task, features }),
          ({ message }: Error) => message,
        )
        if (plain.every(Boolean)) {
          expect(outcome).toEqual({ task: 'regression', features: table.slice(1).map((_, j) => `c${j + 1}`) })
          return
        }
        const remedy = /which is no number as it stands; pass (.*) if the cells are numbers, or /.exec(String(outcome))
        const named = remedy![1]!.split(' or ').map((text) => {
          const [, decimal] = /decimal: '(.)'/.exec(text) ?? []
          const [, , thousands] = /thousands: (['"])(.)\1/.exec(text) ?? []
          return { ...(decimal && { decimal }), ...(thousands && { thousands }) } as NumberFormat
        })
        const read = await Promise.all(
          // A column may need less than the table: the next one then says what more.
          named.map((options) => readCsv(source, { target: 'c0', ...options }).then(({ X }) => toRows(X), String)),
        )
        expect(
          read.some(
            (found) =>
              JSON.stringify(found) === JSON.stringify(transposed(table.slice(1))) ||
              /which is no number as it stands|a number as in other rows/.test(String(found)),
          ),
        ).toBe(true)
      }),
    ))

  const attempt = (cells: readonly string[], options: Partial<ReadCsvOptions> = {}): Promise<unknown> =>
    readCsv(
      { text: ['a;y', ...cells.map((cell, i) => `"${cell}";${i}`)].join('\n'), name: 't.csv' },
      { target: 'y', ...options },
    )
  const said = (cell: string, remedy: string, row = 1): string =>
    `readCsv: t.csv, row ${row} (line ${row + 1}), column "a" is "${cell}", which is no number as it stands; ${remedy} categorical: ["a"] if they are names.`

  it.each<[string[], string, string]>([
    [['0,5', '12,25', '3'], '0,5', `pass decimal: ',' if the cells are numbers, or`],
    [['1,000', '2,500'], '1,000', `pass decimal: ',' or thousands: ',' if the cells are numbers, or`],
    [['1,000', '2,500.5'], '1,000', `pass thousands: ',' if the cells are numbers, or`],
    [['1.000,5', '7'], '1.000,5', `pass decimal: ',' with thousands: '.' if the cells are numbers, or`],
    [["1'000", "25'000"], "1'000", `pass thousands: "'" if the cells are numbers, or`],
    [
      ['1\u202f000', '2\u202f500'],
      '1\u202f000',
      `pass thousands: ' ' or decimal: ',' with thousands: ' ' if the cells are numbers, or`,
    ],
    [['$1000', '$5'], '$1000', 'write the cells without "$" if they are numbers, or pass'],
    [['-3 €', '1.000,5 €'], '-3 €', 'write the cells without "€" if they are numbers, or pass'],
    [['12%', '7 %'], '12%', 'write the cells without "%" if they are numbers, or pass'],
  ])('%j', (cells, cell, remedy) => refuses(attempt(cells), RangeError, said(cell, remedy)))

  it('are found beside a text or two, and in columns with more of them than categories may be', async () => {
    const cells = Array.from({ length: 80 }, (_, i) => `0,${100 + i}`)
    const remedy = `pass decimal: ',' if the cells are numbers, or`
    await refuses(attempt(cells), RangeError, said('0,100', remedy))
    await refuses(attempt(['none', ...cells.slice(0, 9)]), RangeError, said('0,100', remedy, 2))
  })

  it('are categories when that is asked for, and texts with digits stay categories', async () => {
    expect(await attempt(['0,5', '1,5'], { categorical: ['a'] })).toMatchObject({ features: ['a=0,5', 'a=1,5'] })
    for (const cells of [
      ['5more', '3'],
      ['1-9', '10-19'],
      ['1.2.3', '1.2.4'],
      ['a,1', 'b,2'],
      ['1,2,3', '4'],
      ['1,5', 'x'],
    ])
      expect(await attempt(cells)).toMatchObject({ features: [...cells].sort().map((cell) => `a=${cell}`) })
  })

  it('in a target are no classes', async () => {
    const text = 'a;y\n1;0,5\n2;0,7\n'
    const sentence = (kind: string): string =>
      `readCsv: the text, row 1 (line 2), column "y" is "0,5", which is no number as it stands; pass decimal: ',' if the cells are numbers, or task: 'classification' if they name classes.${kind}`
    await refuses(readCsv({ text }, { target: 'y' }), RangeError, sentence(''))
    await refuses(readCsv({ text }, { target: 'y', task: 'regression' }), RangeError, sentence(''))
    expect(await readCsv({ text }, { target: 'y', task: 'classification' })).toMatchObject({ classes: ['0,5', '0,7'] })
  })

  it('are no reason to cut cells at a decimal comma, and cells in quotes may be cut at commas', async () => {
    for (const text of ['1.000,5;2,5;3\n7;8,5;9\n', '"1.000,5","2,5",3\n7,"8,5",9\n']) {
      const options = { target: 'y', header: ['a', 'b', 'y'], decimal: ',', thousands: '.' } as const
      const { X, schema } = await readCsv({ text }, options)
      expect(toRows(X)).toEqual([
        [1000.5, 2.5],
        [7, 8.5],
      ])
      expect((await readRows({ text }, schema, { header: ['a', 'b', 'y'] })).X).toEqual(X)
    }
  })

  it('formats that are none are refused', async () => {
    await refuses(
      attempt(['1'], { decimal: ';' as ',' }),
      RangeError,
      `readCsv: decimal is ";", expected '.' or ','; pass one of these, or leave it out.`,
    )
    await refuses(
      attempt(['1'], { thousands: '_' as ',' }),
      RangeError,
      `readCsv: thousands is "_", expected ',', '.', ' ' or "'"; pass one of these, or leave it out.`,
    )
    await refuses(
      attempt(['1'], { thousands: '.' }),
      RangeError,
      `readCsv: thousands is '.', which stands before fractions already; pass another decimal.`,
    )
  })

  it('options of a sentence become flags', () => {
    expect(inFlags(`pass decimal: ',' with thousands: "'" if`)).toBe(`pass --decimal "," with --thousands "'" if`)
  })
})

describe('columns whose texts hardly come again', () => {
  const table = (id: (i: number) => string, rows = 30): { text: string; name: string } => ({
    text: ['id,a,y', ...Array.from({ length: rows }, (_, i) => `${id(i)},${i % 7},${i % 5}`)].join('\n'),
    name: 't.csv',
  })

  it('are named once each, with an example and what to do', async () => {
    const { warnings } = await readCsv(
      table((i) => `user${i}`),
      { target: 'y', task: 'regression' },
    )
    expect(warnings).toEqual([
      'readCsv: t.csv, column "id" has 30 different texts in 30 rows, for example "user0", and each becomes a feature; leave the column out with ignore: ["id"], or pass categorical: ["id"] if that is meant.',
    ])
    // 15 in 30 rows are no cause yet, 16 are.
    for (const [last, count] of [
      [14, 0],
      [15, 1],
    ] as const)
      expect(
        (
          await readCsv(
            table((i) => `2024-01-${10 + Math.min(i, last)}`),
            { target: 'y', task: 'regression' },
          )
        ).warnings,
      ).toHaveLength(count)
  })

  it('are no cause for a word when they were asked for, or in short tables', async () => {
    expect(
      (
        await readCsv(
          table((i) => `u${i}`),
          { target: 'y', task: 'regression', categorical: ['id'] },
        )
      ).warnings,
    ).toEqual([])
    expect(
      (
        await readCsv(
          table((i) => `u${i}`, 19),
          { target: 'y', task: 'regression' },
        )
      ).warnings,
    ).toEqual([])
  })

  it('as a target are refused when every row is its own class, and named when most are', async () => {
    await refuses(
      readCsv(
        table((i) => `user${i}`),
        { target: 'id' },
      ),
      RangeError,
      `readCsv: t.csv, column "id" has 30 different texts in 30 rows, for example "user0", so there is no class to learn; choose another target, or pass task: 'classification' if each is a class.`,
    )
    const most = await readCsv(
      table((i) => `user${Math.max(i, 3)}`),
      { target: 'id' },
    )
    expect(most.warnings).toEqual([
      'readCsv: t.csv, column "id" has 27 different texts in 30 rows, for example "user3", and each is a class to tell from the others; check that it is the column to predict.',
    ])
    const asked = await readCsv(
      table((i) => `user${i}`),
      { target: 'id', task: 'classification' },
    )
    expect(() => trainTestSplit(asked)).toThrow(
      new RangeError(
        'trainTestSplit: there are 30 classes in 30 rows and each keeps a row to train on, so that testFraction 0.2 leaves none to test on; check that they are classes, or pass stratify: false.',
      ),
    )
  })
})

describe('a target of whole numbers that may be codes of classes', () => {
  const warningsOf = async (values: readonly (number | string)[], task?: 'regression' | 'classification') =>
    (
      await readCsv(
        { text: ['a,y', ...values.map((value, i) => `${i},${value}`)].join('\n'), name: 't.csv' },
        { target: 'y', ...(task && { task }) },
      )
    ).warnings
  const codes = (count: number, rows: number): number[] => Array.from({ length: rows }, (_, i) => i % count)

  it('is pointed out where nobody said what it is', async () => {
    expect(await warningsOf(codes(3, 15))).toEqual([
      `readCsv: t.csv, column "y" holds the numbers 0, 1 and 2 alone and is predicted as a number; pass task: 'classification' if they are classes, or task: 'regression'.`,
    ])
    for (const task of ['regression', 'classification'] as const)
      expect(await warningsOf(codes(3, 15), task)).toEqual([])
  })

  it('is no cause for a word with many values, few rows of each, fractions or texts', async () => {
    for (const values of [codes(11, 110), codes(3, 14), codes(3, 15).map((code) => code / 2)])
      expect(await warningsOf(values)).toEqual([])
    expect(await warningsOf(codes(3, 15).map((code) => `class ${code}`))).toEqual([])
  })
})

describe('a header of numbers alone', () => {
  const warningsOf = async (header: string, options: object = {}) =>
    (
      await readCsv(
        { text: `${header}\n1.5,2\n2.5,7.5\n`, name: 't.csv' },
        { target: header.split(',')[1]!, ...options },
      )
    ).warnings

  it('is pointed out: it may be a row of data', async () => {
    expect(await warningsOf('0.5,1')).toEqual([
      'readCsv: t.csv has numbers alone in its header ("0.5", "1"); if that is a row of data, pass the names as header: [...].',
    ])
  })

  it('is no cause for a word when it counts the columns, or when the names were given', async () => {
    for (const header of ['0,1', '1,2', 'a,1']) expect(await warningsOf(header)).toEqual([])
    expect(await warningsOf('0.5,1', { header: ['0.5', '1'] })).toEqual([])
  })
})
