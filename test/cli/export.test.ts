import { readFile, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  enumerateGates,
  fromRows,
  loadModel,
  type ReluClassifier,
  type ReluRegressor,
  reluNetwork,
  reluProgram,
  solve,
  toOnnx,
} from '../../src/index.ts'
import { runOnnx } from '../interchange/runtime.ts'
import { normals } from '../lifted/networks.ts'
import { workplace } from '../support/cli.ts'
import { csv, flowers, houses } from '../support/tables.ts'

const { run, write, read, path } = workplace()

beforeAll(async () => {
  const { header, rows } = houses(60)
  await write('houses.csv', csv(header, rows))
  const iris = flowers(60, ['setosa', 'virginica', 'versicolor'])
  await write('iris.csv', csv(iris.header, iris.rows))
  const quick = ['--gates', '15', '--lambda', '0.02', '--json']
  await run('fit', 'houses.csv', '-t', 'price', ...quick, '-o', 'price.json')
  await run('fit', 'iris.csv', '-t', 'species', ...quick, '-o', 'species.json')
})

describe('cvxnn export', () => {
  it('writes beside the model a file that answers as the model does, with its columns', async () => {
    const { code, stdout } = await run('export', 'price.json', '--json')
    expect(code).toBe(0)
    const said = JSON.parse(stdout)
    const bytes = await readFile(path('price.onnx'))
    expect(said).toMatchObject({ out: 'price.onnx', bytes: bytes.length, outputs: ['Y'] })
    const { network } = loadModel(await read('price.json')) as ReluRegressor
    expect(said.columns).toHaveLength(network.features)
    const X = normals(5, network.features, 3, 10)
    const { Y } = await runOnnx(bytes, X)
    const expected = network.predict(X).data
    Y!.forEach((value, k) => {
      expect(Math.abs((value as number) / expected[k]! - 1)).toBeLessThan(1e-9)
    })
  })

  it('writes a classifier with its labels, in float32 when asked', async () => {
    const { code, stdout } = await run('export', 'species.json', '--type', 'float32', '-o', 'small.onnx')
    expect(code).toBe(0)
    expect(stdout).toMatch(/outputs +label, scores/)
    const classifier = loadModel(await read('species.json')) as ReluClassifier
    const X = normals(9, classifier.network.features, 4, 3)
    const { label } = await runOnnx(await readFile(path('small.onnx')), X, 'float32')
    expect(label).toEqual(classifier.predict(X))
  })

  it.each([
    ['a file that is not there', ['none.json'], /cannot read none\.json/],
    ['a table', ['houses.csv'], /houses\.csv: the text is no JSON/],
    ['a folder that is not there', ['price.json', '-o', 'no/where.onnx'], /there is no folder no/],
  ])('refuses %s', async (_, args, words) => {
    const { code, stderr } = await run('export', ...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(words)
  })
})

describe('cvxnn verify of a network trained elsewhere', () => {
  const rows = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(2 * i)])
  const y = rows.map(([a, b]) => Math.abs(a!) - 0.5 * b!)
  beforeAll(async () => {
    await write('data.csv', ['a,b,y', ...rows.map((row, i) => [...row, y[i]].join(','))].join('\n'))
  })

  it('says how far it is from the best network with its patterns, and 0 for that network itself', async () => {
    const X = fromRows(rows)
    const start = {
      W1: normals(8, 2, 5),
      b1: new Float64Array(8),
      W2: normals(8, 1, 6),
      intercept: new Float64Array(1),
    }
    const program = reluProgram({ X, y, gates: enumerateGates(X), lambda: 0.01 })
    const { model, certificate } = await solve(program, { tolerance: 1e-9 })
    await write('start.json', JSON.stringify(reluNetwork(start)))
    await writeFile(path('best.onnx'), toOnnx(model))

    const best = await run(
      'verify',
      'best.onnx',
      'data.csv',
      '-t',
      'y',
      '--lambda',
      '0.01',
      '--json',
      '--tolerance',
      '1e-5',
    )
    expect(best.stderr).toBe('')
    const said = JSON.parse(best.stdout)
    expect(best.code).toBe(0)
    expect(said.verification.network).toBeCloseTo(certificate.primal, 8)
    expect(said.lowerBound).toBeGreaterThan(certificate.primal * (1 - 1e-5))

    const poor = await run('verify', 'start.json', 'data.csv', '-t', 'y', '-l', '0.01', '-q')
    expect(poor.code).toBe(1)
    expect(poor.stdout).toMatch(/excess +\S+ of the bound, above the tolerance/)
    expect(poor.stdout).toMatch(/scope +program: networks with these patterns\n/)

    // Among networks of any width, the one over all patterns is the best, and the bound of the other is that one's.
    const all = ['data.csv', '-t', 'y', '-l', '0.01', '--global', '--json'] as const
    const [bestOfAll, poorOfAll] = await Promise.all([
      run('verify', 'best.onnx', ...all, '--tolerance', '1e-5'),
      run('verify', 'start.json', ...all),
    ])
    expect([bestOfAll.code, poorOfAll.code]).toEqual([0, 1])
    for (const { stdout } of [bestOfAll, poorOfAll]) {
      const { global } = JSON.parse(stdout)
      expect(global.best.certificate.verdict).toBe('proved')
      expect(Math.abs(global.best.certificate.primal - certificate.primal)).toBeLessThan(2e-6 * certificate.primal)
    }
  })

  it('keeps the intercept of a network with biases in both layers', async () => {
    const network = reluNetwork({
      ...{ W1: normals(5, 2, 7), b1: normals(1, 5, 8).data, W2: normals(5, 1, 9) },
      intercept: Float64Array.of(0.3),
    })
    await writeFile(path('both.onnx'), toOnnx(network, { type: 'float32' }))
    const { code, stdout } = await run(
      'verify',
      'both.onnx',
      'data.csv',
      '-t',
      'y',
      '-l',
      '0.05',
      '--sample',
      '10',
      '-q',
    )
    expect(code).toBe(1)
    expect(stdout).toMatch(/scope .*its output intercept kept/)
    const refused = await run('verify', 'both.onnx', 'data.csv', '-t', 'y', '-l', '0.05', '--loss', 'logistic')
    expect(refused.code).toBe(2)
  })

  it.each([
    ['no target', ['best.onnx', 'data.csv'], /give --target <column> and --lambda/],
    ['other columns', ['best.onnx', 'iris.csv', '-t', 'species', '-l', '1'], /reads 2 features and gives 1 outputs/],
    ['a fitted file with a target', ['price.json', 'houses.csv', '-t', 'price', '-l', '1'], /leave out --target/],
    ['a file that is no model', ['data.csv', 'data.csv', '-t', 'y', '-l', '1'], /no ONNX model, or damaged/],
  ])('refuses %s', async (_, args, words) => {
    const { code, stderr } = await run('verify', ...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(words)
  })
})
