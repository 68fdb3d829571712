import { createContext, runInContext } from 'node:vm'
import { beforeAll, describe, expect, it } from 'vitest'
import { gatedReluProgram, lambdaMax, readCsv, sampleGates, standardize, trainTestSplit } from '../../src/index.ts'
import { workplace } from '../support/cli.ts'
import { csv, flowers, houses } from '../support/tables.ts'

const { run, path, write, read } = workplace()
const quick = ['--gates', '15', '--count', '6', '--ratio', '0.01']

interface Point {
  lambda: number
  status: string
  objective: number
  bound: number
  relativeGap: number
  neurons: number
  train: Record<string, number>
  test?: Record<string, number>
}

beforeAll(async () => {
  const { header, rows } = houses(60)
  await write('houses.csv', csv(header, rows))
  const iris = flowers(45, ['setosa', 'virginica', 'versicolor'])
  await write('iris.csv', csv(iris.header, iris.rows))
})

describe('cvxnn path', () => {
  it('runs from the zero network at lambda_max down in geometric steps, every point certified', async () => {
    const { code, stdout, stderr } = await run('path', 'houses.csv', '-t', 'price', ...quick, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { points } = JSON.parse(stdout) as { points: Point[] }
    expect(points).toHaveLength(6)
    const { train } = trainTestSplit(await readCsv(path('houses.csv'), { target: 'price' }))
    const X = standardize(train.X).X
    const gates = sampleGates(X, { count: 15, seed: 1, bias: true })
    const top = lambdaMax(gatedReluProgram({ X, y: standardize(train.y).X, gates, lambda: 0, bias: true }))
    points.forEach(({ lambda, status, objective, bound, relativeGap }, k) => {
      expect(lambda / top).toBeCloseTo(0.01 ** (k / 5), 12)
      expect(status).toBe('solved')
      expect(relativeGap).toBeLessThanOrEqual(1e-6)
      // At lambda_max the two agree to rounding.
      expect(objective).toBeGreaterThanOrEqual(bound - 1e-15)
      if (k > 0) expect(objective).toBeLessThan(points[k - 1]!.objective)
    })
    expect(points[0]!.neurons).toBe(0)
    expect(points.at(-1)!.train.rmse).toBeLessThan(points[0]!.train.rmse! / 4)
  })

  it('prints a table, with a column for held-out rows only when there are some', async () => {
    const { code, stdout } = await run('path', 'iris.csv', '-t', 'species', ...quick)
    expect(code).toBe(0)
    const [head, rule, ...lines] = stdout.trimEnd().split('\n')
    expect(head!.split(/ {2,}/)).toEqual([
      'lambda',
      'objective',
      'relative gap',
      'neurons',
      'train accuracy',
      'test accuracy',
      'status',
    ])
    expect(rule).toMatch(/^[─ ]+$/)
    expect(lines).toHaveLength(6)
    expect(new Set([head, rule, ...lines].map((line) => line!.length)).size).toBe(1)
    const all = await run('path', 'iris.csv', '-t', 'species', ...quick, '--test', '0')
    expect(all.stdout).not.toContain('test accuracy')
  })

  it('writes the points as .csv and as .json, the same as it prints with --json', async () => {
    const flags = ['-t', 'price', ...quick, '--json']
    const [printed, asCsv, asJson] = await Promise.all([
      run('path', 'houses.csv', ...flags),
      run('path', 'houses.csv', ...flags, '--out', 'points.csv'),
      run('path', 'houses.csv', ...flags, '--out', 'points.JSON'),
    ])
    expect([printed.code, asCsv.code, asJson.code]).toEqual([0, 0, 0])
    const plain = (points: (Point & { seconds?: number })[]): Point[] => points.map(({ seconds, ...point }) => point)
    const points = plain(JSON.parse(printed.stdout).points)
    const written = JSON.parse(await read('points.JSON'))
    expect(written.data).toBe('houses.csv')
    expect(plain(written.points)).toEqual(points)
    const [head, ...lines] = (await read('points.csv')).trimEnd().split('\n')
    expect(head).toBe('lambda,objective,relative gap,neurons,train RMSE,test RMSE,status')
    expect(lines.map((line) => line.split(','))).toEqual(
      points.map(({ lambda, objective, relativeGap, neurons, train, test, status }) =>
        [lambda, objective, relativeGap, neurons, train.rmse, test!.rmse, status].map(String),
      ),
    )
  })

  it('writes a page that needs nothing else, holds the data and escapes the name of the table', async () => {
    await write('a<b>&c.csv', await read('houses.csv'))
    const flags = ['-t', 'price', ...quick, '--out', 'path.html']
    const { code, stderr } = await run('path', 'a<b>&c.csv', ...flags)
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Written: path.html\n' })
    const page = await read('path.html')
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).toContain('<h1>a&lt;b&gt;&amp;c.csv</h1>')
    expect(page).not.toMatch(/<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=/i)
    expect(page).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i)
    expect(page).not.toMatch(/@import|url\(\s*["']?(?:https?:)?\/\//i)
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text!)
    expect(scripts).toHaveLength(2)
    // The page's own script, with a chart library that keeps what it is given.
    const charts: { data: (number | null)[][]; series: { label: string }[] }[] = []
    class Chart {
      constructor({ series }: { series: { label: string }[] }, data: (number | null)[][]) {
        charts.push({ data, series })
      }
    }
    const document = { getElementById: () => ({ clientWidth: 500 }) }
    const getComputedStyle = (): object => ({ getPropertyValue: () => 'black' })
    const matchMedia = (): object => ({ addEventListener: () => {} })
    const globals = { uPlot: Chart, document, getComputedStyle, matchMedia, addEventListener: () => {} }
    runInContext(scripts[1]!, createContext(globals))
    expect(charts.map(({ series }) => series.map(({ label }) => label))).toEqual([
      ['lambda', 'train', 'test'],
      ['lambda', 'objective', 'lower bound'],
      ['lambda', 'neurons'],
    ])
    const { points } = JSON.parse((await run('path', 'houses.csv', '-t', 'price', ...quick, '--json')).stdout) as {
      points: Point[]
    }
    const ascending = points.reverse()
    expect(charts[1]!.data).toEqual([
      ascending.map(({ lambda }) => lambda),
      ascending.map(({ objective }) => objective),
      ascending.map(({ bound }) => bound),
    ])
    expect(charts[0]!.data[2]).toEqual(ascending.map(({ test }) => test!.rmse))
    expect(page.match(/<tr[ >]/g)).toHaveLength(7)
    expect(page.match(/<tr class="best">/g)).toHaveLength(1)
  })

  it('writes a page that is light or dark as its reader likes, charts too, and drawn again when that changes', async () => {
    await run('path', 'houses.csv', '-t', 'price', ...quick, '--out', 'colours.html')
    const page = await read('colours.html')
    const [light, dark] = [...page.matchAll(/:root \{([^}]*)\}/g)].map(([, rules]) => rules!)
    const named = (rules: string): Map<string, string> =>
      new Map([...rules.matchAll(/(--\w+): (#\w+);/g)].map(([, name, value]) => [name!, value!]))
    const schemes = [named(light!), named(dark!)]
    expect([...schemes[0]!.keys()]).toEqual([...schemes[1]!.keys()])
    expect(page).toContain('@media (prefers-color-scheme: dark) { :root {')
    // Nothing of the page's own has a colour besides these.
    const own = page.slice(page.indexOf('body { font')).replace(/<script>[\s\S]*?<\/script>/, '')
    expect(own).not.toMatch(/#[0-9a-f]{3,8}\b(?=[;'" ])/i)

    let scheme = 0
    let change = (): void => {}
    let there = 0
    const colours: string[][] = []
    class Chart {
      constructor({ axes, series }: { axes: { stroke: string }[]; series: { stroke?: string }[] }) {
        there++
        colours.push([...axes, ...series.slice(1)].map(({ stroke }) => stroke!))
      }
      destroy(): void {
        there--
      }
    }
    const context = {
      uPlot: Chart,
      document: { getElementById: () => ({ clientWidth: 500 }) },
      getComputedStyle: () => ({ getPropertyValue: (name: string) => schemes[scheme]!.get(name)! }),
      matchMedia: () => ({ addEventListener: (_: string, listener: () => void) => (change = listener) }),
      addEventListener: () => {},
    }
    runInContext([...page.matchAll(/<script>([\s\S]*?)<\/script>/g)][1]![1]!, createContext(context))
    scheme = 1
    change()
    expect(there).toBe(3)
    expect(colours).toHaveLength(6)
    const drawn = [colours.slice(0, 3).flat(), colours.slice(3).flat()]
    drawn.forEach((used, k) => {
      expect(used.every((colour) => [...schemes[k]!.values()].includes(colour))).toBe(true)
    })
    drawn[0]!.forEach((colour, k) => {
      expect(colour).not.toBe(drawn[1]![k])
    })
  })

  it('ends with 1 when a point was not solved', async () => {
    const { code, stdout } = await run('path', 'houses.csv', '-t', 'price', ...quick, '--max-iterations', '3', '--json')
    const { points } = JSON.parse(stdout) as { points: Point[] }
    expect(code).toBe(1)
    expect(points.map(({ status }) => status)).toContain('iteration-limit')
  })
})
