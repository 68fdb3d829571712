import { dot, norm, plus } from '../src/numerics/vectors.ts'
import type { BlockMaps, Loss, LossHessian, Step, Vector } from '../src/types.ts'
import { type NystromModel, nystromModel } from './nystrom-model.ts'
import { someRows } from './nystrom-newton.ts'

/**
 * minimise over theta   F(K theta) + theta'K theta / 2 ,   K = blockdiag_k( sum_b eta_bk A_b A_b' ) for the outputs k:
 *
 * what is left of a program with group norms when the weights eta are fixed. At the minimum theta = -dF(K theta).
 *
 * Newton's method: with rho = -dF(z) - theta at the fit z = K theta and d2F(z) = S S', the step is delta = rho - S beta with
 *
 *     (I + S'K S) beta = S'K rho ,
 *
 * solved by conjugate gradients, preconditioned output by output by a Nystrom model of I + E K E, E^2 a diagonal near d2F. Rows
 * with next to no curvature are left out of the system. They are those that the network is sure of, which near an optimum of a
 * classification are most.
 */
export interface KernelRegression {
  /** n x outputs, changed in place, and the fit that belongs to it at the weights of the last `settle`. */
  readonly theta: Vector
  readonly fit: Vector
  /** theta of one output. */
  column(output: number): Vector
  /** Weights to begin with for one output: the `FEW` blocks of largest |A_b'theta|, all alike, and these then near lambda. */
  begin(output: number, lengths: Vector, lambda: number): Vector
  /** Moves theta near enough to the minimum for a relative gap of `gap`. Yields `at` between products. */
  settle(eta: readonly Vector[], gap: number, at: Step): Generator<Step, void>
  /** The model of I + E K E for one output at those weights, on the rows that were kept, and the maps on them. */
  model(output: number): { maps: BlockMaps; model: NystromModel }
}

const opt = (name: string, value: number): number => Number(process.env[name] ?? value)
const LOG = process.env.LOG === '1'
/** Squares of the residual, of conjugate gradients and of theta, over what a step or the gap leave to gain. */
const FORCING = opt('FORCING', 0.2)
const FINE = opt('FINE', 1)
const MOST = opt('MOST', 60)
const NEWTONS = opt('NEWTONS', 3)
/** The share of all curvature that is left out with the rows that have the least. */
const DROPPED = opt('DROPPED', 0.01)
const FEW = 100

