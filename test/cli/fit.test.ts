import { writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadModel } from '../../src/estimators/index.ts'
import { type ReluClassifier, ReluRegressor, readCsv, readRows, trainTestSplit } from '../../src/index.ts'
import { workplace } from '../support/cli.ts'
import { csv, flowers, houses } from '../support/tables.ts'

const { run, path, write, read } = workplace()
const quick = ['--gates', '15', '--lambda', '0.02']

beforeAll(async () => {
  const { header, rows } = houses(60)
  await write('houses.csv', csv(header, rows))
  const iris = flowers(60, ['setosa', 'virginica', 'versicolor'])
  await write('iris.csv', csv(iris.header, iris.rows))
})

describe('cvxnn fit', () => {
  it('says in text what it was given, how close to optimal it came and how well it predicts', async () => {
    const { code, stdout, stderr } = await run('fit', 'houses.csv', '--target', 'price', ...quick)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [first, ...lines] = stdout.trimEnd().split('\n')
    expect(first).toBe('houses.csv: regression, 48 rows to train on, 12 to test on, 5 features')
    const said = new Map(lines.map((line) => [line.slice(2, 11).trimEnd(), line.slice(14)]))
    expect([...said.keys()]).toEqual(['status', 'lambda', 'objective', 'gap', 'neurons', 'train', 'test'])
    expect(said.get('status')).toMatch(/^solved in \d+\.\d s$/)
    expect(said.get('lambda')).toBe('0.02')
    const [, primal, dual] = /^([\d.]+), and no lower than ([\d.]+)$/.exec(said.get('objective')!)!
    const gap = Number(/^(\S+) of the objective, over the 15 patterns sampled$/.exec(said.get('gap')!)![1])
    expect(gap).toBeLessThanOrEqual(1e-6)
    expect((Number(primal) - Number(dual)) / Number(primal)).toBeCloseTo(gap, 7)
    expect(Number(said.get('neurons'))).toBeGreaterThan(0)
    expect(said.get('test')).toMatch(/^RMSE [\d.]+, R² 0\.\d{4}$/)
  })

  it('says the same as one JSON object with --json, and nothing else', async () => {
    const { code, stdout, stderr } = await run('fit', 'iris.csv', '-t', 'species', ...quick, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const said = JSON.parse(stdout)
    expect(said).toMatchObject({
      data: 'iris.csv',
      task: 'classification',
      rows: { train: 48, test: 12 },
      features: 2,
      status: 'solved',
      lambda: 0.02,
      gates: 15,
    })
    expect(said.certificate.relativeGap).toBeLessThanOrEqual(1e-6)
    expect(said.scores.train.accuracy).toBeGreaterThan(0.9)
    expect(said.scores.test.accuracy).toBeGreaterThan(0.9)
    expect(said).not.toHaveProperty('model')
    expect(said).not.toHaveProperty('crossValidation')
  })

  it('reads a table in the encoding that is named, and so does what reads it after', async () => {
    const { rows } = houses(30)
    const text = csv(
      ['größe', 'price'],
      rows.map(([a, , , price]) => [a!, price!]),
    )
    await writeFile(path('latin.csv'), Buffer.from(text, 'latin1'))
    const encoding = ['--encoding', 'windows-1252', '--quiet']
    const fit = await run('fit', 'latin.csv', '-t', 'price', ...quick, ...encoding, '-o', 'latin.json')
    expect(fit.code).toBe(0)
    expect(JSON.parse(await read('latin.json')).schema.columns[0].name).toBe('größe')
    expect((await run('predict', 'latin.json', 'latin.csv', ...encoding)).code).toBe(0)
    expect((await run('verify', 'latin.json', 'latin.csv', ...encoding)).code).toBe(0)
  })

  it('says which task it chose, with its classes, and what is odd about the table', async () => {
    const { stdout } = await run('fit', 'iris.csv', '-t', 'species', ...quick)
    expect(stdout.split('\n')[0]).toBe(
      'iris.csv: classification, 3 classes (setosa, versicolor, virginica), 48 rows to train on, 12 to test on, 2 features',
    )
    const { header, rows } = houses(40)
    await write(
      'named.csv',
      csv(
        ['owner', 'land', ...header],
        rows.map((row, i) => [`owner ${i}`, 1, ...row]),
      ),
    )
    for (const command of [
      ['fit', ...quick],
      ['path', '--gates', '5', '--count', '2'],
    ]) {
      const { code, stderr } = await run(...command, 'named.csv', '-t', 'price', '--quiet')
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr:
          'named.csv, column "owner" has 40 different texts in 40 rows, for example "owner 0", and each becomes a feature; leave the column out with --ignore "owner", or pass --categorical "owner" if that is meant.\nConstant columns carry nothing and are kept as zeros: "land".\n',
      })
    }
    const named = await run('fit', 'named.csv', '-t', 'price', ...quick, '--json')
    expect(named.stderr).toBe('')
    expect(JSON.parse(named.stdout).warnings).toEqual([expect.stringContaining('--ignore "owner"')])
    const json = await run('fit', 'iris.csv', '-t', 'species', ...quick, '--json')
    expect(JSON.parse(json.stdout)).not.toHaveProperty('warnings')
    expect(JSON.parse(json.stdout).classes).toEqual(['setosa', 'versicolor', 'virginica'])
  })

  it('reads decimal commas and separators of thousands, without a header, and its model reads them again', async () => {
    const { header, rows } = houses(40)
    const written = rows.map((row) => row.map((cell) => `${cell}`.replace('.', ',')).join(';'))
    written[0] = written[0]!.replace(/^[^;]*/, '1.000,25')
    await write('points.csv', csv(header, [['1000.25', ...rows[0]!.slice(1)], ...rows.slice(1)]))
    await write('commas.csv', `${written.join('\n')}\n`)
    const flags = ['-t', 'price', ...quick, '--json', '-o', 'commas.json']
    const names = ['--header', 'a,b,colour,price']
    const points = JSON.parse((await run('fit', 'points.csv', ...flags)).stdout)
    const commas = await run('fit', 'commas.csv', ...names, '--decimal', ',', '--thousands', '.', ...flags)
    expect(commas.stderr).toBe('')
    expect(JSON.parse(commas.stdout).certificate).toEqual(points.certificate)
    expect((await run('verify', 'commas.json', 'commas.csv', ...names)).code).toBe(0)
    const predicted = await run('predict', 'commas.json', 'commas.csv', ...names, '--quiet')
    expect({ code: predicted.code, lines: predicted.stdout.trimEnd().split('\n').length }).toEqual({
      code: 0,
      lines: 41,
    })
  })

  it('writes a model that the library loads, trained on the rows it says with the options it was given', async () => {
    const options = ['--gates', '12', '--lambda', '0.03', '--penalty', 'l1', '--seed', '7', '--tolerance', '1e-9']
    options.push('--gate-draw', 'differences')
    const { code, stdout } = await run('fit', 'houses.csv', '-t', 'price', ...options, '-o', 'model.json')
    expect(code).toBe(0)
    expect(stdout).toContain('model       model.json')
    const loaded = loadModel(await read('model.json')) as ReluRegressor
    const dataset = await readCsv(path('houses.csv'), { target: 'price' })
    const kept = trainTestSplit(dataset, { testFraction: 0.2, seed: 7 }).train
    const own = new ReluRegressor({
      ...{ gates: 12, gateDraw: 'differences', lambda: 0.03, penalty: 'l1', seed: 7, tolerance: 1e-9 },
    })
    own.train(kept.X, kept.y)
    expect(loaded.predict(dataset.X)).toEqual(own.predict(dataset.X))
    expect(loaded.certificate).toEqual(own.certificate)
    const { schema, data } = JSON.parse(await read('model.json'))
    expect(schema.columns.map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'colour'])
    expect(data).toMatchObject({ source: 'houses.csv', rows: 60, testFraction: 0.2, splitSeed: 7 })
  })

  it('chooses lambda by cross-validation unless one is given', async () => {
    const { code, stdout } = await run('fit', 'iris.csv', '-t', 'species', '--gates', '10', '--folds', '3', '--json')
    const { lambda, crossValidation } = JSON.parse(stdout)
    expect(code).toBe(0)
    const points: { lambda: number; mean: number; folds: number[] }[] = crossValidation.points
    expect(points.every(({ folds }) => folds.length === 3)).toBe(true)
    const best = Math.min(...points.map(({ mean }) => mean))
    expect(points.find((point) => point.mean === best)!.lambda).toBe(lambda)
    const text = await run('fit', 'iris.csv', '-t', 'species', '--gates', '10', '--folds', '3')
    expect(text.stdout).toMatch(/^ {2}lambda {6}\S+ \(cross-validated: held-out loss \S+ ± \S+\)$/m)
  })

  it('gives the same answer for the same seed and another split for another', async () => {
    const train = async (seed: string): Promise<{ certificate: { primal: number } }> =>
      JSON.parse((await run('fit', 'houses.csv', '-t', 'price', ...quick, '--json', '--seed', seed)).stdout)
    const [once, again, other] = await Promise.all([train('4'), train('4'), train('5')])
    expect(again.certificate).toEqual(once.certificate)
    expect(other.certificate.primal).not.toBe(once.certificate.primal)
  })

  it.each(['group-l1', 'joint-group-l1', 'l1', 'ridge', 'feature-group-l1'])(
    'solves with --penalty %s',
    async (penalty) => {
      const { code, stdout } = await run('fit', 'iris.csv', '-t', 'species', ...quick, '--penalty', penalty, '--json')
      const { status, certificate } = JSON.parse(stdout)
      expect({ code, status }).toEqual({ code: 0, status: 'solved' })
      expect(certificate.relativeGap).toBeLessThanOrEqual(1e-6)
    },
  )

  it('solves with lambda 0 by its optimality conditions and claims no bound', async () => {
    const { code, stdout } = await run('fit', 'houses.csv', '-t', 'price', '--gates', '5', '--lambda', '0')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}residual {4}\S+ of the gradient at zero: with lambda 0 there is no lower bound$/m)
    expect(stdout).not.toMatch(/gap/)
  })

  it.each([
    [
      '--max-iterations',
      '3',
      'iteration-limit',
      /^Stopped after 3 iterations, .* raise --max-iterations or --tolerance\.$/,
    ],
    [
      '--time-limit',
      '0.001',
      'time-limit',
      /^Stopped at the time limit after \d+ .* raise --time-limit or --tolerance\.$/,
    ],
  ])('ends with 1 when %s %s was not enough, says what to try and writes the model all the same', async (...at) => {
    const [flag, value, status, sentence] = at
    const flags = ['--gates', '100', '--lambda', '0.0001', flag, value, '-o', `${status}.json`]
    const { code, stdout, stderr } = await run('fit', 'houses.csv', '-t', 'price', ...flags)
    expect(code).toBe(1)
    expect(stdout).toMatch(new RegExp(`^ {2}status {6}${status} in`, 'm'))
    expect(stderr.trimEnd()).toMatch(sentence)
    expect(loadModel(await read(`${status}.json`))).toMatchObject({ status })
    expect((await run('verify', `${status}.json`, 'houses.csv')).code).toBe(1)
  })

  it('counts the patterns that there are, not those asked for', async () => {
    await write(
      'line.csv',
      csv(
        ['x', 'y'],
        [1, 2, 4, 8, 16].map((x) => [x, Math.abs(x - 5)]),
      ),
    )
    const flags = ['--lambda', '0.01', '--test', '0', '--json', '-o', 'line.json']
    const { gates } = JSON.parse((await run('fit', 'line.csv', '-t', 'y', ...flags)).stdout)
    // A line of five rows is cut in four places, each with either side on, or not at all: nine patterns but for none on.
    expect(gates).toBe(9)
    expect((await run('verify', 'line.json', 'line.csv')).stdout).toContain('9 patterns')
  })

  it('trains on every row with --test 0', async () => {
    const { stdout } = await run('fit', 'houses.csv', '-t', 'price', ...quick, '--test', '0')
    expect(stdout).toContain('60 rows to train on, 0 to test on')
    expect(stdout).not.toMatch(/^ {2}test/m)
  })

  it('gives R² only where the rows to test on differ', async () => {
    const { code, stdout } = await run('fit', 'houses.csv', '-t', 'price', ...quick, '--test', '0.01')
    expect(code).toBe(0)
    expect(stdout).toMatch(/59 rows to train on, 1 to test on/)
    expect(stdout).toMatch(/^ {2}test {8}RMSE [\d.]+$/m)
  })

  it('trains without bias and without standardisation on request, and says so in the file', async () => {
    const train = (...flags: string[]): ReturnType<typeof run> =>
      run('fit', 'houses.csv', '-t', 'price', ...quick, ...flags, '-o', 'plain.json')
    expect((await train('--no-bias', '--no-standardize')).code).toBe(0)
    const { settings, network, prepared } = JSON.parse(await read('plain.json'))
    expect(settings).toMatchObject({ bias: false, standardize: false })
    expect(new Set(network.b1)).toEqual(new Set([0]))
    expect(new Set(prepared.inputs.scale)).toEqual(new Set([1]))
  })

  it('predicts several columns at once', async () => {
    const flags = [...quick, '--json', '--out', 'two.json']
    const { code, stdout } = await run('fit', 'houses.csv', '--target', 'price, b', ...flags)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ task: 'regression', features: 4, model: 'two.json' })
    const { network, schema } = JSON.parse(await read('two.json'))
    expect(network.outputs).toBe(2)
    expect(schema.target).toEqual(['price', 'b'])
    const predicted = await run('predict', 'two.json', 'houses.csv', '--quiet')
    expect(predicted.stdout.split('\n')[0]).toBe('price,b')
  })

  it('fills, drops or refuses cells without a value', async () => {
    const { header, rows } = houses(40)
    rows[3]![0] = 'NA'
    rows[9]![2] = ''
    await write('holes.csv', csv(header, rows))
    const train = (policy: string): ReturnType<typeof run> =>
      run('fit', 'holes.csv', '-t', 'price', ...quick, '--json', '--test', '0', '--missing', policy)
    const [mean, median, drop, refused] = await Promise.all(['mean', 'median', 'drop', 'error'].map(train))
    expect(JSON.parse(mean!.stdout).rows.train).toBe(40)
    expect(JSON.parse(median!.stdout).rows.train).toBe(40)
    expect(JSON.parse(median!.stdout).certificate.primal).not.toBe(JSON.parse(mean!.stdout).certificate.primal)
    expect(JSON.parse(drop!.stdout).rows.train).toBe(38)
    expect(refused!.stderr).toBe(
      'cvxnn: holes.csv, row 4 (line 5), column "a" is "NA"; drop the row with --missing drop or pass --missing mean.\n',
    )
    expect(refused!.code).toBe(2)
  })

  it('leaves columns out, reads codes as categories and takes any delimiter, with the columns named in sentences', async () => {
    const { header, rows } = houses(40)
    const coded = rows.map((row, i) => [...row, i % 3, 5])
    await write('codes.csv', csv([...header, 'zone', 'same'], coded).replaceAll(',', '~'))
    const flags = ['--categorical', 'zone', '--ignore', 'colour', '--delimiter', '~']
    const { code, stderr } = await run('fit', 'codes.csv', '-t', 'price', ...quick, ...flags, '-o', 'codes.json')
    expect(code).toBe(0)
    expect(stderr).toBe('Constant columns carry nothing and are kept as zeros: "same".\n')
    const { schema, network } = JSON.parse(await read('codes.json'))
    expect(schema.columns.map(({ name, kind }: Record<string, string>) => `${name} ${kind}`)).toEqual([
      'a numeric',
      'b numeric',
      'zone categorical',
      'same numeric',
    ])
    expect(network.features).toBe(6)
    expect((await run('verify', 'codes.json', 'codes.csv', '--delimiter', '~')).code).toBe(0)
    const predicted = await run('predict', 'codes.json', 'codes.csv', '--delimiter', '~')
    expect(predicted.code).toBe(0)
    expect(predicted.stderr).toMatch(/^40 rows, RMSE/)
  })

  it('reads a numeric target as classes with --task classification', async () => {
    const { header, rows } = flowers(40, ['7', '10'])
    await write('digits.csv', csv(header, rows))
    const { stdout } = await run('fit', 'digits.csv', '-t', 'species', '--task', 'classification', ...quick, '--json')
    expect(JSON.parse(stdout)).toMatchObject({ task: 'classification', scores: { test: { accuracy: 1 } } })
    const numbers = await run('fit', 'digits.csv', '-t', 'species', ...quick, '--json')
    expect(JSON.parse(numbers.stdout).task).toBe('regression')
  })

  it('carries quoted, unicode and category columns and class labels of any text from table to prediction', async () => {
    const labels = ['ja, "klar"', ' padded ', 'größe\n2', '🏠']
    const { rows } = flowers(80, labels)
    const header = ['Länge, cm', 'a "quoted" name', 'category', 'Ω class']
    const odd = ['=SUM(A1)', 'x, y', '漢字']
    const table = rows.map(([x, y, label], i) => [x!, y!, odd[i % 3]!, label!])
    await write('odd.csv', csv(header, table))
    const trained = await run('fit', 'odd.csv', '-t', 'Ω class', ...quick, '-o', 'odd.json', '--json')
    expect(JSON.parse(trained.stdout)).toMatchObject({ task: 'classification', features: 5 })
    expect((await run('verify', 'odd.json', 'odd.csv')).code).toBe(0)
    const shuffled = ['category', 'Ω class', 'a "quoted" name', 'Länge, cm']
    const columns = shuffled.map((name) => header.indexOf(name))
    await write(
      'mixed.csv',
      csv(
        shuffled,
        table.map((row) => columns.map((j) => row[j]!)),
      ),
    )
    const predicted = await run('predict', 'odd.json', 'mixed.csv', '--scores', '-o', 'predicted.csv')
    expect(predicted).toMatchObject({ code: 0, stdout: '' })
    expect(predicted.stderr).toMatch(/^80 rows, accuracy (9\d|100)\.\d\d %\n$/)
    const back = await readCsv(path('predicted.csv'), { target: 'Ω class' })
    expect([...new Set(back.labels)].sort()).toEqual([...labels].sort())
    expect(back.features).toEqual([...back.classes!].map((name) => `score ${name}`))
    const text = await read('odd.json')
    const { X } = await readRows(path('mixed.csv'), JSON.parse(text).schema)
    const classifier = loadModel(text) as ReluClassifier
    expect(back.labels).toEqual(classifier.predict(X))
    expect([...back.X.data]).toEqual([...classifier.decisionFunction(X).data])
  })
})
