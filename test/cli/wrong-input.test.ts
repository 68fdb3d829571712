import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { builtCommand } from '../support/build.ts'
import { workplace } from '../support/cli.ts'
import { csv, houses } from '../support/tables.ts'

const { run, path, write, read } = workplace()
const quick = ['--gates', '10', '--lambda', '0.02']

beforeAll(async () => {
  const { header, rows } = houses(40)
  await write('houses.csv', csv(header, rows))
  await write('bad.csv', csv(header, [...rows.slice(0, 20), ['1', 'n/b', 'red', '2'], ...rows.slice(20)]))
  await write('ragged.csv', 'a,b\n1,2\n3\n')
  await write('empty.csv', '')
  await write('notes.txt', 'dear diary')
  await writeFile(
    path('latin.csv'),
    Buffer.from(
      csv(
        ['größe', 'price'],
        rows.map(([a, , , price]) => [a!, price!]),
      ),
      'latin1',
    ),
  )
  const commas = rows.map(([a, , , price], i) => [`${a}`.replace('.', ','), i % 7, `${price}`.replace('.', ',')])
  await write('commas.csv', csv(['a', 'b', 'price'], commas))
  await write(
    'dollars.csv',
    csv(
      ['a', 'price'],
      rows.map(([a], i) => [a!, `$${1000 + 7 * i}`]),
    ),
  )
  await write(
    'names.csv',
    csv(
      ['a', 'name'],
      rows.map(([a], i) => [a!, `user${i}`]),
    ),
  )
  await write(
    'bare.csv',
    csv(
      ['1', '2', '3'],
      rows.map(([a, b, , price]) => [a!, b!, price!]),
    ),
  )
  await mkdir(path('folder'))
  expect((await run('fit', 'houses.csv', '-t', 'price', ...quick, '-o', 'model.json')).code).toBe(0)
})

