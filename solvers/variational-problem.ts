import { backend } from '../src/numerics/backends/index.ts'
import { gatherBlocks } from '../src/numerics/blocks.ts'
import { dot, squaredNorm } from '../src/numerics/vectors.ts'
import type { BlockMaps, LinearOperator, Step, Vector } from '../src/types.ts'
import { movable } from './movable.ts'
import { nonnegativeQp } from './nonnegative-qp.ts'
import { type VariationalModel, variationalModel } from './variational-model.ts'

/** min |sum_b A_b u_b - y|^2 / 2 + lambda sum_b |u_b|, where u_b and y have one column per entry of `outputs`. */
export interface VariationalProblemOptions {
  readonly maps: BlockMaps
  /** The map of some blocks at once, where it is cheaper than one by one. */
  readonly gathered?: ((blocks: Int32Array) => LinearOperator) | undefined
  readonly lambda: number
  /** Which columns of the fit these are, and their targets. */
  readonly outputs: readonly number[]
  readonly targets: readonly Vector[]
  /** Where the problem starts; every step writes its point here, in the places that `maps.start` says. */
  readonly coefficients: Vector
}

/** What a problem leaves to the next one of the same blocks and targets, at a lambda or from a start that is near. */
export interface VariationalState {
  readonly model: VariationalModel
  /** targets - fit, an array an output, of the point that the next problem starts at. */
  readonly residuals: readonly Vector[]
}

export interface VariationalProblem {
  readonly model: VariationalModel
  /** primal - dual over primal at the last look at all blocks, and the difference itself. */
  readonly relativeGap: number
  readonly gap: number
  /**
   * Newton's method on the active blocks and those that violate the most, until their own gap is a tenth of the whole one,
   * and then a look at all blocks. Yields between steps, with the gap where it is known and the problem is the whole program
   * (not `partly`); returns false when nothing moved.
   */
  round(partly?: boolean): Generator<Step, boolean>
}

/** A working set has at least so many blocks, and so many times the active ones. */
const LEAST = 10
const TIMES_ACTIVE = 4
/**
 * Steps are on all blocks where the working set is this share of them, or where P blocks of d on n rows have P d below this
 * share of n^2: a look at all of them then takes little time beside a factorisation.
 */
const NEARLY_ALL = 0.6
const CHEAP = 0.2
/** The gap on the working set, against the whole one, at which a round ends. */
const ACCURACY = 0.1
/** What no step is worth taking for, relative to the objective: rounding. */
const ROUNDING = 1e-15
/** Armijo's share of the decrease that the slope promises. */
const ARMIJO = 1e-4
const STEPS_A_ROUND = 50
/** How often weights that are beyond rounding are cut to a thousandth before they are set to zero. */
const CUTS = 20
/** Halvings end at this share of a step; damping over the diagonal of H: at first and least, most, and by what it changes. */
const SHORTEST = 1 / 32
const DAMPING = { least: 1e-11, most: 1e4, less: 0.1, more: 100 }
/** The relative gap from which on a step may be the last, and is followed rather than factored. */
const NEAR = 1e-2
/** What a full step leaves of such a gap, at most, where phi does not say that it is one forwards. */
const HALF = 0.5

/** How well the systems of a start that another problem led to are solved. */
const WARM = 1e-9
/**
 * Below this gap the last factor may serve another step, unless one with it left more than this of the gap; that of another
 * problem above it, where an iteration of conjugate gradients with it leaves no more than this.
 */
const REUSED = 1e-4
const DRIFT = 0.1
const STALE = 0.05
/** Below this gap the last Hessian itself may, unless the last step left more than this of the gap; in a resumed problem from NEAR on. */
const NEARBY = 3e-5
const FAR = 0.2

/** How well the systems of a step are solved where the relative gap is this. */
function accuracyFor(relative: number): number {
  return 1e-4 * Math.min(0.1, relative)
}

/**
 * Newton's method on eta for one problem; see etaNewton. Cost of a step: one factorisation of M, f solves with it for the f
 * blocks that may move, and a non-negative quadratic program in f unknowns.
 */
