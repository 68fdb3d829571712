import { beforeAll, describe, expect, it } from 'vitest'
import { workplace } from '../support/cli.ts'
import { csv, flowers, houses } from '../support/tables.ts'

const { run, write, read } = workplace()

beforeAll(async () => {
  const { header, rows } = houses(60)
  await write('houses.csv', csv(header, rows))
  const iris = flowers(60, ['setosa', 'virginica', 'versicolor'])
  await write('iris.csv', csv(iris.header, iris.rows))
  const quick = ['--gates', '15', '--lambda', '0.02', '--json']
  const trained = await Promise.all([
    run('fit', 'houses.csv', '-t', 'price', ...quick, '-o', 'price.json'),
    run('fit', 'iris.csv', '-t', 'species', ...quick, '-o', 'species.json'),
  ])
  expect(trained.map(({ code }) => code)).toEqual([0, 0])
})

/** The model file with one change. */
async function changed(name: string, change: (model: ReturnType<typeof JSON.parse>) => void): Promise<string> {
  const model = JSON.parse(await read(name))
  change(model)
  await write(`changed-${name}`, JSON.stringify(model))
  return `changed-${name}`
}

describe('cvxnn verify', () => {
  it('recomputes from the table the certificate that fit wrote', async () => {
    for (const [model, table] of [
      ['price.json', 'houses.csv'],
      ['species.json', 'iris.csv'],
    ] as const) {
      const { code, stdout, stderr } = await run('verify', model, table, '--json')
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const { within, verification } = JSON.parse(stdout)
      const { certificate } = JSON.parse(await read(model))
      expect(within).toBe(true)
      expect(Math.abs(verification.program.primal - certificate.primal)).toBeLessThan(1e-10 * certificate.primal)
      expect(Math.abs(verification.difference)).toBeLessThan(1e-10 * certificate.primal)
      expect(verification.program.relativeGap).toBeLessThanOrEqual(1e-6)
      expect(verification.scope).toBe('program')
    }
  })

  it('says in text both objectives, the bound, the gap and whom the bound is for', async () => {
    const { code, stdout } = await run('verify', 'price.json', 'houses.csv')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^price\.json on the 48 rows it was fitted on, 15 patterns:\n/)
    for (const line of [
      /^ {2}convex objective {4}0\.\d{10,}$/m,
      /^ {2}network objective {3}0\.\d{10,} \(difference \S+\)$/m,
      /^ {2}lower bound {9}0\.\d{10,}$/m,
      /^ {2}relative gap {8}\d\.\d\de-\d+$/m,
      /^ {2}scope {15}program: networks with these patterns$/m,
    ])
      expect(stdout).toMatch(line)
  })

  it('compares a ReLU model with the best network of any width', async () => {
    const fitted = await run(
      ...['fit', 'houses.csv', '-t', 'price', '--program', 'relu', '--gates', '15', '--lambda', '0.05'],
      ...['-o', 'relu.json', '--json'],
    )
    expect(fitted.code).toBe(0)
    const { code, stdout } = await run('verify', 'relu.json', 'houses.csv', '--global')
    expect(code).toBe(0)
    for (const line of [
      /^Over all networks of any width \(\d+ rounds, .* s\):$/m,
      /^ {2}best objective {3}0\.\d{10,}, by \d+ neurons$/m,
      /^ {2}this network {5}0\.\d{10,}, .* above the best$/m,
      /^ {2}verdict {10}(proved|no neuron|not optimal)/m,
    ])
      expect(stdout).toMatch(line)
    const { global } = JSON.parse((await run('verify', 'relu.json', 'houses.csv', '--global', '--json')).stdout)
    expect(global.best.certificate.scope).toBe('network')
    expect(global.lowerBound).toBeLessThanOrEqual(global.best.certificate.primal)
    expect(global.best.certificate.primal).toBeLessThanOrEqual(global.network)
    const gated = await run('verify', 'price.json', 'houses.csv', '--global')
    expect(gated.code).toBe(2)
    expect(gated.stderr).toMatch(/is a gated-relu model and --global compares ReLU networks/)
  })

  it('agrees with itself in decimal arithmetic, digit for digit as far as float64 goes', async () => {
    const { code, stdout } = await run('verify', 'price.json', 'houses.csv', '--precision', '30', '--json')
    expect(code).toBe(0)
    const { verification, precise } = JSON.parse(stdout)
    expect(precise.precision).toBe(30)
    expect(precise.primal).toMatch(/^0\.0*[1-9]\d{25,29}$/)
    expect(Math.abs(Number(precise.primal) - verification.program.primal)).toBeLessThan(1e-13)
    expect(Math.abs(Number(precise.dual) - verification.lowerBound)).toBeLessThan(1e-13)
    const text = await run('verify', 'price.json', 'houses.csv', '--precision', '30')
    expect(text.stdout).toContain('In decimal arithmetic of 30 digits:\n')
    expect(text.stdout).toContain(`lower bound              ${precise.dual}\n`)
  })

  it('refuses another table, and the same table with one cell changed', async () => {
    const { header, rows } = houses(60, 2)
    await write('others.csv', csv(header, rows))
    const same = houses(60).rows
    same[7]![0] = `${same[7]![0]}1`
    await write('one.csv', csv(header, same))
    for (const table of ['others.csv', 'one.csv']) {
      const { code, stdout, stderr } = await run('verify', 'price.json', table)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toBe(
        `cvxnn: ${table} does not hold the rows the model was fitted on (houses.csv, 60 rows); pass that table.\n`,
      )
    }
  })

  it('accepts the same rows in another file, with its columns in another order', async () => {
    const { header, rows } = houses(60)
    const reversed = (row: readonly (string | number)[]): (string | number)[] => [...row].reverse()
    await write('reversed.csv', csv(reversed(header) as string[], rows.map(reversed)))
    expect((await run('verify', 'price.json', 'reversed.csv')).code).toBe(0)
  })

  it('ends with 1 for weights that are not optimal, and says that the gap is above the tolerance', async () => {
    const model = await changed('price.json', ({ network }) => {
      network.W2[0][0] *= 1.5
    })
    const { code, stdout } = await run('verify', model, 'houses.csv')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ {2}relative gap +\S+, above the tolerance 0\.000001$/m)
    expect(JSON.parse((await run('verify', model, 'houses.csv', '--json')).stdout).within).toBe(false)
  })

  it('believes its own computation and not what the file says about it', async () => {
    const model = await changed('price.json', ({ network, certificate }) => {
      network.W1[0][0] += 0.5
      certificate.relativeGap = 0
    })
    expect((await run('verify', model, 'houses.csv')).code).toBe(1)
  })

  it('verifies lambda 0 by the optimality conditions, in which fit solved it', async () => {
    const flags = ['--gates', '5', '--lambda', '0', '-o', 'zero.json']
    expect((await run('fit', 'houses.csv', '-t', 'price', ...flags)).code).toBe(0)
    const { code, stdout } = await run('verify', 'zero.json', 'houses.csv', '--precision', '20')
    expect(code).toBe(0)
    expect(stdout).toContain('(with lambda 0 there is no lower bound)\n')
    const worse = await changed('zero.json', ({ network }) => {
      network.W2[0][0] += 0.01
    })
    expect((await run('verify', worse, 'houses.csv')).code).toBe(1)
  })

  it.each<[string, string, (model: ReturnType<typeof JSON.parse>) => void, RegExp]>([
    ['without its settings', 'price.json', (m) => delete m.settings, /the model is damaged at "settings"/],
    ['without its schema', 'price.json', (m) => delete m.schema, /the model is damaged at "schema" .*fit it again/],
    [
      'with a column of no kind',
      'price.json',
      (m) => delete m.schema.columns[0].kind,
      /damaged at "schema\.columns\.0/,
    ],
    ['without its fingerprint', 'price.json', (m) => delete m.data.fingerprint, /damaged at "data\.fingerprint"/],
    ['with a text for a weight', 'price.json', (m) => (m.network.W1[0][0] = 'x'), /damaged at "W1\.0\.0"/],
    ['of a newer version', 'price.json', (m) => (m.version = 2), /format version 2 and this release reads up to 1/],
    ['of another program', 'price.json', (m) => (m.format = 'onnx'), /this is not a cvxnn model/],
    ['of an unknown kind', 'price.json', (m) => (m.kind = 'relu-poet'), /of kind "relu-poet"/],
    ['that is a bare network', 'price.json', (m) => Object.assign(m, m.network), /a bare gated-relu-network/],
    ['with other classes', 'species.json', (m) => m.schema.classes.reverse(), /schema has other classes/],
    ['without the classes', 'species.json', (m) => delete m.schema.classes, /schema has other classes/],
  ])('refuses a model %s in one sentence', async (_, name, change, sentence) => {
    const model = await changed(name, change)
    const { code, stdout, stderr } = await run('verify', model, 'houses.csv')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^cvxnn: changed-\w+\.json: .*[.]\n$/)
    expect(stderr).toMatch(sentence)
    expect((await run('predict', model, 'houses.csv')).stderr).toBe(stderr)
  })
})
