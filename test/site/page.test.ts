import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { examples } from '../../site/examples.ts'
import { tableOf } from '../../site/table.ts'
import {
  enumerateGates,
  fromRows,
  lambdaMax,
  loadModel,
  type ReluNetwork,
  readCsv,
  reluProgram,
  solveSync,
  standardize,
} from '../../src/index.ts'
import { root } from '../support/build.ts'

/** Where a Chromium may be; CVXNN_CHROMIUM names another. */
const places = [process.env.CVXNN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const found = await Promise.all(
  places.map(
    (place) =>
      place &&
      stat(place).then(
        () => place,
        () => undefined,
      ),
  ),
)
const executablePath = found.find((place) => place !== undefined)
if (!executablePath)
  console.warn(
    'The page is not tested: there is no Chromium (apt-get install chromium, or name one in CVXNN_CHROMIUM).',
  )

/** Nothing of the browser's own goes out to a network. */
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
const args = [...quiet, '--disable-background-networking', '--disable-component-update']

describe.skipIf(!executablePath)('the page, in a browser and from a disk', () => {
  let folder = ''
  let browser: Browser
  let address = ''
  // What no page may do: say an error, or ask for anything but itself and its worker.
  const complaints: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cvxnn-site-'))
    await promisify(execFile)(join(root, 'node_modules/.bin/tsx'), [join(root, 'site/build.ts'), folder])
    address = pathToFileURL(join(folder, 'index.html')).href
    browser = await chromium.launch({ executablePath: executablePath!, args })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true })
  })

  async function opened(options: { hash?: string; width?: number } = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: options.width ?? 1200, height: 900 } })
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!/^(file|blob):/.test(request.url())) complaints.push(request.url())
    })
    await page.goto(address + (options.hash ?? ''))
    return page
  }
  const text = async (page: Page, id: string): Promise<string> => (await page.locator(`#${id}`).textContent()) ?? ''
  const solved = (page: Page): Promise<unknown> =>
    page.waitForFunction(() => /proved$/.test(document.getElementById('progress')!.textContent!), undefined, {
      timeout: 50_000,
    })
  /** A new path begins a moment after its points are there. */
  const solvedAnew = async (page: Page): Promise<void> => {
    await page.waitForFunction(() => !/proved$/.test(document.getElementById('progress')!.textContent!))
    await solved(page)
  }
  const paste = async (page: Page, table: string): Promise<void> => {
    await page.locator('#table').fill(table)
    await page.locator('#use').click()
  }
  const pixels = (page: Page): Promise<string> =>
    page.evaluate(() => (document.getElementById('board') as HTMLCanvasElement).toDataURL())

  it('proves the best network for an example, the one that is the best outside the browser too', async () => {
    const page = await opened()
    await solved(page)
    expect(await text(page, 'status')).toBe('solved')
    expect(await text(page, 'claim')).toMatch(
      /^Proved: no ReLU network of any width can be more than 0\.\d+\u00a0% better\.$/,
    )
    expect(Number(await text(page, 'gap'))).toBeLessThanOrEqual(1e-6)

    const { X: rows, y: targets } = await readCsv({ text: await page.locator('#table').inputValue() }, { target: 'y' })
    const { X } = standardize(rows)
    const { X: y } = standardize(targets)
    const program = reluProgram({ X, y, gates: enumerateGates(X, { bias: true }), bias: true, lambda: 0 })
    const index = Number(await page.locator('#lambda').inputValue())
    const lambda = lambdaMax(program) * 1e-3 ** (index / 49)
    const { certificate } = solveSync({ ...program, lambda }, { tolerance: 1e-9 })
    expect(Number(await text(page, 'primal')) / certificate.primal).toBeCloseTo(1, 5)
    expect(Number(await text(page, 'dual')) / certificate.dual).toBeCloseTo(1, 5)
    await page.close()
  })

  it('takes points from a pointer, and redraws the network as lambda moves along the path', async () => {
    const page = await opened()
    await page.getByRole('button', { name: 'My curve' }).click()
    expect(await text(page, 'empty')).toContain('draw points')
    const { x, y, width, height } = (await page.locator('#board').boundingBox())!
    for (const [a, b] of [
      [0.1, 0.8],
      [0.3, 0.4],
      [0.5, 0.6],
      [0.7, 0.2],
      [0.9, 0.5],
    ] as const)
      await page.mouse.click(x + a * width, y + b * height)
    await solved(page)
    expect((await page.locator('#table').inputValue()).split('\n')).toHaveLength(6)
    const slider = page.locator('#lambda')
    await slider.fill('0')
    await expect.poll(() => text(page, 'neurons')).toBe('0')
    const flat = { picture: await pixels(page), lambda: await text(page, 'lambda-value') }
    await slider.fill('49')
    await expect.poll(async () => Number(await text(page, 'neurons'))).toBeGreaterThan(1)
    expect(await pixels(page)).not.toBe(flat.picture)
    expect(Number(await text(page, 'lambda-value'))).toBeLessThan(Number(flat.lambda) / 500)
    expect(Number(await text(page, 'gap'))).toBeLessThanOrEqual(1e-6)
    await page.mouse.move(x + 0.5 * width, y + 0.6 * height)
    await page.mouse.down()
    await page.mouse.move(x + 0.5 * width, y - 40)
    await page.mouse.up()
    expect((await page.locator('#table').inputValue()).split('\n')).toHaveLength(5)
    await page.close()
  })

  it('takes points from the keyboard, of both colours', async () => {
    const page = await opened()
    await page.getByRole('button', { name: 'My colours' }).click()
    await page.locator('#board').focus()
    const keys =
      'Enter ArrowRight ArrowRight ArrowUp Enter c Shift+ArrowLeft Shift+ArrowLeft Enter ArrowDown ArrowDown Enter'
    for (const key of keys.split(' ')) await page.keyboard.press(key)
    await solved(page)
    const rows = (await page.locator('#table').inputValue()).split('\n')
    expect(rows).toEqual(['x1,x2,colour', '0,0,orange', '0.08,0.04,orange', '-0.32,0.04,blue', '-0.32,-0.04,blue'])
    expect(await text(page, 'status')).toBe('solved')
    await page.keyboard.press('Delete')
    expect((await page.locator('#table').inputValue()).split('\n')).toHaveLength(4)
    await page.close()
  })

  it('reads a pasted table of classes, and predicts another of its columns when asked', async () => {
    const page = await opened()
    await solved(page)
    const moons = examples['Two moons']!.make()
    const few = { ...moons, rows: moons.rows.slice(0, 24), y: moons.y.slice(0, 24) }
    await paste(page, tableOf({ ...few, classes: ['no', 'yes'] }))
    await solvedAnew(page)
    expect(await text(page, 'claim')).toMatch(/^Proved: no ReLU network of any width/)
    expect(await text(page, 'score')).toMatch(/^\d+(\.\d)? %$/)
    expect(await page.locator('#target option').allTextContents()).toEqual(['x1', 'x2', 'colour'])
    await page.locator('#target').selectOption('x2')
    await solvedAnew(page)
    expect(await text(page, 'score-name')).toBe('error of x2 (RMS)')
    expect(await page.locator('#table').inputValue()).toBe(tableOf({ ...few, classes: ['no', 'yes'] }))
    await page.close()
  })

  let mistaken: Page | undefined
  it.each([
    ['a word among numbers', `x,y\n${Array.from({ length: 12 }, (_, i) => `${i},${i * i}`).join('\n')}\n12,oops`, 'y'],
    ['a row that is too short', 'x,y\n1,2\n3', 'y'],
    ['an open quote', 'x,y\n1,"2\n3,4', 'y'],
    ['no rows', 'x,y\n', 'y'],
    ['a name twice', 'y,y\n1,2', 'y'],
    ['an empty cell', 'x,y\n1,2\n,3', 'y'],
    ['markup', '<img src=x onerror=alert(1)>,y\n1,2\n1', 'y'],
  ])('answers %s with the sentence of the reader', async (_, table, target) => {
    const page = (mistaken ??= await opened())
    const sentence = await readCsv({ text: table, name: 'the table' }, { target }).then(
      () => '',
      (error: Error) => error.message.replace(/^readCsv: /, ''),
    )
    expect(sentence).not.toBe('')
    await paste(page, table)
    await expect.poll(() => text(page, 'sentence')).toBe(sentence)
  })

  it('says what it cannot do with one point, equal heights, or more classes than two', async () => {
    const page = await opened()
    await paste(page, 'x,y\n1,2\n2,2')
    await expect.poll(() => text(page, 'sentence')).toContain('is 2 in every row')
    await paste(page, 'a,b,kind\n1,2,x\n2,2,y\n2,3,z')
    await expect.poll(() => text(page, 'sentence')).toContain('3 classes and this page tells two apart')
    await paste(page, '')
    await expect.poll(() => text(page, 'sentence')).toContain('is empty')
    await page.getByRole('button', { name: 'My curve' }).click()
    const { x, y, width, height } = (await page.locator('#board').boundingBox())!
    await page.mouse.click(x + width / 3, y + height / 2)
    await page.mouse.click(x + width / 2, y + height / 2)
    await expect.poll(() => text(page, 'empty')).toContain('All points have the same y')
    await page.close()
  })

  it('checks the network again, and shows that gradient descent does not pass below the bound', async () => {
    const page = await opened()
    await solved(page)
    await page.locator('#check').click()
    await expect.poll(() => text(page, 'check-result')).toMatch(/pay [\d.]+\. .* can pay less than [\d.]+\.$/)
    const [pays, bound] = [...(await text(page, 'check-result')).matchAll(/(?:pay|than) (0\.\d+)/g)].map(([, number]) =>
      Number(number),
    )
    expect(pays).toBeGreaterThanOrEqual(bound! * (1 - 1e-8))
    expect(pays! / bound!).toBeCloseTo(1, 5)
    await page.locator('#duel').click()
    await expect.poll(() => text(page, 'duel-result'), { timeout: 50_000 }).toContain('cannot pass it')
    const [, adam] = /it pays ([\d.]+)/.exec(await text(page, 'duel-result'))!
    expect(Number(adam)).toBeGreaterThanOrEqual(bound! * (1 - 1e-5))
    await page.close()
  })

  it('gives the network as a file that loadModel reads, and a link that opens to the same picture', async () => {
    const page = await opened()
    await solved(page)
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#download').click()])
    const model = loadModel(await readFile(await download.path(), 'utf8')) as ReluNetwork
    expect(model.width).toBe(Number(await text(page, 'neurons')))
    const { rows, y } = examples.Sine!.make()
    const squares = model.predict(fromRows(rows)).data.map((value, i) => (value - y[i]!) ** 2)
    const error = Math.sqrt(squares.reduce((total, one) => total + one, 0) / y.length)
    expect(Number(await text(page, 'score')) / error).toBeCloseTo(1, 2)

    await page.locator('#lambda').fill('20')
    await page.locator('#link').click()
    const hash = new URL(page.url()).hash
    const again = await opened({ hash })
    await solved(again)
    for (const id of ['neurons', 'score', 'primal', 'lambda-value'])
      expect(await text(again, id)).toBe(await text(page, id))
    await page.close()
    await again.close()
    const broken = await opened({ hash: '#curve=1,2,3;<script>&at=1' })
    await solved(broken)
    expect(await broken.locator('#table').inputValue()).toBe(tableOf(examples.Sine!.make()))
    await broken.close()
  })

  it('fits a phone, and names every control', async () => {
    const page = await opened({ width: 360 })
    await solved(page)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLInputElement>('button, input, select, textarea, canvas')]
        .filter(
          (one) =>
            one.checkVisibility() && !(one.textContent?.trim() || one.getAttribute('aria-label') || one.labels?.length),
        )
        .map(({ id }) => id),
    )
    expect(nameless).toEqual([])
    await page.close()
  })

  it('said no error in all of this, and asked nothing of any network', () => {
    expect(complaints).toEqual([])
  })
})
