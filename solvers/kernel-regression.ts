import { dot, plus } from '../src/numerics/vectors.ts'
import type { BlockMaps, Loss, LossHessian, Step, Vector } from '../src/types.ts'
import { type CurvedRows, curvedRows } from './curved-rows.ts'
import type { NystromModel } from './nystrom-model.ts'
import { evenWeights, strongest } from './nystrom-steps.ts'

/** What a kernel regression is of, and how its kernels are sketched: see `nystromNewtonCg`. */
export interface KernelRegressionOptions {
  readonly maps: BlockMaps
  readonly loss: Loss
  readonly landmarks: number
  readonly seed: number
}

/**
 * minimise over theta   F(K theta) + theta'K theta / 2 ,   K = blockdiag_k( sum_b eta_bk A_b A_b' ) for the outputs k:
 *
 * what is left of a program with group norms when the weights eta are fixed. At the minimum theta = -dF(K theta).
 *
 * Newton's method: with rho = -dF(z) - theta at the fit z = K theta and d2F(z) = S S', the step is delta = rho - S beta with
 *
 *     (I + S'K S) beta = S'K rho ,
 *
 * solved by conjugate gradients and preconditioned output by output with a Nystrom model of I + E K E, E^2 the diagonal of
 * d2F. A residual s of this system leaves the step short of what it may gain by at most |s|^2 / 2. Rows with next to no curvature
 * are left out of the system: those that a classifier is sure of, which near an optimum are many.
 */
export interface KernelRegression {
  /** n x outputs, changed in place, and the fit K theta that belongs to it once it is settled. */
  readonly theta: Vector
  readonly fit: Vector
  /** theta of one output. */
  column(output: number): Vector
  /** Weights to begin with for one output: a few blocks of largest |A_b'theta|, all alike, so that these are then near lambda. */
  begin(output: number, lengths: Vector, lambda: number): Vector
  /** Moves theta near enough to the minimum for a relative gap of `gap`. Yields `at` between products. */
  settle(eta: readonly Vector[], gap: number, at: Step): Generator<Step, void>
  /** The model of I + E K E for one output at those weights. */
  model(output: number): NystromModel
}

/** Conjugate gradients end where their residual is this share of the root of what the step gains, or after so many. */
const FORCING = 0.2
const MOST = 200
/** Newton steps end when one gains no more than the gap leaves open, or after so many. */
const STEPS = 8
/** The models are made anew where their system took more iterations than this, or the step was shorter. */
const OFTEN = 30
const SHORT = 0.5
/** Rounds that the weight of a cold start is searched for. */
const ROUNDS = 10

