import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DataSchema, featureNames, type ReadRowsOptions, readCsv, readRows } from '../../src/data/index.ts'
import { toRows } from '../../src/numerics/matrix.ts'
import { refuses, table, write } from './tables.ts'

describe('readRows', () => {
  it('reads the training file, columns in any order, as readCsv did, through a schema that went through JSON', () =>
    fc.assert(
      fc.asyncProperty(table(), fc.infiniteStream(fc.nat()), async (given, draws) => {
        const target = given.names.at(-1)!
        const dataset = await readCsv({ text: write(given) }, { target })
        const keys = new Map(given.names.map((name) => [name, draws.next().value as number]))
        const order = given.names
          .map((_, j) => j)
          .sort((a, b) => keys.get(given.names[a]!)! - keys.get(given.names[b]!)!)
        const shuffled = {
          ...given,
          names: order.map((j) => given.names[j]!),
          columns: order.map((j) => given.columns[j]!),
        }
        const schema: DataSchema = JSON.parse(JSON.stringify(dataset.schema))
        const rows = await readRows({ text: write(shuffled) }, schema)
        expect(rows.X).toEqual(dataset.X)
        expect(rows.features).toEqual(dataset.features)
        expect(rows.features).toEqual(featureNames(schema))
        expect(rows.y).toEqual(dataset.y)
        expect(rows.labels).toEqual(dataset.labels)
      }),
    ))

  const training = 'age,colour,bought\n30,red,no\n41,blue,yes\n,red,no\n'
  const schemaOf = async (missing: 'mean' | 'drop' = 'drop'): Promise<DataSchema> =>
    (await readCsv({ text: training }, { target: 'bought', missing })).schema
  const attempt = async (text: string, options?: ReadRowsOptions): Promise<unknown> =>
    readRows({ text, name: 'new.csv' }, await schemaOf(), options)

  it('reads rows without a target, and passes over columns that training did not use', async () => {
    const rows = await readRows({ text: 'note,colour,age\nx,blue,5\n"",red,6\n' }, await schemaOf())
    expect(toRows(rows.X)).toEqual([
      [5, 1, 0],
      [6, 0, 1],
    ])
    expect(rows.y).toBeUndefined()
  })

  it('takes an empty target column for none', async () => {
    const rows = await readRows({ text: 'colour,age,bought\nblue,5,\nred,6,?\n' }, await schemaOf())
    expect(rows.y).toBeUndefined()
  })

  it('encodes labels as in training, whichever of them occur', async () => {
    const rows = await readRows({ text: 'colour,age,bought\nblue,5,yes\nred,6,yes\n' }, await schemaOf())
    expect(toRows(rows.y!)).toEqual([[1], [1]])
    expect(rows.labels).toEqual(['yes', 'yes'])
  })

  it('fills missing cells as in training', async () => {
    const rows = await readRows({ text: 'colour,age\nNA,5\nred,\n' }, await schemaOf('mean'))
    expect(toRows(rows.X)).toEqual([
      [5, 0, 1],
      [35.5, 0, 1],
    ])
  })

  it('reads an unknown category as none on request', async () => {
    const rows = await readRows({ text: 'colour,age\ngreen,5\n' }, await schemaOf(), { unknown: 'zero' })
    expect(toRows(rows.X)).toEqual([[5, 0, 0]])
  })

  it('reads more rows than it first has room for', async () => {
    const text = 'colour,age\n' + Array.from({ length: 300 }, (_, i) => `red,${i}`).join('\n')
    const rows = await readRows({ text }, await schemaOf())
    expect(toRows(rows.X)).toEqual(Array.from({ length: 300 }, (_, i) => [i, 0, 1]))
  })

  const cases: [string, () => Promise<unknown>, string][] = [
    [
      'a column that is not there',
      () => attempt('Colour,years\nred,5\n'),
      'readRows: new.csv has no column "age"; its columns are "Colour", "years"; choose one of these.',
    ],
    [
      'a column with another spelling',
      () => attempt('Colour,age\nred,5\n'),
      'readRows: new.csv has no column "colour"; its columns are "Colour", "age"; did you mean "Colour"?',
    ],
    [
      'an unknown category',
      () => attempt('colour,age\nred,5\ngreen,5\n'),
      `readRows: new.csv, row 2 (line 3), column "colour" is "green", expected one of "blue", "red"; correct the cell, or pass unknown: 'zero'.`,
    ],
    [
      'a missing cell',
      () => attempt('colour,age\nred,\n'),
      `readRows: new.csv, row 1 (line 2), column "age" is empty and training filled no missing cells; complete the row, or train with missing: 'mean'.`,
    ],
    [
      'a text for a number',
      () => attempt('colour,age\nred,young\n'),
      'readRows: new.csv, row 1 (line 2), column "age" is "young", expected a number as in training; correct the cell.',
    ],
    [
      'an infinity',
      () => attempt('colour,age\nred,Infinity\n'),
      'readRows: new.csv, row 1 (line 2), column "age" is "Infinity", expected a finite number; correct the cell or drop the row.',
    ],
    [
      'an unknown class',
      () => attempt('colour,age,bought\nred,5,maybe\n'),
      'readRows: new.csv, row 1 (line 2), column "bought" is "maybe", expected one of the classes "no", "yes"; correct the cell, or leave the column out to predict only.',
    ],
    [
      'a target column with a gap',
      () => attempt('colour,age,bought\nred,5,no\nred,6,\n'),
      'readRows: new.csv, row 2 (line 3), column "bought" is empty and other rows have a target; complete the column, or empty it to predict only.',
    ],
    [
      'a header alone',
      () => attempt('colour,age\n'),
      'readRows: new.csv has a header and no rows; check that the file is complete.',
    ],
    [
      'an unknown way with the unknown',
      () => attempt('colour,age\nred,5\n', { unknown: 'skip' as 'zero' }),
      `readRows: unknown is "skip", expected 'error' or 'zero'; pass one of these, or leave it out.`,
    ],
  ]
  for (const [what, call, sentence] of cases) it(`refuses ${what}`, () => refuses(call(), RangeError, sentence))

  it('refuses what is no schema', () =>
    refuses(
      readRows({ text: 'a\n1\n' }, {} as DataSchema),
      TypeError,
      'readRows: the schema has no columns, target and markers; pass the schema of a dataset from readCsv.',
    ))
})