export function kernelRegression({
  maps,
  loss,
  landmarks,
  seed,
}: {
  maps: BlockMaps
  loss: Loss
  landmarks: number
  seed: number
}): KernelRegression {
  const { rows: n, outputs, count: P, size: d } = maps
  const all = Int32Array.from({ length: P }, (_, b) => b)
  const theta = new Float64Array(n * outputs)
  const fit = new Float64Array(n * outputs)
  const slope = new Float64Array(n * outputs)
  let kept: Kept | undefined

  /** K v, for v and the product each on all rows or on those of `some`. */
  const times = (eta: readonly Vector[], from: BlockMaps, to: BlockMaps, v: Vector): Vector => {
    const out = new Float64Array(to.rows * outputs)
    for (let k = 0; k < outputs; k++) {
      const active = all.filter((b) => eta[k]![b]! > 0)
      if (active.length === 0) continue
      const found = from.correlations(active, columnOf(v, k, outputs))
      active.forEach((b, i) => {
        for (let j = i * d; j < (i + 1) * d; j++) found[j]! *= eta[k]![b]!
      })
      const image = to.combination!(active, found)
      for (let r = 0; r < to.rows; r++) out[r * outputs + k] = image[r]!
    }
    return out
  }

  const curvature = (): RowHessian => hessianOf(loss, fit)

  return {
    theta,
    fit,
    column: (output) => columnOf(theta, output, outputs),
    begin(output, lengths, lambda) {
      const H = curvature()
      const own = (kept ??= keep(maps, H, landmarks, seed))
      const first = all
        .slice()
        .sort((a, b) => lengths[b]! - lengths[a]! || a - b)
        .slice(0, FEW)
        .sort()
      const e = columnOf(own.gather(H.diagonal), output, outputs).map(Math.sqrt)
      const model = own.models[output]!
      model.sketch(first, new Float64Array(first.length).fill(1), e)
      const target = columnOf(own.gather(theta), output, outputs).map((entry, r) => (e[r]! > 0 ? entry / e[r]! : 0))
      const some = first.filter((_, i) => i % 4 === 0)
      let [low, high] = [1e-12 / lambda, 1e3 / lambda]
      for (let s = 0; s < 20; s++) {
        const t = Math.sqrt(low * high)
        const back = model.solve(target, t).map((entry, r) => entry * e[r]!)
        const found = own.maps.correlations(some, back)
        let total = 0
        for (let i = 0; i < some.length; i++) total += norm(found.subarray(i * d, (i + 1) * d))
        if (total > lambda * some.length) low = t
        else high = t
      }
      const eta = new Float64Array(P)
      for (const b of first) eta[b] = low
      return eta
    },
    *settle(eta, gap, at) {
      fit.set(times(eta, maps, maps, theta))
      yield at
      // Weights have moved: the multiple of theta that is best for them.
      const shrink = lowest(loss, new Float64Array(fit.length), fit, 0, dot(theta, fit), slope)
      for (let k = 0; k < fit.length; k++) {
        theta[k]! *= shrink
        fit[k]! *= shrink
      }
      for (let newton = 0; newton < NEWTONS; newton++) {
        loss.gradient(fit, slope)
        const rho = plus(slope, 1, theta).map((entry) => -entry)
        const H = curvature()
        const t0 = process.cpuUsage().user
        if (newton === 0) {
          kept = keep(maps, H, landmarks, seed)
          for (let k = 0; k < outputs; k++) {
            const active = all.filter((b) => eta[k]![b]! > 0)
            const e = columnOf(kept.gather(H.diagonal), k, outputs).map(Math.sqrt)
            kept.models[k]!.sketch(
              active,
              active.length > 0 ? Float64Array.from(active, (b) => eta[k]![b]!) : new Float64Array(0),
              e,
            )
            yield at
          }
        }
        const some = kept!
        const t1 = process.cpuUsage().user
        const Krho = times(eta, maps, maps, rho)
        yield at
        const gain = dot(rho, Krho)
        const rowsRho = some.gather(rho)
        const precondition = (v: Vector): Vector => {
          const out = new Float64Array(v.length)
          for (let k = 0; k < outputs; k++) {
            const found = some.models[k]!.solve(columnOf(v, k, outputs))
            for (let r = 0; r < found.length; r++) out[r * outputs + k] = found[r]!
          }
          return some.gather(H.project(some.scatter(out)))
        }
        const root = (v: Vector): Vector => some.gather(H.root(some.scatter(v)))
        const rootAdjoint = (v: Vector): Vector => some.gather(H.rootAdjoint(some.scatter(v)))
        const residual = rootAdjoint(some.gather(Krho))
        const beta = new Float64Array(residual.length)
        const KSbeta = new Float64Array(residual.length)
        let conditioned = precondition(residual)
        let search = conditioned.slice()
        let size = dot(residual, conditioned)
        let its = 0
        for (; its < MOST && dot(residual, residual) > FORCING ** 2 * Math.abs(gain - dot(rowsRho, KSbeta)); its++) {
          const KS = times(eta, some.maps, some.maps, root(search))
          const image = plus(rootAdjoint(KS), 1, search)
          const t = size / dot(search, image)
          if (!(t > 0)) break
          plus(beta, t, search, beta)
          plus(KSbeta, t, KS, KSbeta)
          plus(residual, -t, image, residual)
          conditioned = precondition(residual)
          const next = dot(residual, conditioned)
          search = plus(conditioned, next / size, search)
          size = next
          yield at
        }
        const step = root(beta)
        const delta = plus(rho, -1, some.scatter(step))
        const move = plus(Krho, -1, some.whole ? KSbeta : times(eta, some.maps, maps, step))
        yield at
        const down = -dot(rho, move)
        const t = lowest(loss, fit, move, dot(theta, move), dot(delta, move), slope)
        plus(theta, t, delta, theta)
        plus(fit, t, move, fit)
        if (LOG)
          console.log(
            `   newton ${newton}: rows ${some.maps.rows} ${its} cg, t ${t.toPrecision(3)}, down ${down.toPrecision(3)}; sketch ${((t1 - t0) / 1e6).toFixed(2)} cg ${((process.cpuUsage().user - t1) / 1e6).toFixed(2)}`,
          )
        if (-down < FINE * gap * loss.value(fit)) break
      }
    },
    model: (output) => ({ maps: kept!.maps, model: kept!.models[output]! }),
  }
}