export function kernelRegression({ maps, loss, landmarks, seed }: KernelRegressionOptions): KernelRegression {
  const { rows: n, outputs, count: P, size: d } = maps
  const all = Int32Array.from({ length: P }, (_, b) => b)
  const theta = new Float64Array(n * outputs)
  const fit = new Float64Array(n * outputs)
  const slope = new Float64Array(n * outputs)
  const zero = new Float64Array(n * outputs)
  const storage: Float32Array[] = []
  let rows: CurvedRows | undefined

  /** K v for v on the rows of `from`, and the product on those of `to`. */
  const multiplier = (eta: readonly Vector[], from: BlockMaps, to: BlockMaps): ((v: Vector) => Vector) => {
    const active = eta.map((of) => all.filter((b) => of[b]! > 0))
    const blocks = Int32Array.from(active.flatMap((of) => [...of]))
    const which = Int32Array.from(active.flatMap((of, k) => [...of].map(() => k)))
    const weights = Float64Array.from(blocks, (b, i) => eta[which[i]!]![b]!)
    const back = from.pairs!(blocks, which)
    const there = from === to ? back : to.pairs!(blocks, which)
    return (v) => {
      const found = back.adjoint(v)
      for (let i = 0, j = 0; i < blocks.length; i++) for (let e = 0; e < d; e++) found[j++]! *= weights[i]!
      return there.apply(found)
    }
  }

  /** Chooses the rows, and sketches the kernel of every output on them. */
  function* sketch(eta: readonly Vector[], H: LossHessian, at: Step): Generator<Step, CurvedRows> {
    const chosen = curvedRows(maps, H, { landmarks, seed, storage })
    const diagonal = chosen.gather(H.diagonal)
    for (let k = 0; k < outputs; k++) {
      const active = all.filter((b) => eta[k]![b]! > 0)
      const weights = Float64Array.from(active, (b) => eta[k]![b]!)
      chosen.models[k]!.sketch(active, weights, columnOf(diagonal, k, outputs).map(Math.sqrt))
      yield at
    }
    return chosen
  }

  /** S beta and K S beta on the chosen rows, and how many iterations that took. */
  function* conjugateGradients(
    eta: readonly Vector[],
    some: CurvedRows,
    H: LossHessian,
    rho: Vector,
    Krho: Vector,
    at: Step,
  ): Generator<Step, { step: Vector; image: Vector; iterations: number }> {
    const root = (v: Vector): Vector => some.gather(H.root(some.scatter(v)))
    const rootAdjoint = (v: Vector): Vector => some.gather(H.rootAdjoint(some.scatter(v)))
    const precondition = (v: Vector): Vector => {
      const out = new Float64Array(v.length)
      for (let k = 0; k < outputs; k++) {
        const found = some.models[k]!.solve(columnOf(v, k, outputs))
        for (let r = 0; r < found.length; r++) out[r * outputs + k] = found[r]!
      }
      return some.gather(H.project(some.scatter(out)))
    }
    const most = dot(rho, Krho)
    const own = some.gather(rho)
    const residual = rootAdjoint(some.gather(Krho))
    const beta = new Float64Array(residual.length)
    const image = new Float64Array(residual.length)
    let conditioned = precondition(residual)
    let search: Vector = conditioned.slice()
    let size = dot(residual, conditioned)
    let iterations = 0
    const times = multiplier(eta, some.maps, some.maps)
    while (iterations < MOST && dot(residual, residual) > FORCING ** 2 * Math.abs(most - dot(own, image))) {
      const K = times(root(search))
      const moved = plus(rootAdjoint(K), 1, search)
      const t = size / dot(search, moved)
      if (!(t > 0)) break
      plus(beta, t, search, beta)
      plus(image, t, K, image)
      plus(residual, -t, moved, residual)
      conditioned = precondition(residual)
      const next = dot(residual, conditioned)
      search = plus(conditioned, next / size, search)
      size = next
      iterations++
      yield at
    }
    return { step: root(beta), image, iterations }
  }

  return {
    theta,
    fit,
    column: (output) => columnOf(theta, output, outputs),
    begin(output, lengths, lambda) {
      const H = hessianOf(loss, fit)
      rows ??= curvedRows(maps, H, { landmarks, seed, storage })
      const { maps: some, models, gather } = rows
      const first = strongest(lengths)
      const e = columnOf(gather(H.diagonal), output, outputs).map(Math.sqrt)
      const model = models[output]!
      model.sketch(first, new Float64Array(first.length).fill(1), e)
      const target = columnOf(gather(theta), output, outputs)
      for (let r = 0; r < e.length; r++) target[r] = e[r]! > 0 ? target[r]! / e[r]! : 0
      return evenWeights(some, first, lambda, { low: 1e-12 / lambda, high: 1e3 / lambda, rounds: ROUNDS }, (t) => {
        const back = model.solve(target, t)
        for (let r = 0; r < e.length; r++) back[r]! *= e[r]!
        return back
      })
    },
    *settle(eta, gap, at) {
      const times = multiplier(eta, maps, maps)
      fit.set(times(theta))
      yield at
      // The weights have moved: first the multiple of theta that is best for them.
      const shrink = lowest(loss, zero, fit, 0, dot(theta, fit), slope)
      for (let k = 0; k < fit.length; k++) {
        theta[k]! *= shrink
        fit[k]! *= shrink
      }
      let stale = true
      for (let taken = 0; taken < STEPS; taken++) {
        loss.gradient(fit, slope)
        const rho = plus(slope, 1, theta)
        for (let k = 0; k < rho.length; k++) rho[k] = -rho[k]!
        const H = hessianOf(loss, fit)
        if (stale) rows = yield* sketch(eta, H, at)
        const some = rows!
        const Krho = times(rho)
        yield at
        const { step, image, iterations } = yield* conjugateGradients(eta, some, H, rho, Krho, at)
        const delta = plus(rho, -1, some.scatter(step))
        const move = plus(Krho, -1, some.whole ? image : multiplier(eta, some.maps, maps)(step))
        yield at
        const t = lowest(loss, fit, move, dot(theta, move), dot(delta, move), slope)
        plus(theta, t, delta, theta)
        plus(fit, t, move, fit)
        stale = iterations > OFTEN || t < SHORT
        // rho'move: how fast the objective falls along the step.
        if (dot(rho, move) < gap * loss.value(fit)) break
      }
    },
    model: (output) => rows!.models[output]!,
  }
}

/** t in [0, 1] that minimises F(z + t m) + a t + q t^2 / 2, by bisection of its slope. */
function lowest(loss: Loss, z: Vector, m: Vector, a: number, q: number, slope: Vector): number {
  const rises = (t: number): boolean => dot(loss.gradient(plus(z, t, m), slope), m) + a + q * t > 0
  if (!rises(1)) return 1
  let [low, high] = [0, 1]
  for (let k = 0; k < 12; k++) {
    const t = (low + high) / 2
    if (rises(t)) high = t
    else low = t
  }
  return low
}

function columnOf(v: Vector, k: number, outputs: number): Vector {
  const out = new Float64Array(v.length / outputs)
  for (let r = 0; r < out.length; r++) out[r] = v[r * outputs + k]!
  return out
}

/** The second derivative of a loss, of a sum over entries too. */
function hessianOf(loss: Loss, fit: Vector): LossHessian {
  if (loss.hessian) return loss.hessian(fit)
  const diagonal = loss.curvatures!(fit)
  const roots = diagonal.map(Math.sqrt)
  const times = (v: Vector, out: Vector = new Float64Array(v.length)): Vector => {
    for (let k = 0; k < v.length; k++) out[k] = roots[k]! * v[k]!
    return out
  }
  return { diagonal, root: times, rootAdjoint: times, project: (v) => v }
}
