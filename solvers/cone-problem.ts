import type { Backend } from '../src/numerics/backend.ts'
import { blockNorm } from '../src/numerics/blocks.ts'
import { dot, plus, squaredDistance, squaredNorm } from '../src/numerics/vectors.ts'
import type { BlockCones, BlockMaps, Step, Vector } from '../src/types.ts'
import { faceModel } from './face-model.ts'
import { nonnegativeQp } from './nonnegative-qp.ts'

/** One output's problem:  minimise |sum_b A_b v_b - y|^2 / 2 + lambda sum_b |v_b|  over v_b in K_b. */
export interface ConeProblem {
  /** The primal value and the gap at the last pass over all blocks; Infinity before the first. */
  readonly primal: number
  readonly gap: number
  /**
   * One pass over all blocks, then Newton steps on those that matter; the coefficients follow. Returns false when nothing
   * is left to gain.
   */
  round(): Generator<Step, boolean>
}

/** From one lambda of the continuation to the next, at least. */
const CONTINUATION = 0.6
/** The relative gap at which the continuation goes on. */
const LOOSE = 0.1
/** How far the gap on the working set is brought below the whole one before the next pass. */
const SHARE = 0.3
/** Blocks a working set may take up at least. */
const FEWEST = 10
/** Working sets at one lambda of the continuation. */
const ROUNDS = 20
/** Newton steps on one working set. */
const STEPS = 40
/** Relative gap below which steps no longer jump between faces, and one that gains nothing is one of rounding. */
const SETTLED = 1e-6
/** Halvings of a step. */
const HALVINGS = 20
/** Projections between two yields of a pass. */
const BREATH = 32
/** Steps, or passes where rounding is near, without a smaller gap before a working set is left or the problem gives up. */
const PATIENCE = 3
/** Passes elsewhere: among thousands of patterns the gap rises many times before it falls. */
const PASSES = 25
/** What rounding leaves of a relative difference. */
const ROUNDING = 1e-14