/** Rows with all but a small share of the curvature, the maps on them, and a model for each output. */
interface Kept {
  readonly maps: BlockMaps
  readonly models: readonly NystromModel[]
  /** Whether they are all rows. */
  readonly whole: boolean
  /** From all rows to those kept, and back with zeros elsewhere. */
  gather(v: Vector): Vector
  scatter(v: Vector): Vector
}

function keep(maps: BlockMaps, H: LossHessian, landmarks: number, seed: number): Kept {
  const { rows: n, outputs } = maps
  const total = new Float64Array(n)
  for (let k = 0; k < H.diagonal.length; k++) total[Math.floor(k / outputs)]! += H.diagonal[k]!
  const order = Int32Array.from(total.keys()).sort((a, b) => total[b]! - total[a]! || a - b)
  let open = DROPPED * total.reduce((sum, entry) => sum + entry, 0)
  let count = n
  while (count > 1 && total[order[count - 1]!]! <= open) open -= total[order[--count]!]!
  const whole = !maps.onRows || count > WORTH * n
  const chosen = whole ? Int32Array.from(total.keys()) : order.slice(0, count).sort()
  const some = whole ? maps : maps.onRows!(chosen)
  const marks = someRows(some.rows, Math.min(landmarks, some.rows), seed)
  const sketched = some.sketch!(marks)
  return {
    maps: some,
    models: Array.from({ length: outputs }, () => nystromModel(some, marks, sketched)),
    whole,
    gather(v) {
      if (whole) return v
      const out = new Float64Array(chosen.length * outputs)
      chosen.forEach((row, r) => {
        for (let k = 0; k < outputs; k++) out[r * outputs + k] = v[row * outputs + k]!
      })
      return out
    },
    scatter(v) {
      if (whole) return v
      const out = new Float64Array(n * outputs)
      chosen.forEach((row, r) => {
        for (let k = 0; k < outputs; k++) out[row * outputs + k] = v[r * outputs + k]!
      })
      return out
    },
  }
}

/** Fewer rows are worth a copy of theirs when they are this share. */
const WORTH = 0.8

/** t in [0, 1] that minimises F(z + t m) + a t + q t^2 / 2. */
function lowest(loss: Loss, z: Vector, m: Vector, a: number, q: number, slope: Vector): number {
  const derivative = (t: number): number => dot(loss.gradient(plus(z, t, m), slope), m) + a + q * t
  if (!(derivative(1) > 0)) return 1
  let [low, high] = [0, 1]
  for (let k = 0; k < 12; k++) {
    const t = (low + high) / 2
    if (derivative(t) > 0) high = t
    else low = t
  }
  return low
}

function columnOf(v: Vector, k: number, outputs: number): Vector {
  const out = new Float64Array(v.length / outputs)
  for (let r = 0; r < out.length; r++) out[r] = v[r * outputs + k]!
  return out
}

type RowHessian = LossHessian

/** The second derivative of a loss that has one, of a sum over entries too. */
function hessianOf(loss: Loss, fit: Vector): RowHessian {
  if (loss.hessian) return loss.hessian(fit)
  const diagonal = loss.curvatures!(fit)
  const roots = diagonal.map(Math.sqrt)
  const times = (v: Vector, out: Vector = new Float64Array(v.length)): Vector => {
    for (let k = 0; k < v.length; k++) out[k] = roots[k]! * v[k]!
    return out
  }
  return { diagonal, root: times, rootAdjoint: times, project: (v) => v }
}
