import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadModel, type ReluClassifier, type ReluRegressor } from '../../src/estimators/index.ts'
import { readRows } from '../../src/index.ts'
import { workplace } from '../support/cli.ts'
import { csv, flowers, houses } from '../support/tables.ts'

const { run, start, path, write, read } = workplace()
const { header, rows } = houses(60)

beforeAll(async () => {
  const iris = flowers(60, ['setosa', 'virginica', 'versicolor'])
  await write('houses.csv', csv(header, rows))
  await write('iris.csv', csv(iris.header, iris.rows))
  const sides = flowers(40, ['left', 'right'])
  await write('sides.csv', csv(sides.header, sides.rows))
  const quick = ['--gates', '15', '--lambda', '0.02', '--json']
  const trained = await Promise.all([
    run('fit', 'houses.csv', '-t', 'price', ...quick, '-o', 'price.json'),
    run('fit', 'iris.csv', '-t', 'species', ...quick, '-o', 'species.json'),
    run('fit', 'sides.csv', '-t', 'species', ...quick, '-o', 'side.json'),
  ])
  expect(trained.map(({ code }) => code)).toEqual([0, 0, 0])
})

/** What the library predicts for a table. */
async function numbers(model: string, table: string): Promise<number[]> {
  const text = await read(model)
  const { X } = await readRows(path(table), JSON.parse(text).schema)
  return (loadModel(text) as ReluRegressor).predict(X)
}

