import { beforeAll, describe, expect, it } from 'vitest'
import { loadModel, type ReluRegressor } from '../../src/estimators/index.ts'
import { workplace } from '../support/cli.ts'
import { csv, houses } from '../support/tables.ts'

const { run, start, write, read } = workplace()
/** Far more work than a test would wait for. */
const endless = ['--gates', '300', '--lambda', '1e-7', '--tolerance', '1e-14', '--max-iterations', '100000000']

beforeAll(async () => {
  const { header, rows } = houses(120)
  await write('houses.csv', csv(header, rows))
})

describe('Ctrl-C', () => {
  it('ends a fit with 1, its best network written with status aborted and fit to predict with', async () => {
    const { child, says, outcome } = start(['fit', 'houses.csv', '-t', 'price', ...endless, '-o', 'aborted.json'])
    await says('training: iteration')
    child.kill('SIGINT')
    const { code, stdout, stderr } = await outcome
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ {2}status {6}aborted in/m)
    expect(stderr).toMatch(/^ *\d+ % {2}training: iteration \d+, objective \S+, gap \S+( %)?\n/)
    expect(stderr).toMatch(/^Stopping; press Ctrl-C again to end at once\.$/m)
    expect(stderr).toMatch(/^Stopped on request after \d+ iterations: this is the best network so far\.$/m)
    const { status, certificate, iterations } = loadModel(await read('aborted.json')) as ReluRegressor
    expect(status).toBe('aborted')
    expect(iterations).toBeGreaterThan(1)
    expect(certificate.dual).toBeLessThan(certificate.primal)
    const predicted = await run('predict', 'aborted.json', 'houses.csv')
    expect(predicted.code).toBe(0)
    expect(Number(/R² ([\d.]+)/.exec(predicted.stderr)![1])).toBeGreaterThan(0.9)
  })

  it('ends a cross-validation too, and says that the network is hardly trained', async () => {
    const slow = ['--gates', '300', '--max-iterations', '100000000', '-o', 'early.json']
    const { child, says, outcome } = start(['fit', 'houses.csv', '-t', 'price', ...slow], { terminal: true })
    await says('choosing lambda')
    child.kill('SIGINT')
    const { code, stderr } = await outcome
    expect(code).toBe(1)
    expect(stderr).toContain('Stopped while lambda was being chosen, so the network is hardly trained')
    expect(loadModel(await read('early.json'))).toMatchObject({ status: 'aborted' })
  })

  it('ends a path with the points so far', async () => {
    const flags = ['--gates', '300', '--ratio', '1e-7', '--tolerance', '1e-14', '--max-iterations', '100000000']
    const { child, says, outcome } = start(['path', 'houses.csv', '-t', 'price', ...flags, '-o', 'part.csv'], {
      terminal: true,
    })
    await says('neurons')
    child.kill('SIGINT')
    const { code, stdout } = await outcome
    expect(code).toBe(1)
    const written = (await read('part.csv')).trimEnd().split('\n')
    expect(written.at(-1)).toMatch(/,aborted$/)
    expect(stdout.trimEnd().split('\n')).toHaveLength(written.length + 1)
  })

  it('ends a decimal verification with 1 and nothing else to say', async () => {
    const ridge = ['--gates', '300', '--lambda', '0.01', '--penalty', 'ridge', '--json', '-o', 'ridge.json']
    expect((await run('fit', 'houses.csv', '-t', 'price', ...ridge)).code).toBe(0)
    const { child, says, outcome } = start(['verify', 'ridge.json', 'houses.csv', '--precision', '5000'], {
      terminal: true,
    })
    await says('decimal arithmetic')
    child.kill('SIGINT')
    const { code, stdout, stderr } = await outcome
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/Stopping; press Ctrl-C again to end at once\.\n$/)
  })
})

describe('progress', () => {
  it('is a bar on a terminal that is gone in the end, with the cursor back', async () => {
    const { outcome } = start(['fit', 'houses.csv', '-t', 'price', '--gates', '20', '--lambda', '0.02'], {
      terminal: true,
    })
    const { code, stderr } = await outcome
    expect(code).toBe(0)
    expect(stderr).toMatch(/[█░]{24} +\d+ % {2}training: iteration \d+, objective 0\.\d+, gap/)
    const hide = '\u001b[?25l'
    const show = '\u001b[?25h'
    expect(stderr.lastIndexOf(show)).toBeGreaterThan(stderr.lastIndexOf(hide))
    expect(stderr.slice(stderr.lastIndexOf('\u001b[2K'))).not.toMatch(/[█░]/)
  })

  it('is gone before Ctrl-C is answered, and does not come back', async () => {
    const { child, says, outcome } = start(['fit', 'houses.csv', '-t', 'price', ...endless], { terminal: true })
    await says('training: iteration')
    child.kill('SIGINT')
    const { stderr } = await outcome
    const answer = stderr.slice(stderr.indexOf('Stopping'))
    expect(answer).toMatch(/^Stopping; press Ctrl-C again to end at once\.\nStopped on request after \d+ iterations/)
    expect(answer).not.toContain('\u001b')
  })

  it('is not there with --quiet and with --json', async () => {
    for (const flag of ['--quiet', '--json']) {
      const quick = ['--gates', '20', '--lambda', '0.02', flag]
      const { stderr } = await start(['fit', 'houses.csv', '-t', 'price', ...quick], { terminal: true }).outcome
      expect(stderr).toBe('')
    }
  })
})