describe('wrong input ends with 2, one sentence and no stack trace', () => {
  it.each<[string[], RegExp]>([
    [['fit', 'nowhere.csv', '-t', 'price'], /^cvxnn: nowhere\.csv does not exist; check the path/],
    [['fit', 'folder', '-t', 'price'], /^cvxnn: folder is a directory, expected a file/],
    [['fit', 'houses.csv', '-t', 'prise'], /^cvxnn: houses\.csv has no column "prise"; .*did you mean "price"\?/],
    [
      ['fit', 'bad.csv', '-t', 'price'],
      /^cvxnn: bad\.csv, row 21 \(line 22\), column "b" is "n\/b".*--categorical "b"/,
    ],
    [
      ['fit', 'commas.csv', '-t', 'b'],
      /^cvxnn: commas\.csv, row 1 \(line 2\), column "a" is "-?\d,\d+", which is no number .*--decimal "," if .*--categorical "a"/,
    ],
    [
      ['fit', 'commas.csv', '-t', 'price', '--ignore', 'a'],
      /column "price" is .*--decimal "," if .*--task classification/,
    ],
    [
      ['fit', 'dollars.csv', '-t', 'price'],
      /column "price" is "\$1000", .*write the cells without "\$" if .*--task classification/,
    ],
    [
      ['fit', 'names.csv', '-t', 'name'],
      /column "name" has 40 different texts in 40 rows, for example "user0", .*another target/,
    ],
    [
      ['fit', 'bare.csv', '-t', 'price'],
      /^cvxnn: bare\.csv has no column "price"; .* looks like data: give the names as --header /,
    ],
    [['fit', 'ragged.csv', '-t', 'a'], /^cvxnn: ragged\.csv, row 2 \(line 3\) has 1 cells and the header 2/],
    [['fit', 'empty.csv', '-t', 'a'], /^cvxnn: empty\.csv is empty/],
    [['fit', 'houses.csv', '-t', 'price', '--ignore', 'd'], /^cvxnn: houses\.csv has no column "d"/],
    [['fit', 'houses.csv', '-t', 'price', '--test', '0.99'], /^cvxnn: lambda is "cv" and X has one row/],
    [['fit', 'houses.csv', '-t', 'price,colour'], /^cvxnn: .*column "colour"/],
    [
      ['fit', 'houses.csv', '-t', 'price', '--gates', '1000000000'],
      /^cvxnn: --gates is 1000000000, expected at most 44739242 for 32 rows of 5 columns, so that .*; pass fewer, for example 100\./,
    ],
    [['fit', 'houses.csv', '-t', 'price', '--penalty', 'ridge'], /^cvxnn: --penalty ridge has no .*give --lambda/],
    [['path', 'houses.csv', '-t', 'price', '--penalty', 'ridge'], /^cvxnn: --penalty ridge has no .*one --lambda/],
    [
      ['path', 'houses.csv', '-t', 'price', '-o', 'p.txt'],
      /^cvxnn: --out is p\.txt, expected .* \.html, \.csv or \.json/,
    ],
    [['fit', 'latin.csv', '-t', 'price'], /^cvxnn: latin\.csv is not text in utf-8; .*--encoding windows-1252\.$/m],
    [
      ['fit', 'latin.csv', '-t', 'price', '--encoding', 'klingon'],
      /^cvxnn: --encoding is "klingon", which is not known here; give for example --encoding windows-1252\.$/m,
    ],
    [
      ['fit', 'houses.csv', '-t', 'price', '--loss', 'logistic'],
      /^cvxnn: --loss logistic is for classes and "price" is read as numbers; give --task classification if .*squared or huber\.$/m,
    ],
    [
      ['path', 'houses.csv', '-t', 'colour', '--loss', 'huber'],
      /^cvxnn: --loss huber is for numbers and "colour" is read as classes; give --task regression if /m,
    ],
    [
      ['predict', 'houses.csv', 'houses.csv'],
      /^cvxnn: houses\.csv: the text is no JSON .*; pass a model file that cvxnn fit wrote\.$/m,
    ],
    [['predict', 'nothing.json', 'houses.csv'], /^cvxnn: cannot read nothing\.json .*that cvxnn fit wrote/],
    [['predict', 'notes.txt', 'houses.csv'], /^cvxnn: notes\.txt: the text is no JSON/],
    [['predict', 'model.json', 'nowhere.csv'], /^cvxnn: nowhere\.csv does not exist/],
    [['predict', 'model.json', 'ragged.csv'], /^cvxnn: ragged\.csv has no column "colour"/],
    [['verify', 'model.json', 'houses.csv', '--precision', '3'], /^cvxnn: precision is 3, expected .* from 16 to 5000/],
  ])('cvxnn %j', async (args, sentence) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(sentence)
    expect(stderr).toMatch(/^[^\n]+[.?]\n$/)
  })

  it.each<[string[], RegExp]>([
    [['fti'], /unknown command 'fti'\n\(Did you mean fit\?\)/],
    [['fit'], /required option '-t, --target <column>' not specified/],
    [['fit', '-t', 'price'], /missing required argument 'data\.csv'/],
    [['fit', 'houses.csv', 'more.csv', '-t', 'price'], /too many arguments/],
    [['fit', 'houses.csv', '-t', 'price', '--gate', '5'], /unknown option '--gate'\n\(Did you mean --gates\?\)/],
    [['predict', 'model.json'], /missing required argument 'rows\.csv'/],
    [['demo', 'more'], /too many arguments/],
    ...(
      [
        ['--gates', '0'],
        ['--gates', '1.5'],
        ['--gates', 'many'],
        ['--lambda', '-1'],
        ['--lambda', 'auto'],
        ['--lambda', ''],
        ['--seed', '-1'],
        ['--seed', ''],
        ['--seed', '1e300'],
        ['--tolerance', '0'],
        ['--tolerance', 'Infinity'],
        ['--max-iterations', '0'],
        ['--time-limit', '0'],
        ['--folds', 'x'],
        ['--test', '1'],
        ['--test', '-0.1'],
        ['--test', ''],
        ['--penalty', 'l2'],
        ['--program', 'resnet'],
        ['--missing', 'guess'],
        ['--task', 'ranking'],
        ['--delimiter', '::'],
        ['--delimiter', '"'],
        ['--decimal', ';'],
        ['--thousands', '_'],
        ['--max-categories', '0'],
      ] as const
    ).map(([flag, value]): [string[], RegExp] => [
      ['fit', 'houses.csv', '-t', 'price', flag, value],
      new RegExp(`option '.*${flag} <[^']*' argument '${value}' is invalid\\. (Expected|Allowed)`),
    ]),
    [['path', 'houses.csv', '-t', 'price', '--ratio', '2'], /'--ratio <number>' argument '2' is invalid/],
    [['path', 'houses.csv', '-t', 'price', '--count', '0'], /'--count <number>' argument '0' is invalid/],
    [
      ['verify', 'model.json', 'houses.csv', '--precision', 'high'],
      /'--precision <digits>' argument 'high' is invalid/,
    ],
  ])('cvxnn %j', async (args, sentence) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(sentence)
    expect(stderr).toMatch(/^error: /)
    expect(stderr).toMatch(/\n\(add --help for the options and examples\)\n$/)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  it('no arguments at all show what commands there are', async () => {
    const { code, stdout, stderr } = await run()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: cvxnn/)
    for (const command of ['fit', 'predict', 'path', 'verify', 'demo']) expect(stderr).toContain(`\n  ${command} `)
  })
})

