import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ReadCsvOptions, readCsv } from '../../src/data/index.ts'
import { toRows } from '../../src/numerics/matrix.ts'
import { inPieces, refuses, table, write } from './tables.ts'

/** What X should be, written plainly. */
function naive(names: string[], columns: (number[] | string[])[]): { features: string[]; rows: number[][] } {
  const features: string[] = []
  const rows: number[][] = columns[0]!.map(() => [])
  columns.forEach((column, j) => {
    const values: (number | string)[] = column
    if (typeof values[0] === 'number') {
      features.push(names[j]!)
      values.forEach((value, i) => {
        rows[i]!.push(Number(value))
      })
      return
    }
    for (const category of [...new Set(values)].sort((a, b) => (a < b ? -1 : 1))) {
      features.push(`${names[j]}=${category}`)
      values.forEach((value, i) => {
        rows[i]!.push(value === category ? 1 : 0)
      })
    }
  })
  return { features, rows }
}

describe('readCsv', () => {
  it('reads back what was written: any text, delimiter, line ending and cut into chunks', () =>
    fc.assert(
      fc.asyncProperty(
        table(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        async (given, sizes) => {
          const target = given.names.at(-1)!
          const truth = given.columns.at(-1)!
          const expected = naive(given.names, given.columns.slice(0, -1))
          const bytes = new TextEncoder().encode(write(given))
          const read = await readCsv(inPieces(bytes, sizes), { target })
          expect(read.features).toEqual(expected.features)
          expect(toRows(read.X)).toEqual(expected.rows)
          if (typeof truth[0] === 'string') {
            expect(read.task).toBe('classification')
            expect(read.labels).toEqual(truth)
          } else {
            expect(read.task).toBe('regression')
            expect([...read.y.data]).toEqual(truth)
          }
        },
      ),
      { numRuns: 300 },
    ))

  const text = 'age,colour,price\n30,red,1.5\n41,blue,2.5\n25,"red",3\n'
  const expected = {
    features: ['age', 'colour=blue', 'colour=red'],
    rows: [
      [30, 0, 1],
      [41, 1, 0],
      [25, 0, 1],
    ],
  }

  it('reads a path, a URL, bytes, text, Node streams, web streams and any async iterable alike', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'read csv-'))
    const path = join(folder, 'prices.csv')
    await writeFile(path, text)
    const bytes = new TextEncoder().encode(text)
    async function* words(): AsyncGenerator<string> {
      yield text.slice(0, 7)
      yield text.slice(7)
    }
    const sources = [
      path,
      pathToFileURL(path),
      bytes,
      { text },
      Readable.from([Buffer.from(text)]),
      Readable.from([...text]),
      new Response(text).body!,
      words(),
    ]
    for (const source of sources) {
      const { X, features, y } = await readCsv(source, { target: 'price' })
      expect({ features, rows: toRows(X) }).toEqual(expected)
      expect([...y.data]).toEqual([1.5, 2.5, 3])
    }
    await rm(folder, { recursive: true })
  })

  it('finds the delimiter by the name of the target', async () => {
    for (const delimiter of [';', '\t', '|']) {
      const { features } = await readCsv(
        { text: ['a, b', 'c', 'y'].join(delimiter) + '\n' + ['1', '2', '3'].join(delimiter) },
        { target: 'y' },
      )
      expect(features).toEqual(['a, b', 'c'])
    }
  })

  it('passes over a byte order mark, blank lines, spaces around cells and a missing last line break', async () => {
    const { X, features } = await readCsv(
      { text: '\ufeff\n a , b ,y\r\n\r\n 1 , "2" ,3\n   \n+4e0,.5,6' },
      { target: 'y' },
    )
    expect(features).toEqual(['a', 'b'])
    expect(toRows(X)).toEqual([
      [1, 2],
      [4, 0.5],
    ])
  })

  it('reads UTF-16 by its byte order mark and other encodings by name', async () => {
    const utf16 = Buffer.from('\ufeffstadt;y\nZürich;1\nBern;2\n', 'utf16le')
    expect((await readCsv(utf16, { target: 'y' })).features).toEqual(['stadt=Bern', 'stadt=Zürich'])
    const western = Buffer.from('stadt;y\nZürich;1\nBern;2\n', 'latin1')
    const read = await readCsv(western, { target: 'y', encoding: 'windows-1252' })
    expect(read.features).toEqual(['stadt=Bern', 'stadt=Zürich'])
  })

  it('takes names for a file without a header', async () => {
    const read = await readCsv(
      { text: '5.1,setosa\n6.2,virginica\n' },
      { target: 'species', header: ['length', 'species'] },
    )
    expect(read.features).toEqual(['length'])
    expect(read.labels).toEqual(['setosa', 'virginica'])
  })

  it('takes columns in the order asked for, leaves ignored ones out and reads codes as categories', async () => {
    const source = { text: 'id,zip,b,a,y\n1,10,5,6,0\n2,9,7,8,1\n' }
    const chosen = await readCsv(source, { target: 'y', columns: ['a', 'b'] })
    expect(chosen.features).toEqual(['a', 'b'])
    const left = await readCsv(source, { target: 'y', ignore: ['id'], categorical: ['zip'] })
    expect(left.features).toEqual(['zip=9', 'zip=10', 'b', 'a'])
  })

  it('reads several targets as the columns of y', async () => {
    const { y, target, features } = await readCsv({ text: 'u,a,v\n1,2,3\n4,5,6\n' }, { target: ['v', 'u'] })
    expect({ target, features, y: toRows(y) }).toEqual({
      target: ['v', 'u'],
      features: ['a'],
      y: [
        [3, 1],
        [6, 4],
      ],
    })
  })

  it('takes numbers as classes on request, in the order of numbers', async () => {
    const source = { text: 'a,y\n1,10\n2,9\n3,1\n4,9\n' }
    const { classes, y, labels, task } = await readCsv(source, { target: 'y', task: 'classification' })
    expect({ classes, labels, task }).toEqual({
      classes: ['1', '9', '10'],
      labels: ['10', '9', '1', '9'],
      task: 'classification',
    })
    expect(toRows(y)[0]).toEqual([-1, -1, 1])
    expect((await readCsv(source, { target: 'y' })).task).toBe('regression')
  })

  it('fills missing cells with the mean, the median or the most frequent category, and says so in the schema', async () => {
    const source = { text: 'a,c,y\n1,u,1\n,v,2\n2,?,3\n9,v,4\n' }
    const mean = await readCsv(source, { target: 'y', missing: 'mean' })
    expect(toRows(mean.X)).toEqual([
      [1, 1, 0],
      [4, 0, 1],
      [2, 0, 1],
      [9, 0, 1],
    ])
    const median = await readCsv(source, { target: 'y', missing: 'median' })
    expect(median.schema.columns).toEqual([
      { name: 'a', kind: 'numeric', fill: 2 },
      { name: 'c', kind: 'categorical', categories: ['u', 'v'], fill: 'v' },
    ])
    const dropped = await readCsv(source, { target: 'y', missing: 'drop' })
    expect(toRows(dropped.X)).toEqual([
      [1, 1, 0],
      [9, 0, 1],
    ])
    expect(dropped.droppedRows).toBe(2)
    expect([...dropped.y.data]).toEqual([1, 4])
  })

  it('takes other markers of a missing cell', async () => {
    const source = { text: 'a,y\n1,1\n-999,2\n2,3\n' }
    const { X } = await readCsv(source, { target: 'y', missing: 'drop', markers: ['-999'] })
    expect(toRows(X)).toEqual([[1], [2]])
  })

  it('keeps a constant column and names it', async () => {
    const { X, constant } = await readCsv({ text: 'a,b,c,y\n1,7,u,1\n2,7,u,2\n' }, { target: 'y' })
    expect(X.columns).toBe(3)
    expect(constant).toEqual(['b', 'c=u'])
  })

  it('reads a column of few numbers and texts as categories', async () => {
    const { features } = await readCsv({ text: 'doors,y\n2,1\n4,2\n5more,3\n4,4\n' }, { target: 'y' })
    expect(features).toEqual(['doors=2', 'doors=4', 'doors=5more'])
  })

  it('calls a nameless column by its position', async () => {
    const { features } = await readCsv({ text: ',a,y\n0,1,2\n1,2,3\n' }, { target: 'y' })
    expect(features).toEqual(['column 1', 'a'])
  })

  it('gives the numbers of a long column as they are, before and after it is known to be one', async () => {
    const values = Array.from({ length: 500 }, (_, i) => Math.sin(i) * 10 ** (i % 30))
    const source = { text: 'a,y\n' + values.map((value, i) => `${value},${i}`).join('\n') }
    const { X, y } = await readCsv(source, { target: 'y' })
    expect([...X.data]).toEqual(values)
    expect([...y.data]).toEqual(values.map((_, i) => i))
  })

  it('stops when the signal says so, even while a stream is silent', async () => {
    async function* silent(): AsyncGenerator<string> {
      yield 'a,y\n'
      await new Promise(() => {})
    }
    await expect(readCsv(silent(), { target: 'y', signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/)
    const reason = new Error('enough')
    await expect(readCsv({ text }, { target: 'price', signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('readCsv refuses', () => {
  /** A good file, with one line or option changed. */
  const lines = ['age,colour,price', '30,red,1.5', '41,blue,2.5', '25,red,3']
  const attempt = (changes: Record<number, string>, options: Partial<ReadCsvOptions> = {}): Promise<unknown> =>
    readCsv(
      { text: lines.map((line, k) => changes[k] ?? line).join('\n'), name: 'prices.csv' },
      { target: 'price', ...options },
    )
  const many = (column: (i: number) => string, options: Partial<ReadCsvOptions> = {}): Promise<unknown> =>
    readCsv(
      { text: ['a,y', ...Array.from({ length: 80 }, (_, i) => `${column(i)},${i}`)].join('\n'), name: 'many.csv' },
      { target: 'y', ...options },
    )
  const cases: [string, () => Promise<unknown>, string][] = [
    [
      'a missing cell',
      () => attempt({ 2: 'n/a,blue,2.5' }),
      `readCsv: prices.csv, row 2 (line 3), column "age" is "n/a"; drop the row with missing: 'drop' or pass missing: 'mean'.`,
    ],
    [
      'an empty cell',
      () => attempt({ 2: '41,"",2.5' }),
      `readCsv: prices.csv, row 2 (line 3), column "colour" is empty; drop the row with missing: 'drop' or pass missing: 'mean'.`,
    ],
    [
      'a missing target',
      () => attempt({ 3: '25,red,NaN' }, { missing: 'mean' }),
      `readCsv: prices.csv, row 3 (line 4), column "price" is "NaN" and a target is never filled in; drop the row, for example with missing: 'drop'.`,
    ],
    [
      'an infinity',
      () => attempt({ 2: '-inf,blue,2.5' }),
      'readCsv: prices.csv, row 2 (line 3), column "age" is "-inf", expected a finite number; correct the cell or drop the row.',
    ],
    [
      'a number that overflows',
      () => attempt({ 2: '41,blue,1e999' }),
      'readCsv: prices.csv, row 2 (line 3), column "price" is "1e999", expected a finite number; correct the cell or drop the row.',
    ],
    [
      'a text in a numeric target',
      () => attempt({ 2: '41,blue,cheap' }, { task: 'regression' }),
      `readCsv: prices.csv, row 2 (line 3), column "price" is "cheap", expected a number; correct the cell, or pass task: 'classification' if the cells name classes.`,
    ],
    [
      'a misprint late in a column of numbers',
      () => many((i) => (i === 70 ? 'x7' : `${i}`)),
      'readCsv: many.csv, row 71 (line 72), column "a" is "x7", expected a number as in other rows; correct the cell, or read the column as categories with categorical: ["a"].',
    ],
    [
      'a misprint early in a column of numbers',
      () => many((i) => (i === 3 ? '"3,5"' : `${i}`)),
      'readCsv: many.csv, row 4 (line 5), column "a" is "3,5" (a decimal comma?), expected a number as in other rows; correct the cell, or read the column as categories with categorical: ["a"].',
    ],
    [
      'a misprint in a short column of numbers',
      () => many((i) => (i === 3 ? '0x10' : `${i % 30}`)),
      'readCsv: many.csv, row 4 (line 5), column "a" is "0x10", expected a number as in other rows; correct the cell, or read the column as categories with categorical: ["a"].',
    ],
    [
      'too many categories',
      () => many((i) => `t${i}`),
      'readCsv: many.csv, row 65 (line 66), column "a" is one more text than the 64 distinct ones allowed; leave the column out with ignore: ["a"], or raise maxCategories.',
    ],
    [
      'a row that is too short',
      () => attempt({ 2: '41,blue' }),
      'readCsv: prices.csv, row 2 (line 3) has 2 cells and the header 3; complete the row, or quote the cells that hold ",".',
    ],
    [
      'a row that is too long',
      () => attempt({ 2: '41,blue,green,2.5' }),
      'readCsv: prices.csv, row 2 (line 3) has 4 cells and the header 3; complete the row, or quote the cells that hold ",".',
    ],
    [
      'a target that is not there',
      () => attempt({}, { target: 'Prise' }),
      'readCsv: prices.csv has no column "Prise"; its columns are "age", "colour", "price"; choose one of these.',
    ],
    [
      'a target with a typing error',
      () => attempt({}, { target: 'prize' }),
      'readCsv: prices.csv has no column "prize"; its columns are "age", "colour", "price"; did you mean "price"?',
    ],
    [
      'a file without a header',
      () => attempt({ 0: '1,2,3' }),
      'readCsv: prices.csv has no column "price"; its columns are "1", "2", "3"; its first row looks like data: pass the names as header: [...].',
    ],
    [
      'a name that is there twice',
      () => attempt({ 0: 'age,age,price' }),
      'readCsv: prices.csv has the name "age" for column 1 and column 2; give each column its own name.',
    ],
    [
      'an empty file',
      () => readCsv({ text: '\n', name: 'prices.csv' }, { target: 'price' }),
      'readCsv: prices.csv is empty, expected a header row and rows of data; check the file.',
    ],
    [
      'a header alone',
      () => readCsv({ text: lines[0]!, name: 'prices.csv' }, { target: 'price' }),
      'readCsv: prices.csv has a header and no rows; check that the file is complete.',
    ],
    [
      'a target of one class',
      () => attempt({}, { target: 'colour', columns: ['age'], missing: 'drop', markers: ['blue'] }),
      'readCsv: prices.csv, column "colour" has the one class "red" in every row, so there is nothing to learn; choose another target.',
    ],
    [
      'a target of one value',
      () => attempt({ 1: '30,red,3', 2: '41,blue,3.0' }),
      'readCsv: prices.csv, column "price" is 3 in every row, so there is nothing to learn; choose another target.',
    ],
    [
      'a table without features',
      () => attempt({}, { ignore: ['age', 'colour'] }),
      'readCsv: prices.csv has no column left to be a feature; ignore fewer columns.',
    ],
    [
      'a column without values',
      () => attempt({ 1: ',red,1', 2: ',blue,2', 3: ',red,3' }, { missing: 'median' }),
      'readCsv: prices.csv, column "age" has no value in any row; leave it out with ignore: ["age"].',
    ],
    [
      'a table of rows that are all dropped',
      () => attempt({ 1: ',red,1', 2: ',blue,2', 3: ',red,3' }, { missing: 'drop' }),
      `readCsv: prices.csv has a missing cell in each of its 3 rows; pass missing: 'mean', or ignore the columns that are empty.`,
    ],
    [
      'a quote that is not closed',
      () => attempt({ 2: '41,"blue,2.5' }),
      'readCsv: prices.csv has a quote opened after row 1 (line 2) and not closed; close it, and write a quote inside a quoted cell twice ("").',
    ],
    [
      'a quote inside a cell',
      () => attempt({ 2: '41,bl"u"e,2.5' }),
      'readCsv: prices.csv, line 3, has a quote inside a cell that is not quoted; quote the whole cell and write the quote twice ("").',
    ],
    [
      'text after a quote',
      () => attempt({ 2: '41,"blue"ish,2.5' }),
      'readCsv: prices.csv, line 3, has text after a closing quote; write a quote inside a quoted cell twice ("").',
    ],
    [
      'a column with two roles',
      () => attempt({}, { columns: ['age', 'price'] }),
      'readCsv: column "price" is among columns and also the target; name it once.',
    ],
    [
      'a column named twice',
      () => attempt({}, { columns: ['age', 'age'] }),
      'readCsv: columns names a column twice ("age", "age"); name each column once.',
    ],
    [
      'a target named twice',
      () => attempt({}, { target: ['price', 'price'] }),
      'readCsv: target names a column twice ("price", "price"); name each column once.',
    ],
    [
      'a classification with two targets',
      () => attempt({}, { target: ['price', 'age'], task: 'classification' }),
      `readCsv: a classification has one target and 2 are given ("price", "age"); pass one, or task: 'regression'.`,
    ],
    [
      'an unknown task',
      () => attempt({}, { task: 'ranking' as 'regression' }),
      `readCsv: task is "ranking", expected 'regression' or 'classification'; pass one of these, or leave it out.`,
    ],
    [
      'an unknown policy',
      () => attempt({}, { missing: 'guess' as 'mean' }),
      `readCsv: missing is "guess", expected 'error', 'drop', 'mean' or 'median'; pass one of these.`,
    ],
    [
      'a cap that is no count',
      () => attempt({}, { maxCategories: 1.5 }),
      'readCsv: maxCategories is 1.5, expected a whole number from 1; pass for example 64.',
    ],
    [
      'a delimiter of two characters',
      () => attempt({}, { delimiter: ', ' }),
      `readCsv: delimiter is ", ", expected one character other than a quote or a line break; pass for example ';'.`,
    ],
    [
      'bytes in another encoding',
      () => readCsv(Buffer.from('stadt,y\nZürich,1\n', 'latin1'), { target: 'y' }),
      `readCsv: the byte array is not text in utf-8; export it as CSV in UTF-8, or pass its encoding, for example encoding: 'windows-1252'.`,
    ],
    [
      'an unknown encoding',
      () => readCsv(Buffer.from('a,y\n1,1\n'), { target: 'y', encoding: 'morse' }),
      `readCsv: encoding is "morse", which is not known here; pass for example 'utf-8' or 'windows-1252'.`,
    ],
    [
      'a path that is not there',
      () => readCsv('no-such-file.csv', { target: 'y' }),
      'readCsv: no-such-file.csv does not exist; check the path, which starts at the working directory unless it is absolute.',
    ],
    [
      'a folder',
      () => readCsv('test', { target: 'y' }),
      'readCsv: test is a directory, expected a file; pass the path of a file in it.',
    ],
    [
      'text for a path',
      () => readCsv('a,y\n1,2\n', { target: 'y' }),
      'readCsv: the path holds a line break; pass a path, or text at hand as { text }.',
    ],
    [
      'a URL of the web',
      () => readCsv(new URL('https://example.org/a.csv'), { target: 'y' }),
      'readCsv: https://example.org/a.csv is not a file; pass what it answers, for example (await fetch(url)).body.',
    ],
  ]
  for (const [what, call, sentence] of cases) it(what, () => refuses(call(), RangeError, sentence))

  it('a source that is none, a stream of objects, and a target that is no name', async () => {
    await refuses(
      readCsv(7 as never, { target: 'y' }),
      TypeError,
      'readCsv: the source is a number, expected a path, a URL, bytes, a stream or { text }; pass for example a path.',
    )
    await refuses(
      readCsv(Readable.from([{ a: 1 }]), { target: 'y' }),
      TypeError,
      'readCsv: the stream gave an object, expected text or bytes; pass a stream of either.',
    )
    await refuses(
      attempt({}, { target: 3 as never }),
      TypeError,
      `readCsv: target is 3, expected the name of a column; pass for example { target: 'price' }.`,
    )
  })

  it('by the lines of an editor, after blank lines, quoted line breaks and both endings', async () => {
    const text = 'a,y\r\n\r\n"p\r\nq",1\r\n\n"r\ns",2\n"t",3\n\n"u\r\n\r\nv",x\n'
    await refuses(
      readCsv({ text }, { target: 'y', task: 'regression' }),
      RangeError,
      `readCsv: the text, row 4 (line 10), column "y" is "x", expected a number; correct the cell, or pass task: 'classification' if the cells name classes.`,
    )
  })
})
