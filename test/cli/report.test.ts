import { beforeAll, describe, expect, it } from 'vitest'
import { workplace } from '../support/cli.ts'
import { csv, flowers, houses } from '../support/tables.ts'

const { run, write, read } = workplace()

beforeAll(async () => {
  const { header, rows } = houses(60)
  await write('a<b>&c.csv', csv(header, rows))
  const iris = flowers(60, ['setosa', 'virginica', 'versicolor'])
  await write('iris.csv', csv(iris.header, iris.rows))
  const line = Array.from({ length: 40 }, (_, k) => [k / 10, Math.abs(k / 10 - 2)])
  await write('line.csv', csv(['speed', 'drag'], line))
  const fits = [
    ['a<b>&c.csv', '-t price --gates 15 --folds 3 --gate-order 1 -o price.json'],
    ['iris.csv', '-t species --gates 15 --lambda 0.02 -o species.json'],
    ['line.csv', '-t drag --program relu --gates 20 --lambda 0.01 --test 0 -o drag.json'],
    ['line.csv', '-t drag --program fenchel --hidden 4 --sweeps 5 -o deep.json'],
  ] as const
  const trained = await Promise.all(fits.map(([table, flags]) => run('fit', table, ...flags.split(' '), '-q')))
  expect(trained.map(({ code }) => code)).toEqual([0, 0, 0, 1])
})

/** Holds a page to what every page is: one file that asks for nothing, whole, with no number that is none. */
function soundPage(page: string): { headings: string[]; figures: string[] } {
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">/)
  expect(page).toMatch(/<\/html>\n$/)
  expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:/)
  expect(page).not.toMatch(/<(?:script|link|img|iframe)\b|\b(?:src|href)\s*=|@import|url\((?!#)/i)
  const figures = [...page.matchAll(/<figure>(<svg[\s\S]*?<\/svg>)<\/figure>/g)].map(([, svg]) => svg!)
  for (const svg of figures) expect(svg).not.toMatch(/="[^"]*(?:NaN|Infinity|undefined)/)
  expect(page.replace(/<svg[\s\S]*?<\/svg>/g, '')).not.toMatch(/NaN|undefined|Infinity/)
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  return { headings: [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, text]) => text!), figures }
}

describe('cvxnn report', () => {
  it('says of a regression what was trained, what is proved, how lambda was chosen, and how well it does', async () => {
    const { code, stdout, stderr } = await run(
      'report',
      'price.json',
      'a<b>&c.csv',
      '--out',
      'price.html',
      '--count',
      '5',
    )
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'Written: price.html\n' })
    const page = await read('price.html')
    const { headings, figures } = soundPage(page)
    expect(headings).toEqual([
      'The certificate',
      'How lambda was chosen',
      'The way there',
      'Its answers',
      'Check it yourself',
    ])
    expect(figures).toHaveLength(4)
    expect(page).toContain('<h1>price.json: price from 5 features</h1>')
    expect(page).toContain('a&lt;b&gt;&amp;c.csv, 48 rows to train on, 12 held out')
    expect(page).toMatch(
      /<div class="verdict within">\n<p>No gated ReLU network with the same 15 activation patterns can do better/,
    )
    expect(page).toContain('<code>cvxnn verify price.json a&lt;b&gt;&amp;c.csv</code>')
    // The numbers are those of the model's own certificate.
    const { certificate, selectedLambda } = JSON.parse(await read('price.json'))
    expect(page).toContain(`<td>${certificate.primal.toPrecision(10)}</td>`)
    expect(page).toContain(`lambda ${Number(selectedLambda.toPrecision(4))}, cross-validated`)
    expect(page).toContain('5 networks with these activation patterns, from the zero network')
    const dots = figures[3]!.match(/<circle /g)
    expect(dots).toHaveLength(60)
  })

  it('draws a classifier of two features, with its confusion matrix, to stdout', async () => {
    const { code, stdout, stderr } = await run('report', 'species.json', 'iris.csv', '--no-path')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { headings, figures } = soundPage(stdout)
    expect(headings).toEqual(['The certificate', 'The network', 'Its answers', 'Check it yourself'])
    expect(figures[1]).toContain('● virginica')
    expect(figures[2]).toContain('12 rows, ')
  })

  it('draws a network of one feature as a curve, and takes the training rows where none are held out', async () => {
    const { code, stdout } = await run('report', 'drag.json', 'line.csv', '--count', '3', '-q')
    expect(code).toBe(0)
    const { headings, figures } = soundPage(stdout)
    expect(headings).toContain('The network')
    expect(figures[2]).toContain('What every neuron adds, where it is on')
    expect(stdout).toMatch(/No ReLU network with the same \d+ activation patterns/)
    expect(stdout).toContain('40 rows to train on, 0 held out')
  })

  it('says what training over all networks proved', async () => {
    const flags = '-t drag --program relu --global --gates 10 --lambda 0.05 --test 0 -o best.json -q'
    expect((await run('fit', 'line.csv', ...flags.split(' '))).code).toBe(0)
    const { code, stdout } = await run('report', 'best.json', 'line.csv', '--no-path')
    expect(code).toBe(0)
    soundPage(stdout)
    const { statement } = JSON.parse(await read('best.json')).certificate
    expect(statement).toMatch(/network/)
    expect(stdout).toContain(`<p>It was trained over all networks of any width, and then: ${statement}.</p>`)
  })

  it('says of a lifted network that nothing is proved', async () => {
    const { code, stdout } = await run('report', 'deep.json', 'line.csv')
    expect(code).toBe(1)
    const { headings } = soundPage(stdout)
    expect(headings).toEqual(['The network', 'Its answers'])
    expect(stdout).toContain('<div class="verdict">\n<p>Nothing is proved of this network.</p>')
  })

  it('says that a network is not within the tolerance when it is not, and ends with 1', async () => {
    const model = JSON.parse(await read('price.json'))
    model.network.W2[0][0] *= 1.5
    await write('worse.json', JSON.stringify(model))
    const { code, stdout } = await run('report', 'worse.json', 'a<b>&c.csv', '--no-path')
    expect(code).toBe(1)
    soundPage(stdout)
    expect(stdout).toContain('That is not within the tolerance of 10⁻⁶ it was trained to')
  })

  it('speaks of residuals where lambda is 0 and nothing bounds the objective', async () => {
    const flags = ['-t', 'price', '--gates', '3', '--lambda', '0', '-o', 'free.json', '-q']
    expect((await run('fit', 'a<b>&c.csv', ...flags)).code).toBe(0)
    const { code, stdout } = await run('report', 'free.json', 'a<b>&c.csv', '-q')
    expect(code).toBe(0)
    const { headings } = soundPage(stdout)
    expect(headings).not.toContain('The way there')
    expect(stdout).toContain('Nothing bounds this network from below, but it meets the conditions of an optimum.')
  })

  it('refuses another table, and a place that cannot be written to, in one sentence before any work', async () => {
    const other = await run('report', 'price.json', 'iris.csv')
    expect(other.code).toBe(2)
    expect(other.stderr).toMatch(/^cvxnn: [^\n]+\n$/)
    const nowhere = await run('report', 'price.json', 'a<b>&c.csv', '--out', 'no/such/page.html')
    expect(nowhere).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^cvxnn: cannot write no\/such/),
    })
  })
})
