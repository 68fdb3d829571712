import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ReluClassifier, ReluRegressor, reluNetwork, writeNpy } from '../../src/index.ts'
import { normals } from '../lifted/networks.ts'
import { root } from '../support/build.ts'

/** Whether there is a Python with NumPy to run the script. */
function hasNumpy(): boolean {
  try {
    execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const available = hasNumpy()
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'numpy-'))
})
afterAll(() => rm(folder, { recursive: true }))

const X = normals(30, 3, 1, 4)

async function python(model: object): Promise<string[]> {
  await writeFile(join(folder, 'model.json'), JSON.stringify(model))
  await writeNpy(join(folder, 'rows.npy'), X)
  const args = [join(root, 'notebooks/predict.py'), join(folder, 'model.json'), join(folder, 'rows.npy')]
  return execFileSync('python3', args, { encoding: 'utf8' }).trim().split('\n')
}

describe.skipIf(!available)(
  `notebooks/predict.py${available ? '' : ': skipped, there is no python3 with numpy'}`,
  () => {
    const y = Array.from({ length: 30 }, (_, i) => 50 + X.data[3 * i]!)

    it('predicts numbers as the model does', async () => {
      for (const model of [
        new ReluRegressor({ gates: 15, lambda: 0.02 }).train(X, y),
        new ReluRegressor({ gates: 15, lambda: 0.02, program: 'relu' }).train(X, y),
      ]) {
        const expected = model.predict(X) as number[]
        ;(await python(model)).forEach((line, k) => {
          expect(Number(line)).toBeCloseTo(expected[k]!, 8)
        })
      }
      const none = reluNetwork({
        ...{ W1: normals(0, 3, 1), b1: new Float64Array(0), W2: normals(0, 1, 1) },
        intercept: Float64Array.of(2),
      })
      expect(new Set((await python(none)).map(Number))).toEqual(new Set([2]))
    })

    it('predicts classes as the model does', async () => {
      for (const count of [2, 3]) {
        const names = Array.from({ length: 30 }, (_, i) => `class ${i % count}`)
        const model = new ReluClassifier({ gates: 15, lambda: 0.02 }).train(X, names)
        expect(await python(model)).toEqual(model.predict(X))
      }
    })
  },
)
