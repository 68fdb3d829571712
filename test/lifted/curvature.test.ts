import { describe, expect, it } from 'vitest'
import { dense } from '../../src/layers/index.ts'
import { curvatureOf } from '../../src/lifted/curvature.ts'
import { backend } from '../../src/numerics/backends/index.ts'
import { matrix } from '../../src/numerics/matrix.ts'
import type { Matrix } from '../../src/types.ts'
import { normals } from './networks.ts'

/** The largest eigenvalue of W W'. */
function exactly(W: Matrix): number {
  const gram = new Float64Array(W.rows * W.rows)
  backend().syrk(false, W.rows, W.columns, 1, W.data, W.columns, 0, gram, W.rows)
  return backend().symmetricEigen(W.rows, gram, W.rows).values[W.rows - 1]!
}

describe('the curvature of large weights', () => {
  const map = dense(50)

  it('is bounded from above, a little, whether it is searched for anew or from where it was', () => {
    const W = normals(40, 50, 3)
    const direction = matrix(1, 50)
    for (let round = 0; round < 10; round++) {
      const truth = exactly(W)
      for (const found of [curvatureOf(map, W), curvatureOf(map, W, direction)]) {
        expect(found).toBeGreaterThan(truth)
        expect(found).toBeLessThan(1.0501 * truth)
      }
      const step = normals(40, 50, 10 + round, 0.05)
      for (let e = 0; e < W.data.length; e++) W.data[e]! += step.data[e]!
    }
  })

  it('is found where weights have grown in a direction of their own', () => {
    const W = matrix(40, 50)
    for (let i = 0; i < 40; i++) W.data[i * 50 + i] = 1
    W.data[0] = 2
    const direction = matrix(1, 50)
    expect(curvatureOf(map, W, direction)).toBeCloseTo(4 * 1.05, 2)
    // The old direction is no better than any other now, and orthogonal to the new one.
    W.data[0] = 1
    W.data[51] = 3
    expect(curvatureOf(map, W, direction)).toBeGreaterThan(9)
  })
})