export function coneProblem({
  backend,
  maps,
  cones,
  output,
  lambda: goal,
  target: y,
  coefficients,
}: {
  backend: Backend
  maps: BlockMaps
  cones: BlockCones
  output: number
  lambda: number
  target: Vector
  /** Of all outputs: where to start, and where the answer goes. */
  coefficients: Vector
}): ConeProblem {
  const { rows: n, size: d, count } = maps
  const everyBlock = Int32Array.from({ length: count }, (_, b) => b)
  const model = faceModel(backend, n)
  const scratch = new Float64Array(d)
  const correlations = new Float64Array(count * d)
  const half = squaredNorm(y) / 2
  /** The penalty counts the blocks of all outputs. */
  const coneOf = (block: number): number => maps.start(block, output) / d

  // theta: dual point · lambda: where the continuation is
  let theta: Vector = y.slice()
  let lambda = Number.POSITIVE_INFINITY
  let smallest = Number.POSITIVE_INFINITY
  let fruitless = 0
  let rounds = 0

  // Of the m blocks of the working set, at (eta, theta): eta_b · P_b(A_b'theta), of m x d · its length g_b · its image
  // z_b = A_b P_b(A_b'theta), of m x n · penalties: of the merit function
  let chosen: Int32Array = new Int32Array(0)
  let eta: Vector = new Float64Array(0)
  let points: Vector = new Float64Array(0)
  let lengths: Vector = new Float64Array(0)
  let images: Vector = new Float64Array(0)
  let penalties: Vector = new Float64Array(0)
  const faces = new Map<number, { version: number; images: Vector }>()
  // residual: y - sum_b eta_b z_b, of the point v_b = eta_b P_b(A_b'theta) · primal: its value
  const residual = y.slice()
  let primal = half

  /** Takes up a working set with its eta; the rest of v is zero. */
  const choose = (blocks: Int32Array, weights: Vector): void => {
    for (const b of chosen) coefficients.fill(0, maps.start(b, output), maps.start(b, output) + d)
    chosen = blocks
    eta = weights
    const m = blocks.length
    points = new Float64Array(m * d)
    lengths = new Float64Array(m)
    images = new Float64Array(m * n)
    penalties = new Float64Array(m)
    const kept = new Set(blocks)
    for (const b of faces.keys()) if (!kept.has(b)) faces.delete(b)
    evaluate()
  }

  /** Everything that belongs to (eta, theta). */
  const evaluate = (): void => {
    const m = chosen.length
    const inputs = maps.correlations(chosen, theta)
    let size = 0
    for (let i = 0; i < m; i++) {
      lengths[i] = cones.project(coneOf(chosen[i]!), inputs, i * d, points, i * d)
      size += eta[i]! * lengths[i]!
    }
    maps.images(chosen, points, images)
    residual.set(y)
    if (m > 0) backend.gemv(true, m, n, -1, images, n, eta, 1, residual)
    primal = squaredNorm(residual) / 2 + lambda * size
  }

  /** The images A_b N_b' of the faces that the blocks with a weight are on; to be asked for right after `evaluate`. */
  const updateFaces = (): void => {
    const blocks: number[] = []
    const bases: Vector[] = []
    for (let i = 0; i < chosen.length; i++) {
      const b = chosen[i]!
      const { basis, version } = cones.face(coneOf(b))
      if (faces.get(b)?.version === version) continue
      faces.set(b, { version, images: new Float64Array((basis.length / d) * n) })
      for (let k = 0; k < basis.length; k += d) {
        blocks.push(b)
        bases.push(basis.subarray(k, k + d))
      }
    }
    const vectors = new Float64Array(bases.length * d)
    bases.forEach((basis, q) => {
      vectors.set(basis, q * d)
    })
    const rows = maps.images(Int32Array.from(blocks), vectors)
    for (let q = 0, within = 0; q < blocks.length; q++) {
      within = q > 0 && blocks[q] === blocks[q - 1] ? within + 1 : 0
      faces.get(blocks[q]!)!.images.set(rows.subarray(q * n, (q + 1) * n), within * n)
    }
  }

  const write = (): void => {
    for (let i = 0; i < chosen.length; i++) {
      const start = maps.start(chosen[i]!, output)
      for (let j = 0; j < d; j++) coefficients[start + j] = eta[i]! * points[i * d + j]!
    }
  }

  /** Value of theta, scaled to be dual feasible when no block's projection is longer than `longest`. */
  const dualValue = (longest: number): number => {
    const slope = dot(theta, y)
    const size = squaredNorm(theta)
    const s = Math.min(Math.max(0, slope) / size, lambda / longest)
    return size > 0 ? s * slope - (s * s * size) / 2 : 0
  }

  const workingGap = (): number => primal - dualValue(largest(lengths))

  /** |theta|^2 / 2 - y'theta + sum_b penalty_b (g_b^2 - lambda^2)_+ / 2: an exact penalty of the dual. */
  const merit = (): number => {
    let total = squaredNorm(theta) / 2 - dot(y, theta)
    for (let i = 0; i < chosen.length; i++)
      if (lengths[i]! > lambda) total += penalties[i]! * ((lengths[i]! ** 2 - lambda ** 2) / 2)
    return total
  }

  /**
   * One Newton step on (eta, theta): theta minimises the dual's second-order model, whose Hessian is M, where each
   * constraint g_b <= lambda is replaced by its tangent; eta are the multipliers. False when it leads nowhere.
   */
  const step = (): boolean => {
    const m = chosen.length
    const active: number[] = []
    for (let i = 0; i < m; i++) if (eta[i]! > 0) active.push(i)
    if (
      !model.factor(
        active.map((i) => faces.get(chosen[i]!)!.images),
        active.map((i) => eta[i]!),
      )
    )
      return false
    const H = model.hessian(images, m)
    // A block whose point is zero has no say, and ends without a weight.
    for (let i = 0; i < m; i++) if (!(H[i * m + i]! > 0)) H[i * m + i] = 1
    const tangent = new Float64Array(m)
    backend.gemv(false, m, n, 1, images, n, model.solve(plus(residual, -1, theta)), 0, tangent)
    backend.gemv(false, m, m, 1, H, m, eta, 1, tangent)
    // g = lambda in the form 1/g = 1/lambda is nearly linear in eta, which is worth much but may ask for too much.
    return advance(H, tangent, secular, 4) || advance(H, tangent, plain, HALVINGS)
  }

  /** The step for one form of the constraints, along which the merit falls; false when it does not. */
  const advance = (H: Vector, tangent: Vector, form: (g: number) => number, halvings: number): boolean => {
    const m = chosen.length
    const excess = lengths.map(form)
    const wanted = Uint8Array.from(eta, (weight, i) => (weight > 0 || lengths[i]! > lambda ? 1 : 0))
    const next = nonnegativeQp(backend, m, H, plus(tangent, 1, excess), wanted)
    if (!next) return false
    const slope = plus(theta, -1, y)
    const force = slope.slice()
    backend.gemv(true, m, n, 1, images, n, next, 1, force)
    const move = model.solve(force).map((value) => -value)

    // Penalties above the multipliers make the step one of descent; as they never fall, no point comes back.
    const rates = new Float64Array(m)
    backend.gemv(false, m, n, 1, images, n, move, 0, rates)
    let descent = dot(slope, move)
    for (let i = 0; i < m; i++) {
      penalties[i] = Math.max(1.1 * next[i]!, penalties[i]!)
      if (lengths[i]! > lambda) descent += penalties[i]! * rates[i]!
    }
    const before = { theta, eta, merit: merit() }
    for (let t = 1, halving = 0; halving < halvings; t /= 2, halving++) {
      theta = plus(before.theta, t, move)
      eta = t === 1 ? next : before.eta.map((value, i) => value + t * (next[i]! - value))
      evaluate()
      if (merit() <= before.merit + 1e-4 * t * Math.min(0, descent) + ROUNDING * half) return true
    }
    theta = before.theta
    eta = before.eta
    evaluate()
    return false
  }

  const plain = (g: number): number => (g * g - lambda * lambda) / 2
  const secular = (g: number): number => (g > lambda / 2 ? (g * g * (g - lambda)) / lambda : plain(g))

  /** |P_b(A_b'theta)| of all blocks as far as it is above lambda, and some upper bound below that elsewhere. */
  function* price(enough: (longest: number) => number): Generator<Step, Vector> {
    const prices = new Float64Array(count)
    maps.correlations(everyBlock, theta, correlations)
    let longest = 0
    for (let i = 0; i < chosen.length; i++) {
      prices[chosen[i]!] = lengths[i]!
      longest = Math.max(longest, lengths[i]!)
    }
    const members = new Set(chosen)
    let work = 0
    for (let b = 0; b < count; b++) {
      if (members.has(b)) continue
      const least = enough(longest)
      const most = blockNorm(correlations, b * d, d)
      prices[b] = most
      if (most > least) {
        prices[b] = cones.project(coneOf(b), correlations, b * d, scratch, 0, least)
        if (++work % BREATH === 0) yield { coefficients, certify: false }
      }
      longest = Math.max(longest, prices[b]!)
    }
    return prices
  }

  /** In even steps down to the goal. */
  const nextLambda = (last: number): number => {
    const steps = Math.ceil(Math.log(goal / last) / Math.log(CONTINUATION) - 1e-9)
    return steps > 1 ? last * (goal / last) ** (1 / steps) : goal
  }

  /** How far the residual is from theta, as the bound taken at the residual would notice it, relative. */
  const mismatch = (): number => {
    let reach = 0
    for (let i = 0; i < chosen.length; i++)
      if (lengths[i]! > 0) reach = Math.max(reach, blockNorm(images, i * n, n) / lengths[i]!)
    return (reach * Math.sqrt(squaredDistance(residual, theta))) / lambda
  }

  /** Takes the start up, if it is better than zero, with the eta of the lambda it may be a solution for. */
  function* begin(): Generator<Step, Vector> {
    let blocks = everyBlock.filter((b) => blockNorm(coefficients, maps.start(b, output), d) > 0)
    const vectors = new Float64Array(blocks.length * d)
    blocks.forEach((b, i) => {
      const start = maps.start(b, output)
      vectors.set(coefficients.subarray(start, start + d), i * d)
    })
    let weights = Float64Array.from(blocks, (_, i) => blockNorm(vectors, i * d, d))
    const fits = maps.images(blocks, vectors)
    for (let k = 0; k < fits.length; k++) theta[k % n]! -= fits[k]!
    if (!(squaredNorm(theta) / 2 + goal * sum(weights) < half)) {
      for (const b of blocks) coefficients.fill(0, maps.start(b, output), maps.start(b, output) + d)
      blocks = new Int32Array(0)
      weights = new Float64Array(0)
      theta = y.slice()
    }
    const prices = yield* price((longest) => Math.max(goal, CONTINUATION * longest))
    const longest = largest(prices)
    lambda = nextLambda(longest)
    choose(
      blocks,
      weights.map((weight) => weight / Math.max(goal, longest)),
    )
    return prices
  }

  /** The blocks with a weight, and as many of those whose price is above lambda, the highest first. */
  const select = (prices: Vector): void => {
    const active: number[] = []
    const weights: number[] = []
    chosen.forEach((b, i) => {
      if (!(eta[i]! > 0)) return
      active.push(b)
      weights.push(eta[i]!)
    })
    const known = new Set(active)
    const violated = everyBlock.filter((b) => prices[b]! > lambda && !known.has(b))
    violated.sort((a, b) => prices[b]! - prices[a]!)
    const more = violated.subarray(0, Math.max(FEWEST, active.length))
    choose(Int32Array.from([...active, ...more]), Float64Array.from([...weights, ...new Float64Array(more.length)]))
  }

  /** Newton steps until the gap on the working set is small beside the whole one. */
  function* descend(): Generator<Step, void> {
    let best = Number.POSITIVE_INFINITY
    for (let steps = 0, worse = 0; steps < STEPS && worse < PATIENCE; steps++) {
      updateFaces()
      write()
      if (steps > 0) yield { coefficients, certify: false }
      const relative = workingGap() / primal
      const off = lambda > goal ? 0 : mismatch()
      const wanted = Math.max(SHARE * (wholeGap / primal), ROUNDING)
      if (relative <= wanted && off <= wanted) return
      const worst = Math.max(relative, off)
      worse = worst < best || worst > SETTLED ? 0 : worse + 1
      best = Math.min(best, worst)
      if (!step()) return
    }
    updateFaces()
    write()
  }

  let prices: Vector | undefined
  /** At the lambda of the continuation. */
  let wholeGap = Number.POSITIVE_INFINITY
  const assess = function* (): Generator<Step, void> {
    prices = yield* price(() => lambda)
    wholeGap = primal - dualValue(largest(prices))
  }

  return {
    get primal() {
      return primal
    },
    get gap() {
      return lambda > goal ? Number.POSITIVE_INFINITY : wholeGap
    },
    *round() {
      if (!prices) {
        prices = yield* begin()
        yield* assess()
      }
      select(prices)
      yield* descend()
      yield* assess()
      for (rounds++; lambda > goal && (wholeGap <= LOOSE * primal || rounds > ROUNDS); rounds = 0) {
        lambda = nextLambda(lambda)
        evaluate()
        updateFaces()
        yield* assess()
      }
      if (lambda > goal) return true
      fruitless = wholeGap < 0.9 * smallest ? 0 : fruitless + 1
      smallest = Math.min(smallest, wholeGap)
      return wholeGap > ROUNDING * primal && fruitless < (smallest > SETTLED * primal ? PASSES : PATIENCE)
    },
  }
}

function sum(values: Vector): number {
  return values.reduce((total, value) => total + value, 0)
}

function largest(values: Vector): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}