describe('cvxnn predict', () => {
  it('prints one number per row under the name of the target, the score to stderr', async () => {
    const { code, stdout, stderr } = await run('predict', 'price.json', 'houses.csv')
    expect(code).toBe(0)
    const [name, ...lines] = stdout.trimEnd().split('\n')
    expect(name).toBe('price')
    expect(lines.map(Number)).toEqual(await numbers('price.json', 'houses.csv'))
    expect(stderr).toMatch(/^60 rows, RMSE [\d.]+, R² 0\.8\d{3}\n$/)
  })

  it('finds the columns in any order, passes others over and says no score without the target', async () => {
    const order = ['colour', 'b', 'a'].map((wanted) => header.indexOf(wanted))
    const others = rows.map((row, i) => [...order.map((j) => row[j]!), `note ${i}`])
    await write('order.csv', csv(['colour', 'b', 'a', 'note'], others))
    const { code, stdout, stderr } = await run('predict', 'price.json', 'order.csv')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe((await run('predict', 'price.json', 'houses.csv', '-q')).stdout)
  })

  it('says no score with --quiet', async () => {
    expect((await run('predict', 'price.json', 'houses.csv', '--quiet')).stderr).toBe('')
  })

  it('prints labels, and with --scores what they were chosen by: one column for two classes, one per class for more', async () => {
    const plain = await run('predict', 'species.json', 'iris.csv', '-q')
    const scored = await run('predict', 'species.json', 'iris.csv', '-q', '--scores')
    const [head, ...lines] = scored.stdout.trimEnd().split('\n')
    expect(head).toBe('species,score setosa,score versicolor,score virginica')
    expect(lines.map((line) => line.split(',')[0])).toEqual(plain.stdout.trimEnd().split('\n').slice(1))
    for (const line of lines) {
      const [label, ...scores] = line.split(',')
      const largest = Math.max(...scores.map(Number))
      expect(['setosa', 'versicolor', 'virginica'][scores.findIndex((score) => Number(score) === largest)]).toBe(label)
    }
    const two = await run('predict', 'side.json', 'sides.csv', '-q', '--scores')
    const [top, ...sides] = two.stdout.trimEnd().split('\n')
    expect(top).toBe('species,score')
    for (const line of sides) {
      const [label, score] = line.split(',')
      expect(Number(score) > 0 ? 'right' : 'left').toBe(label)
    }
  })

  it('writes to a file with --out and leaves stdout empty', async () => {
    const { stdout } = await run('predict', 'price.json', 'houses.csv')
    const written = await run('predict', 'price.json', 'houses.csv', '--out', 'prices.csv')
    expect(written).toMatchObject({ code: 0, stdout: '' })
    expect(await read('prices.csv')).toBe(stdout)
  })

  it('prints one object with --json, and writes the file of --out as well', async () => {
    const { stdout, stderr } = await run(
      'predict',
      'side.json',
      'sides.csv',
      '--json',
      '--scores',
      '-o',
      'sides-out.csv',
    )
    const { columns, predictions, score } = JSON.parse(stdout)
    expect(stderr).toBe('')
    expect(columns).toEqual(['species', 'score'])
    expect(score.accuracy).toBeGreaterThan(0.9)
    const text = await read('side.json')
    const { X } = await readRows(path('sides.csv'), JSON.parse(text).schema)
    const classifier = loadModel(text) as ReluClassifier
    const values = classifier.decisionFunction(X).data
    expect(predictions).toEqual(classifier.predict(X).map((label, r) => [label, values[r]]))
    expect((await read('sides-out.csv')).split('\n')[1]).toBe(predictions[0].join(','))
  })

  it('refuses a category that training did not have, and reads it as none with --unknown zero', async () => {
    await write('new.csv', csv(header, [['0.5', '0.5', 'mauve', '1'], ...rows.slice(1, 3)]))
    const refused = await run('predict', 'price.json', 'new.csv')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toBe(
      'cvxnn: new.csv, row 1 (line 2), column "colour" is "mauve", expected one of "blue", "green", "red"; correct the cell, or pass --unknown zero.\n',
    )
    const zero = await run('predict', 'price.json', 'new.csv', '--unknown', 'zero')
    expect(zero.code).toBe(0)
    expect(zero.stdout.trimEnd().split('\n')).toHaveLength(4)
    expect((await run('predict', 'price.json', 'new.csv', '--unknown', 'none')).code).toBe(2)
  })

  it('fills cells as training did', async () => {
    const holed = rows.map((row, i) => (i === 5 ? ['', ...row.slice(1)] : row))
    await write('holed.csv', csv(header, holed))
    const flags = ['--gates', '10', '--lambda', '0.02', '--missing', 'median', '--json', '-o', 'median.json']
    expect((await run('fit', 'holed.csv', '-t', 'price', ...flags)).code).toBe(0)
    await write('empty.csv', csv(['a', 'b', 'colour'], [['?', '0.1', 'red']]))
    const { columns } = JSON.parse(await read('median.json')).schema
    await write('filled.csv', csv(['a', 'b', 'colour'], [[columns[0].fill, '0.1', 'red']]))
    const [empty, filled] = [
      await run('predict', 'median.json', 'empty.csv'),
      await run('predict', 'median.json', 'filled.csv'),
    ]
    expect(empty.code).toBe(0)
    expect(empty.stdout).toBe(filled.stdout)
    expect((await run('predict', 'price.json', 'empty.csv')).stderr).toMatch(
      /^cvxnn: empty\.csv, row 1 \(line 2\), column "a" is "\?" .* train with --missing mean\.\n$/,
    )
  })

  it('is content when a reader of its output has seen enough', async () => {
    const many = Array.from({ length: 400 }, () => rows).flat()
    await write('many.csv', csv(header, many))
    const { child, outcome } = start(['predict', 'price.json', 'many.csv', '--quiet'])
    // More than a pipe holds, so that the command is still writing.
    await once(child.stdout, 'data')
    child.stdout.destroy()
    expect(await outcome).toMatchObject({ code: 0, stderr: '' })
  })

  it('goes on when nobody reads its remarks any more', async () => {
    const { child, outcome } = start(['predict', 'price.json', 'houses.csv', '--out', 'unread.csv'])
    child.stderr.destroy()
    expect((await outcome).code).toBe(0)
    expect((await read('unread.csv')).split('\n')).toHaveLength(62)
  })

  it('leaves no draft of a file behind', async () => {
    expect((await readdir(path('.'))).filter((name) => name.includes('partial'))).toEqual([])
  })
})
