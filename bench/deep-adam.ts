import { type DeepNetwork, deepNetwork, identity, type Matrix, matrix, relu } from '../src/index.ts'
import { times, timesTransposed, transposedTimes } from '../src/layers/products.ts'
import { random } from '../src/numerics/random.ts'

/** What lifted networks are compared with: a ReLU network trained by backpropagation. */
export interface AdamOptions {
  hidden: readonly number[]
  batch: number
  epochs: number
  /** First step size; it falls to 0 along a half cosine. */
  rate: number
  seed: number
}

/** Every array that training holds, for a count of bytes. */
export interface AdamRun {
  readonly network: () => DeepNetwork
  /** One batch a step. */
  readonly steps: Generator<number, void>
}

/**
 * Adam (Kingma and Ba 2015, beta 0.9 and 0.999) on cross-entropy (or |z - y|^2 / 2 with `squared`), He's start, the
 * products on the same backend as everything else. Yields the epoch after every batch.
 */
export function adam(X: Matrix, y: Matrix, options: AdamOptions & { squared?: boolean }): AdamRun {
  const { hidden, batch, epochs, rate, seed, squared = false } = options
  const draws = random(seed)
  const sizes = [X.columns, ...hidden, y.columns]
  const layers = sizes.slice(1).map((units, k) => {
    const W = matrix(units, sizes[k]!)
    for (let e = 0; e < W.data.length; e++) W.data[e] = Math.sqrt(2 / sizes[k]!) * draws.normal()
    const like = () => [matrix(units, sizes[k]!), new Float64Array(units)] as const
    return { W, b: new Float64Array(units), gradient: like(), first: like(), second: like() }
  })
  const m = Math.min(batch, X.rows)
  const rows = sizes.map((size) => matrix(m, size))
  const slopes = sizes.map((size) => matrix(m, size))
  const target = matrix(m, y.columns)
  const perEpoch = Math.floor(X.rows / m)
  const total = epochs * perEpoch

  function* steps(): Generator<number, void> {
    let t = 0
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const order = draws.permutation(X.rows)
      for (let q = 0; q < perEpoch; q++) {
        for (let i = 0; i < m; i++) {
          const r = order[q * m + i]!
          rows[0]!.data.set(X.data.subarray(r * X.columns, (r + 1) * X.columns), i * X.columns)
          target.data.set(y.data.subarray(r * y.columns, (r + 1) * y.columns), i * y.columns)
        }
        forward()
        backward()
        t++
        const step = ((rate * (1 + Math.cos((Math.PI * (t - 1)) / total))) / 2) * Math.sqrt(1 - 0.999 ** t)
        for (const { W, b, gradient, first, second } of layers) {
          update(W.data, gradient[0].data, first[0].data, second[0].data, step / (1 - 0.9 ** t))
          update(b, gradient[1], first[1], second[1], step / (1 - 0.9 ** t))
        }
        yield epoch
      }
    }
  }

  function forward(): void {
    layers.forEach(({ W, b }, k) => {
      const Z = timesTransposed(rows[k]!, W, rows[k + 1]!)
      const last = k === layers.length - 1
      for (let e = 0; e < Z.data.length; e++) {
        const z = Z.data[e]! + b[e % b.length]!
        Z.data[e] = last || z > 0 ? z : 0
      }
    })
  }

  function backward(): void {
    const Z = rows.at(-1)!
    const P = slopes.at(-1)!
    const c = Z.columns
    for (let i = 0; i < m; i++) {
      let top = Number.NEGATIVE_INFINITY
      for (let k = 0; k < c; k++) top = Math.max(top, Z.data[i * c + k]!)
      let sum = 0
      for (let k = 0; k < c; k++) sum += Math.exp(Z.data[i * c + k]! - top)
      for (let k = 0; k < c; k++) {
        const e = i * c + k
        const answer = squared ? Z.data[e]! : Math.exp(Z.data[e]! - top) / sum
        P.data[e] = (answer - target.data[e]!) / m
      }
    }
    for (let k = layers.length - 1; k >= 0; k--) {
      const { W, gradient } = layers[k]!
      const back = slopes[k + 1]!
      transposedTimes(back, rows[k]!, gradient[0])
      gradient[1].fill(0)
      for (let e = 0; e < back.data.length; e++) gradient[1][e % gradient[1].length]! += back.data[e]!
      if (k === 0) continue
      const before = times(back, W, slopes[k]!)
      for (let e = 0; e < before.data.length; e++) if (!(rows[k]!.data[e]! > 0)) before.data[e] = 0
    }
  }

  return {
    steps: steps(),
    network: () =>
      deepNetwork(
        layers.map(({ W, b }, k) => ({
          W: matrix(W.rows, W.columns, W.data.slice()),
          b: b.slice(),
          activation: k === layers.length - 1 ? identity() : relu(),
        })),
      ),
  }
}

function update(w: Float64Array, g: Float64Array, first: Float64Array, second: Float64Array, step: number): void {
  for (let e = 0; e < w.length; e++) {
    first[e] = 0.9 * first[e]! + 0.1 * g[e]!
    second[e] = 0.999 * second[e]! + 0.001 * g[e]! * g[e]!
    w[e]! -= (step * first[e]!) / (Math.sqrt(second[e]!) + 1e-8)
  }
}