export function variationalProblem(options: VariationalProblemOptions, before?: VariationalState): VariationalProblem {
  const { maps, lambda, outputs, targets, coefficients } = options
  const { count: P, size: d, rows: n } = maps
  const model = before?.model ?? variationalModel(backend(), options, targets)
  const all = Int32Array.from({ length: P }, (_, b) => b)
  const eta = startingWeights(options)
  // lengths: |A_b' theta| of every block at the last look · images of theta under all A_b', one array an output
  const lengths = new Float64Array(P)
  // written: which blocks of the coefficients may not be zero
  const written = new Uint8Array(P).fill(1)
  const correlations = targets.map(() => new Float64Array(P * d))
  let whole = { primal: 0, gap: Number.POSITIVE_INFINITY, relative: 1 }
  let factored = false
  const resumed = before !== undefined
  const control: Control = { resumed, damping: DAMPING.least, last: 1, reused: false, hessian: undefined }

  const write = (block: number, position: number, vectors: readonly Vector[]): void => {
    if (!(eta[block]! > 0) && !written[block]) return
    written[block] = Number(eta[block]! > 0)
    outputs.forEach((output, k) => {
      const to = maps.start(block, output)
      for (let j = 0; j < d; j++) coefficients[to + j] = eta[block]! * vectors[k]![position * d + j]!
    })
  }

  /** Factors M at eta if need be; where that is beyond rounding, the weights are cut until it is not, in the end to zero. */
  const factor = (): void => {
    for (let cut = 0; !factored; cut++) {
      factored = model.move(all, eta, false, accuracyFor(whole.relative))
      if (!factored) for (let b = 0; b < P; b++) eta[b] = cut < CUTS ? 1e-3 * eta[b]! : 0
    }
  }

  /** Looks at all blocks, whose images of theta may be known. */
  const look = (known?: readonly Vector[]): void => {
    factor()
    model.theta.forEach((theta, k) => {
      if (known) correlations[k]!.set(known[k]!)
      else maps.correlations(all, theta, correlations[k])
    })
    blockLengths(correlations, d, lengths)
    whole = gapOf(model, targets, lambda, eta, lengths)
    for (let b = 0; b < P; b++) if (eta[b]! > 0) write(b, b, correlations)
  }

  function* round(partly = true): Generator<Step, boolean> {
    const some = workingSet(eta, lengths, lambda, n)
    const chosen = P * d > CHEAP * n * n && some.length < NEARLY_ALL * P ? some : all
    const weights = Float64Array.from(chosen, (b) => eta[b]!)
    const target = ACCURACY * whole.gap
    let moved = false
    let vectors = correlations.map((all) => gatherBlocks(all, chosen, d))
    const own = new Float64Array(chosen.length)
    for (let step = 0; step < STEPS_A_ROUND; step++) {
      blockLengths(vectors, d, own)
      const state = gapOf(model, targets, lambda, weights, own)
      if (moved && state.gap <= target) break
      if (state.gap <= ROUNDING * state.primal) break
      if (moved) yield { coefficients, certify: false, ...(chosen === all && !partly && { gap: state.relative }) }
      const gapAt = (trial: Vector): number => {
        const there = model.theta.map((theta) => maps.correlations(chosen, theta))
        const sizes = new Float64Array(chosen.length)
        blockLengths(there, d, sizes)
        return gapOf(model, targets, lambda, trial, sizes).relative
      }
      if (!newtonStep(model, lambda, chosen, weights, vectors, own, state.relative, control, gapAt)) {
        // The factor is that of a step not taken.
        factored = false
        break
      }
      moved = true
      vectors = model.theta.map((theta) => maps.correlations(chosen, theta))
      chosen.forEach((b, i) => {
        eta[b] = weights[i]!
        write(b, i, vectors)
      })
    }
    look(chosen === all && factored ? vectors : undefined)
    return moved
  }

  // Where another problem led here, its factor may do; where not, `look` makes one.
  if (before) factored = model.move(all, eta, true, WARM, before.residuals)
  look()
  return {
    model,
    get relativeGap() {
      return whole.relative
    },
    get gap() {
      return whole.gap
    },
    round,
  }
}

