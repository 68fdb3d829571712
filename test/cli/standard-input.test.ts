import { beforeAll, describe, expect, it } from 'vitest'
import { readCsv } from '../../src/index.ts'
import { workplace } from '../support/cli.ts'
import { csv, houses } from '../support/tables.ts'

const { run, runWith, write, read } = workplace()
const { header, rows } = houses(60)
const table = csv(header, rows)
const quick = ['--gates', '15', '--lambda', '0.02']

/** A JSON answer without the times taken. */
function answer({ stdout }: { stdout: string }): Record<string, unknown> {
  return JSON.parse(stdout, (key, value) => (key === 'seconds' ? undefined : value))
}

describe('a table named -', () => {
  beforeAll(async () => {
    await write('houses.csv', table)
    expect((await runWith(table, 'fit', '-', '-t', 'price', ...quick, '-o', 'piped.json')).code).toBe(0)
  })

  it('is read from standard input by fit, to the same model, which is called that', async () => {
    const [file, piped] = await Promise.all([
      run('fit', 'houses.csv', '-t', 'price', ...quick, '--json', '-o', 'model.json'),
      runWith(table, 'fit', '-', '-t', 'price', ...quick, '--json'),
    ])
    expect(piped.code).toBe(0)
    expect({ ...answer(piped), model: 'model.json' }).toEqual({ ...answer(file), data: 'standard input' })
    const [named, unnamed] = [JSON.parse(await read('model.json')), JSON.parse(await read('piped.json'))]
    expect(unnamed).toEqual({ ...named, data: { ...named.data, source: 'standard input' } })
    const { stdout } = await runWith(table, 'fit', '-', '-t', 'price', ...quick)
    expect(stdout).toMatch(/^standard input: regression, 48 rows to train on/)
  })

  it('is read by predict, verify and report as a file is', async () => {
    expect(await runWith(table, 'predict', 'piped.json', '-')).toEqual(await run('predict', 'piped.json', 'houses.csv'))
    expect(answer(await runWith(table, 'verify', 'piped.json', '-', '--json'))).toEqual(
      answer(await run('verify', 'piped.json', 'houses.csv', '--json')),
    )
    expect((await runWith(table, 'report', 'piped.json', '-', '--no-path', '-o', 'piped.html')).code).toBe(0)
    expect(await read('piped.html')).toContain('<code>cvxnn verify piped.json - &lt; table.csv</code>')
    const other = csv(header, rows.slice(1))
    expect(await runWith(other, 'verify', 'piped.json', '-')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'cvxnn: standard input does not hold the rows the model was fitted on (standard input, 60 rows); pass that table.\n',
    })
  })

  it('is read by path and by fits of deep networks, and named in what they write', async () => {
    const path = await runWith(table, 'path', '-', '-t', 'price', '--count', '3', '--gates', '10', '-o', 'path.html')
    expect(path.code).toBe(0)
    expect(await read('path.html')).toContain('<h1>standard input</h1>')
    const deep = ['--program', 'fenchel', '--hidden', '4', '--sweeps', '2', '--json']
    expect(answer(await runWith(table, 'fit', '-', '-t', 'price', ...deep)).data).toBe('standard input')
  })

  it('is named by what is wrong with it', async () => {
    expect((await runWith('', 'fit', '-', '-t', 'price')).stderr).toBe(
      'cvxnn: standard input is empty, expected a header row and rows of data; check the file.\n',
    )
    const { code, stderr } = await runWith(`${table}${'x,y\n'.repeat(1e5)}`, 'fit', '-', '-t', 'price')
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^cvxnn: standard input, row 61 \(line 62\) has 2 cells and the header 4; .*\n$/),
    })
  })

  it.each(['fit', 'predict', 'path', 'verify', 'report'])('is in the help of %s', async (command) => {
    expect((await run(command, '--help')).stdout.replace(/\s+/g, ' ')).toContain('(- for standard input)')
  })
})

describe('readCsv', () => {
  it('calls a stream by its name where it has one', async () => {
    const stream = { name: 'the upload', [Symbol.asyncIterator]: async function* () {} }
    await expect(readCsv(stream, { target: 'y' })).rejects.toThrow('readCsv: the upload is empty')
  })
})
