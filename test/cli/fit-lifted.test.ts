import { beforeAll, describe, expect, it } from 'vitest'
import { LiftedClassifier, LiftedRegressor, loadModel } from '../../src/estimators/index.ts'
import { toRows } from '../../src/numerics/matrix.ts'
import { workplace } from '../support/cli.ts'
import { bent, rays } from '../support/planted.ts'

const { run, write, read } = workplace()

beforeAll(async () => {
  const { X, y } = bent(80)
  await write('bent.csv', ['a,b,c,y', ...toRows(X).map((row, r) => [...row, y[r]].join(','))].join('\n'))
  const { X: points, labels } = rays(90, ['red', 'green', 'blue'])
  await write('rays.csv', ['u,v,colour', ...toRows(points).map((row, r) => [...row, labels[r]].join(','))].join('\n'))
})

describe('fit with a lifted program', () => {
  it.each(['fenchel', 'lpom', 'tikhonov'])(
    'trains %s on classes, says that nothing bounds it, and its file predicts',
    async (program) => {
      const flags = ['-t', 'colour', '--program', program, '--layers', '2,24,3', '--sweeps', '60', '--tolerance', '0.5']
      const { stdout } = await run('fit', 'rays.csv', ...flags, '--out', 'model.json')
      expect(stdout).toMatch(/^ {2}guarantee {3}none of the whole/m)
      expect(stdout).toMatch(/^ {2}neurons {5}24 in 1 hidden layer$/m)
      const model = loadModel(await read('model.json'))
      expect(model).toBeInstanceOf(LiftedClassifier)
      const predicted = await run('predict', 'model.json', 'rays.csv', '--json')
      expect(JSON.parse(predicted.stdout).score.accuracy).toBeGreaterThan(0.85)
    },
  )

  it('trains a regression, in batches too, and prints JSON', async () => {
    const flags = ['-t', 'y', '--program', 'fenchel', '--hidden', '16,8', '--batch', '16', '--sweeps', '30', '--json']
    const { code, stdout } = await run('fit', 'bent.csv', ...flags, '--activation', 'elu', '--out', 'bent.json')
    const { status, sweeps, hidden, measure, neurons, scores } = JSON.parse(stdout)
    expect({ code, status, sweeps, hidden, neurons }).toEqual({
      ...{ code: 1, status: 'iteration-limit', sweeps: 30, hidden: [16, 8], neurons: 24 },
    })
    expect(measure.certificate.scope).toBe('block')
    expect(scores.train.r2).toBeGreaterThan(0.5)
    expect(loadModel(await read('bent.json'))).toBeInstanceOf(LiftedRegressor)
  })

  it('exits with 0 when every block is at rest, and with 1 and advice when not', async () => {
    const flags = ['fit', 'bent.csv', '-t', 'y', '--program', 'fenchel', '--hidden', '4']
    expect((await run(...flags, '--tolerance', '0.5')).code).toBe(0)
    const { code, stderr } = await run(...flags, '--sweeps', '2')
    expect(code).toBe(1)
    expect(stderr).toContain('Stopped after 2 sweeps, before every block was at rest; raise --sweeps or --tolerance.')
  })

  it.each([
    [['--layers', '5,8,1'], '--layers is 5,8,1 and bent.csv has 3 features and 1 output; pass 3,<widths>,1'],
    [['--layers', '3,8,1', '--hidden', '8'], '--layers and --hidden both name the hidden layers'],
    [['--gates', '10'], '--gates does not belong to --program fenchel; leave it out.'],
    [['--no-bias'], '--no-bias does not belong to --program fenchel; leave it out.'],
    [['--gate-order', '1'], '--gate-order does not belong to --program fenchel; leave it out.'],
    [['--gate-draw', 'normal'], '--gate-draw does not belong to --program fenchel; leave it out.'],
  ])('refuses %s', async (flags, sentence) => {
    const { code, stderr } = await run('fit', 'bent.csv', '-t', 'y', '--program', 'fenchel', ...flags)
    expect(code).toBe(2)
    expect(stderr).toContain(sentence)
  })

  it('refuses its flags with a convex program, and verify a lifted model', async () => {
    const wrong = await run('fit', 'bent.csv', '-t', 'y', '--hidden', '8')
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('--hidden does not belong to --program gated-relu; leave it out.')
    await run('fit', 'bent.csv', '-t', 'y', '--program', 'lpom', '--hidden', '4', '--sweeps', '2', '--out', 'lpom.json')
    const verified = await run('verify', 'lpom.json', 'bent.csv')
    expect(verified.code).toBe(2)
    expect(verified.stderr).toContain('lpom.json is a lifted lpom network, which no lower bound belongs to')
  })
})