/** At an optimum u_b = eta_b A_b'theta with |A_b'theta| = lambda. */
function startingWeights({ maps, lambda, outputs, coefficients }: VariationalProblemOptions): Vector {
  return Float64Array.from({ length: maps.count }, (_, b) => {
    let total = 0
    for (const output of outputs) {
      const from = maps.start(b, output)
      for (let j = from; j < from + maps.size; j++) total += coefficients[j]! ** 2
    }
    return Math.sqrt(total) / lambda
  })
}

/** The active blocks, and of the others those that violate the most or come near it. */
function workingSet(eta: Vector, lengths: Vector, lambda: number, n: number): Int32Array {
  const active: number[] = []
  const others: number[] = []
  for (let b = 0; b < eta.length; b++)
    if (eta[b]! > 0) active.push(b)
    else if (lengths[b]! > lambda / 2) others.push(b)
  const size = Math.max(LEAST, Math.min(Math.floor(n / 20), 400), TIMES_ACTIVE * active.length)
  others.sort((a, b) => lengths[b]! - lengths[a]! || a - b)
  return Int32Array.from([...active, ...others.slice(0, Math.max(0, size - active.length))])
}

/**
 * Moves the weights one step, and the model with them; false when no step lowers phi.
 *
 * The quadratic model's right-hand side is first that of the root form 1/|A_b'theta| = 1/lambda, which is nearly linear in
 * eta and reaches far; where that is no direction of descent it is the plain gradient's. Where H is nearly singular, as for
 * gates that hardly differ, neither may lead anywhere at length: then the step is damped by the diagonal of H, more and more
 * until one does, and less after every full step.
 */
function newtonStep(
  model: VariationalModel,
  lambda: number,
  chosen: Int32Array,
  weights: Vector,
  vectors: readonly Vector[],
  lengths: Vector,
  relative: number,
  state: Control,
  gapAt: (trial: Vector) => number,
): boolean {
  const free = movable(weights, lengths, lambda, model.theta[0]!.length)
  const f = free.length
  const d = vectors[0]!.length / chosen.length
  const blocks = free.map((i) => chosen[i]!)
  // What was good for the last step is for this one, as long as steps go far: the Hessian itself, or the factor it is made with.
  const near = relative < (state.resumed ? NEAR : NEARBY)
  const old = near && relative <= FAR * state.last ? partOf(state.hessian, blocks) : undefined
  const close = relative < REUSED || (state.resumed && model.drift < DRIFT)
  const reuse = close && !(state.reused && relative > STALE * state.last)
  state.last = relative
  const accuracy = accuracyFor(relative)
  const value = phi(model, weights, lambda)
  const trial = weights.slice()

  /** A step with this Hessian, or none. */
  const step = (H: Vector): boolean => {
    const damped = H.slice()
    for (let i = 0; i < f; i++) damped[i * (f + 1)]! *= 1 + state.damping
    for (const root of [true, false]) {
      const b = new Float64Array(f)
      for (let i = 0; i < f; i++) {
        const length = lengths[free[i]!]!
        b[i] = root ? (length * length * (length - lambda)) / lambda : (length * length - lambda * lambda) / 2
        for (let j = 0; j < f; j++) b[i]! += damped[i * f + j]! * weights[free[j]!]!
      }
      const goal = nonnegativeQp(backend(), f, damped, b, new Uint8Array(f).fill(1))
      if (!goal) continue
      let slope = 0
      for (let i = 0; i < f; i++)
        slope += ((lambda * lambda - lengths[free[i]!]! ** 2) / 2) * (goal[i]! - weights[free[i]!]!)
      if (!(slope < 0)) continue
      for (let t = 1; t >= SHORTEST; t /= 2) {
        for (let i = 0; i < f; i++) {
          const from = weights[free[i]!]!
          trial[free[i]!] = t === 1 ? goal[i]! : from + t * (goal[i]! - from)
        }
        if (!model.move(chosen, trial, relative < NEAR, accuracy)) continue
        const falls = phi(model, trial, lambda) <= value + ARMIJO * t * slope + ROUNDING * Math.abs(value)
        // Near the optimum a fall of phi is lost in rounding before that of the gap is.
        if (!falls && !(t === 1 && relative < NEAR && gapAt(trial) < HALF * relative)) continue
        weights.set(trial)
        if (t === 1) state.damping = Math.max(DAMPING.least, state.damping * DAMPING.less)
        return true
      }
    }
    return false
  }

  if (old) {
    if (step(old)) return true
    if (!model.move(chosen, weights, true, accuracy)) return false
  }
  state.reused = reuse
  const images = vectors.map((all) => gatherBlocks(all, free, d))
  const H = model.hessian(blocks, images, reuse)
  state.hessian = H && relative < NEAR ? { blocks, H } : undefined
  if (!H) return false
  for (; state.damping <= DAMPING.most; state.damping *= DAMPING.more) if (step(H)) return true
  state.damping = DAMPING.least
  return false
}

