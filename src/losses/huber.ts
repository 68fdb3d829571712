import { given } from '../numerics/given.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Loss, LossChoice, Matrix, Vector } from '../types.ts'
import { type Rootable, separableWithIntercept } from './column-root.ts'
import { BOUNDARY } from './exponential.ts'
import { separable } from './separable.ts'
import { entryWeights, rowWeights, type SampleWeights, sampleWeightNames } from './weights.ts'

/** Where the loss turns from squared to linear, and what rows count. */
export interface HuberOptions extends SampleWeights {
  /** The residual from which the loss grows linearly (default 1), in the units of the targets. */
  delta?: number
}

/**
 * F(Z) = (1/(n c)) sum_{r,k} w_r h(z_rk - y_rk), h(e) = e^2/2 for |e| <= delta and delta |e| - delta^2/2 beyond.
 *
 * Squared for small residuals, absolute for large ones, so that outliers pull with a bounded force. Smoothness
 * max w / (n c). With t = n c p / w, F*(P) = (1/(n c)) sum_{r,k} w_r (t^2/2 + t y) where every |t| <= delta, Infinity
 * elsewhere. The weights w are 1 unless given.
 *
 * @throws RangeError when delta is not a positive number.
 */
export function huber(options: HuberOptions = {}): LossChoice {
  requireOptions(options, { ...sampleWeightNames, delta: 'number' }, 'huber')
  const { delta = 1, ...weights } = options
  if (!(delta > 0) || !Number.isFinite(delta))
    throw new RangeError(
      `huber: delta is ${given(delta)}, expected a positive number; pass the size of an ordinary residual.`,
    )
  return {
    name: 'huber',
    over(targets, options = {}) {
      const rows = rowWeights(targets.rows, weights, 'huber')
      return huberOver('huber', targets, rows, delta, options.intercept === true)
    },
  }
}

/** delta = Infinity is the squared loss. */
export function huberOver(name: string, targets: Matrix, weights: Vector, delta: number, intercept: boolean): Loss {
  if (!intercept) return separable(huberEntries(name, targets, weights, delta))
  const { columns, data } = targets
  // The loss does not see a shift of y; without it p'y keeps its digits when the targets are far from zero.
  const shift = Float64Array.from({ length: columns }, (_, column) =>
    median(data.filter((_, k) => k % columns === column)),
  )
  const centred = { ...targets, data: data.map((target, k) => target - shift[k % columns]!) }
  return separableWithIntercept(huberEntries(name, centred, weights, delta), columns, shift)
}

function median(values: Vector): number {
  return values.toSorted()[Math.floor(values.length / 2)] ?? 0
}

function huberEntries(name: string, { columns, data: y }: Matrix, weights: Vector, delta: number): Rootable {
  const entries = entryWeights(weights, columns, y.length)
  const clip = (e: number): number => Math.max(-delta, Math.min(delta, e))
  return {
    name,
    weights: entries,
    curvature: 1,
    value(z, k) {
      const e = z - y[k]!
      const c = clip(e)
      return c * (e - c / 2)
    },
    slope: (z, k) => clip(z - y[k]!),
    conjugate: (p, k) => (Math.abs(p) <= delta * (1 + BOUNDARY) ? p * (p / 2 + y[k]!) : Number.POSITIVE_INFINITY),
    second: (z, k) => (Math.abs(z - y[k]!) <= delta ? 1 : 0),
    own: (z, k) => y[k]! - z,
    settled: 2 ** -52 * median(y.map((target) => Math.abs(target))),
    magnitude: entries.reduce((total, weight, k) => total + weight * Math.abs(y[k]!), 0),
    divergence(to, at, k) {
      const before = clip(at - y[k]!)
      const e = to - y[k]!
      const after = clip(e)
      if (before === at - y[k]! && after === e) return (to - at) ** 2 / 2
      return (after - before) * (e - (after + before) / 2)
    },
    linearAtEnds: true,
    dual: { low: () => -delta, high: () => delta, slope: (p, k) => p + y[k]!, second: () => 1 },
  }
}