describe('a place that cannot be written to', () => {
  const commands: Record<string, string[]> = {
    fit: ['fit', 'houses.csv', '-t', 'price', ...quick, '--out'],
    path: ['path', 'houses.csv', '-t', 'price', '--gates', '10', '--count', '3', '--out'],
    predict: ['predict', 'model.json', 'houses.csv', '--out'],
  }

  it.each(Object.entries(commands))('is a sentence before any work is done: %s', async (_, args) => {
    for (const [out, why] of [
      ['nowhere/out.csv', 'there is no folder nowhere; create it first.'],
      ['notes.txt/out.csv', 'there is no folder notes.txt; create it first.'],
    ])
      expect(await run(...args, out!)).toEqual({ code: 2, stdout: '', stderr: `cvxnn: cannot write ${out}: ${why}\n` })
    await mkdir(path('taken.csv'), { recursive: true })
    expect((await run(...args, 'taken.csv')).stderr).toBe(
      'cvxnn: cannot write taken.csv: it is a folder; pass the name of a file.\n',
    )
    const names = await readdir(path('.'), { recursive: true })
    expect(names.filter((name) => name.includes('partial') || name.includes('out.csv'))).toEqual([])
  })

  it('a device is written to and stays what it is', async () => {
    const line = '"$0" "$@" predict model.json houses.csv --quiet --out /dev/stdout | cat'
    const { stdout } = await promisify(execFile)('sh', ['-c', line, process.execPath, await builtCommand()], {
      cwd: path('.'),
    })
    expect(stdout).toBe((await run('predict', 'model.json', 'houses.csv', '--quiet')).stdout)
  })

  it.runIf(existsSync('/dev/full'))('such as a full device on stdout is a sentence', async () => {
    const line = '"$0" "$@" predict model.json houses.csv --quiet > /dev/full'
    const failed = promisify(execFile)('sh', ['-c', line, process.execPath, await builtCommand()], { cwd: path('.') })
    await expect(failed).rejects.toMatchObject({
      code: 2,
      stderr: 'cvxnn: cannot write the output (ENOSPC); check what it is written to.\n',
    })
  })

  it('a link is written through and stays a link', async () => {
    await write('target.csv', 'old')
    await symlink('target.csv', path('link.csv'))
    expect((await run('predict', 'model.json', 'houses.csv', '--out', 'link.csv')).code).toBe(0)
    expect(await read('target.csv')).toMatch(/^price\n/)
    expect(await readlink(path('link.csv'))).toBe('target.csv')
  })
})