/** What steps remember of those before. */
interface Control {
  /** Whether the factor is another problem's. */
  readonly resumed: boolean
  damping: number
  /** The relative gap at the last step, and whether its Hessian was made with an earlier factor. */
  last: number
  reused: boolean
  /** The last Hessian, of these blocks, where it was made close enough to serve again. */
  hessian: { readonly blocks: Int32Array; readonly H: Vector } | undefined
}

/** The rows and columns of these blocks; undefined when some are not there. */
function partOf(whole: Control['hessian'], blocks: Int32Array): Vector | undefined {
  if (!whole) return undefined
  const place = new Map(Array.from(whole.blocks, (b, i) => [b, i]))
  const at = Array.from(blocks, (b) => place.get(b) ?? -1)
  if (at.includes(-1)) return undefined
  const [f, m] = [blocks.length, whole.blocks.length]
  const H = new Float64Array(f * f)
  for (let i = 0; i < f; i++) for (let j = 0; j < f; j++) H[i * f + j] = whole.H[at[i]! * m + at[j]!]!
  return H
}

/** phi(eta) at the weights the model was factored at. */
function phi(model: VariationalModel, weights: Vector, lambda: number): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += weights[i]!
  return model.value + ((lambda * lambda) / 2) * sum
}

/** Primal and dual value at u_b = eta_b A_b'theta, whose residual is theta + rest; the dual point is theta, scaled to be feasible. */
function gapOf(
  model: VariationalModel,
  targets: readonly Vector[],
  lambda: number,
  weights: Vector,
  lengths: Vector,
): { primal: number; gap: number; relative: number } {
  let largest = 0
  let sizes = 0
  for (let i = 0; i < lengths.length; i++) {
    largest = Math.max(largest, lengths[i]!)
    sizes += weights[i]! * lengths[i]!
  }
  let residual = 0
  let square = 0
  let product = 0
  model.theta.forEach((theta, k) => {
    const rest = model.rest[k]!
    for (let r = 0; r < theta.length; r++) residual += (theta[r]! + rest[r]!) ** 2
    square += squaredNorm(theta)
    product += dot(theta, targets[k]!)
  })
  const primal = residual / 2 + lambda * sizes
  if (!(square > 0)) return { primal, gap: primal, relative: 0 }
  const scale = Math.min(product / square, largest > 0 ? lambda / largest : Number.POSITIVE_INFINITY)
  const gap = primal - scale * (product - (scale * square) / 2)
  return { primal, gap, relative: primal > 0 ? gap / primal : 0 }
}

function blockLengths(vectors: readonly Vector[], d: number, out: Vector): void {
  for (let b = 0; b < out.length; b++) {
    let total = 0
    for (const one of vectors) for (let j = b * d; j < (b + 1) * d; j++) total += one[j]! * one[j]!
    out[b] = Math.sqrt(total)
  }
}
