import { requireOptions } from '../src/numerics/options.ts'
import { dot, norm, plus, squaredNorm } from '../src/numerics/vectors.ts'
import type { BlockMaps, ConvexProgram, Solver, Step, Vector } from '../src/types.ts'
import { drawRows } from './draw-rows.ts'
import { type NystromModel, nystromModel } from './nystrom-model.ts'
import { evenWeights, newtonStep, strongest, wayDown } from './nystrom-steps.ts'
import { proximalGradient } from './proximal-gradient.ts'

/** Settings of `nystromNewton`. */
export interface NystromNewtonOptions {
  /** Rows that the kernels are sketched by (default: 1000, and at most the rows there are). */
  landmarks?: number
  /** Seed of their choice (default 1). */
  seed?: number
}

/**
 * Newton's method on the variational weights of group norms, for rows that no n x n factor can be held of:
 *
 *     minimise |Au - y|^2 / 2 + lambda sum_b |u_b| ,  as in etaNewton:  u_b = eta_b A_b'theta ,  M(eta) theta = y ,
 *     M(eta) = I + sum_b eta_b A_b A_b' .
 *
 * Every step sketches M's kernel by the columns of some rows (Nystrom). The sketch preconditions the conjugate gradients that
 * theta is found with, and stands in for M in the Hessian of eta; what it misses of M's trace is spread over the directions
 * that it does not see. A step costs the sketch (n times landmarks times the active blocks and the landmarks), a few products with
 * the active blocks, and one with all of them. Outputs are independent problems; small lambdas are reached through
 * larger ones. The dual point of each output, which iterates carry, is its own theta, scaled. Where float32 leaves nothing to
 * gain, it goes on as proximal gradient in float64.
 *
 * Takes the plain squared loss and one group a block and output, over an operator that can be sketched: that of a program
 * with float32 products. A start's weights are read off its coefficients.
 *
 * Nystrom preconditioning: Frangella, Tropp and Udell 2023, SIAM J. Matrix Anal. Appl. 44(2); for convex networks: Feng,
 * Frangella and Pilanci, CRONOS, NeurIPS 2024. Variational weights: Bach, Jenatton, Mairal and Obozinski 2012, Found. Trends
 * Mach. Learn. 4(1).
 *
 * @throws RangeError when an option is out of range.
 */
export function nystromNewton(options: NystromNewtonOptions = {}): Solver {
  requireOptions(options, { landmarks: 'number', seed: 'number' }, 'nystromNewton')
  const { landmarks = 1000, seed = 1 } = options
  if (!Number.isInteger(landmarks) || landmarks < 1)
    throw new RangeError(
      `nystromNewton: landmarks is ${landmarks}, expected a positive whole number; pass for example 1000.`,
    )
  return {
    name: 'nystrom-newton',
    supports,
    *iterate(program, start) {
      const maps = program.operator.blocks!
      const { curvature, target } = program.loss.quadratic!
      const { rows: n, outputs } = maps
      const coefficients = start?.coefficients.slice() ?? new Float64Array(program.operator.columns)
      const dual = new Float64Array(n * outputs)
      const model = nystromModel(maps, drawRows(n, Math.min(landmarks, n), seed))
      const goal = program.lambda / curvature
      const problems = Array.from({ length: outputs }, (_, k) =>
        outputProblem({
          maps,
          model,
          output: k,
          target: target.filter((_, r) => r % outputs === k),
          coefficients,
          lambda: goal,
        }),
      )
      const steps = function* (problem: OutputProblem, k: number, lambda: number, next: number): Generator<Step, void> {
        problem.step(lambda, next)
        const { theta, scale } = problem
        for (let r = 0; r < n; r++) dual[r * outputs + k] = curvature * scale * theta[r]!
        yield { coefficients, dual, certify: false }
      }

      if (coefficients.every((entry) => entry === 0)) {
        const largest = Math.max(...problems.map((problem) => problem.largest()))
        const way = wayDown(largest, goal)
        for (const [k, problem] of problems.entries())
          for (let s = 0; s + 1 < way.length; s++) yield* steps(problem, k, way[s]!, way[s + 1]!)
      }
      // last: the sum of the problems' gaps, relative, when a certificate was last asked for
      // best, since: the smallest gap of a round and the rounds after it
      let best = Number.POSITIVE_INFINITY
      let since = 0
      for (let last = WORTH_A_LOOK; since < PATIENCE; since++) {
        const most = Math.max(...problems.map(({ gap }) => gap))
        // What is known before the first round may be of another lambda.
        for (const [k, problem] of problems.entries())
          if (best === Number.POSITIVE_INFINITY || !(problem.gap < SHARE * most)) yield* steps(problem, k, goal, goal)
        const gap = problems.reduce((sum, problem) => sum + problem.gap, 0)
        const primal = problems.reduce((sum, problem) => sum + problem.primal, 0)
        if (gap < ENOUGH * best) {
          best = gap
          since = 0
        }
        const due = gap <= last * primal || since === PATIENCE - 1
        if (due) last = Math.min(last, gap / primal) / LESS
        yield { coefficients, dual, certify: due }
      }
      yield* proximalGradient().iterate(
        { ...program, operator: program.operator.exact ?? program.operator },
        { coefficients },
      )
    },
  }
}

/** From which relative gap on a certificate is asked for, and by how much less it must be for the next. */
const WORTH_A_LOOK = 0.02
const LESS = 1.5
/** So many rounds, none of which brings the gap below this share of the best, are what float32 leaves to gain. */
const PATIENCE = 10
const ENOUGH = 0.8
/** A problem's turn comes when its gap is this share of the largest. */
const SHARE = 0.2
/** Residual of conjugate gradients, relative to the target: at most, and over the gap; and their most iterations. */
const RESIDUAL = 4e-4
const RESIDUAL_OF_GAP = 0.01
const LEAST_RESIDUAL = 2e-6
const MOST = 40

interface OutputProblemOptions {
  readonly maps: BlockMaps
  readonly model: NystromModel
  readonly output: number
  readonly target: Vector
  /** Where the problem starts, and where every step writes its point. */
  readonly coefficients: Vector
  /** What weights are read off a start by. */
  readonly lambda: number
}

/** One output: min |sum_b A_b u_b - y|^2 / 2 + lambda sum_b |u_b|. */
interface OutputProblem {
  readonly theta: Vector
  /** What makes theta dual feasible and most of it. */
  readonly scale: number
  readonly primal: number
  /** Infinity before the first step. */
  readonly gap: number
  /** max_b |A_b'y| */
  largest(): number
  /** Takes the Newton step that the last one prepared, solves for theta there, and prepares the next, at lambda `next`. */
  step(lambda: number, next?: number): void
}

function outputProblem({
  maps,
  model,
  output,
  target: y,
  coefficients,
  lambda: goal,
}: OutputProblemOptions): OutputProblem {
  const { count: P, size: d } = maps
  const all = Int32Array.from({ length: P }, (_, b) => b)
  // eta: the weights · theta, vectors, lengths: M^-1 y, A_b'theta and their norms, at those weights · wanted: the next weights
  let eta: Vector = Float64Array.from(
    all,
    (b) => norm(coefficients.subarray(maps.start(b, output), maps.start(b, output) + d)) / goal,
  )
  const theta: Vector = y.slice()
  let vectors: Vector | undefined
  let lengths: Vector = new Float64Array(P)
  let primal = squaredNorm(y) / 2
  let gap = Number.POSITIVE_INFINITY
  let scale = 0
  let wanted: Vector | undefined

  /** A_b'theta and its norm for every block. */
  const look = (): void => {
    vectors = maps.correlations(all, theta, vectors)
    lengths = Float64Array.from(all, (b) => norm(vectors!.subarray(b * d, (b + 1) * d)))
  }

  const write = (): void => {
    for (let b = 0; b < P; b++) {
      const to = maps.start(b, output)
      for (let j = 0; j < d; j++) coefficients[to + j] = eta[b]! * vectors![b * d + j]!
    }
  }

  /** Solves for theta at the weights, and measures: u_b = eta_b A_b'theta has the fit M theta - theta = y - residual. */
  const settle = (lambda: number): number => {
    const active = all.filter((b) => eta[b]! > 0)
    const weights = Float64Array.from(active, (b) => eta[b]!)
    const accuracy = Math.max(LEAST_RESIDUAL, Math.min(RESIDUAL, (RESIDUAL_OF_GAP * gap) / primal || RESIDUAL))
    model.sketch(active, weights)
    const rest = conjugateGradients(maps, model, active, weights, y, theta, accuracy)
    look()
    let size = 0
    let top = 0
    for (let b = 0; b < P; b++) {
      size += eta[b]! * lengths[b]!
      top = Math.max(top, lengths[b]!)
    }
    const residual = plus(theta, 1, rest)
    primal = squaredNorm(residual) / 2 + lambda * size
    const square = squaredNorm(theta)
    const product = dot(theta, y)
    scale = square > 0 ? Math.max(0, Math.min(product / square, top > 0 ? lambda / top : Number.POSITIVE_INFINITY)) : 0
    gap = primal - scale * (product - (scale * square) / 2)
    return primal
  }

  /** Weights for the blocks that the target pulls at the most. */
  const begin = (lambda: number): void => {
    if (!vectors) look()
    const first = strongest(lengths)
    model.sketch(first, new Float64Array(first.length).fill(1))
    eta = evenWeights(maps, first, lambda, { low: 1e-12, high: 1, rounds: 14 }, (t) => model.solve(y, t))
  }

  return {
    theta,
    get scale() {
      return scale
    },
    get primal() {
      return primal
    },
    get gap() {
      return gap
    },
    largest() {
      look()
      return Math.max(...lengths)
    },
    step(lambda, next = lambda) {
      if (wanted) {
        const before = eta
        const last = primal
        eta = wanted
        for (let k = 0; settle(lambda) > last * (1 + SLACK) && k < HALVINGS; k++)
          eta = eta.map((entry, b) => (entry + before[b]!) / 2)
      } else {
        if (eta.every((entry) => entry === 0)) begin(lambda)
        settle(lambda)
      }
      write()
      // Now, while the sketch is that of this output.
      wanted = newtonStep(maps, model, eta, vectors!, lengths, next)
      // What the next step must not raise is the objective at its lambda.
      primal += (next - lambda) * eta.reduce((sum, entry, b) => sum + entry * lengths[b]!, 0)
    },
  }
}

/** A step may raise the objective by this, relative, that theta is not solved for exactly; else it is halved, so often. */
const SLACK = 1e-3
const HALVINGS = 4

/** Moves theta to M^-1 y, near enough, and returns y - M theta. */
function conjugateGradients(
  maps: BlockMaps,
  model: NystromModel,
  active: Int32Array,
  weights: Vector,
  y: Vector,
  theta: Vector,
  accuracy: number,
): Vector {
  const { size: d } = maps
  const images = new Float64Array(maps.rows)
  const times = (v: Vector): Vector => {
    if (active.length === 0) return v.slice()
    const vectors = maps.correlations(active, v)
    for (let i = 0; i < active.length; i++) for (let j = i * d; j < (i + 1) * d; j++) vectors[j]! *= weights[i]!
    return plus(maps.combination!(active, vectors, images), 1, v)
  }
  const residual = plus(y, -1, times(theta))
  const goal = accuracy * norm(y)
  let conditioned = model.solve(residual)
  let search: Vector = conditioned
  let size = dot(residual, conditioned)
  for (let k = 0; k < MOST && norm(residual) > goal; k++) {
    const image = times(search)
    const t = size / dot(search, image)
    if (!(t > 0)) break
    plus(theta, t, search, theta)
    plus(residual, -t, image, residual)
    conditioned = model.solve(residual)
    const next = dot(residual, conditioned)
    search = plus(conditioned, next / size, search)
    size = next
  }
  return residual
}

function supports({ name, loss, operator, penalty, lambda }: ConvexProgram): true | string {
  const { blocks } = operator
  if (!loss.quadratic)
    return `nystrom-newton needs a loss |z - y|^2 / 2 up to scale and ${name} has ${loss.name}; use proximalGradient().`
  if (!blocks || penalty.groups?.size !== blocks.size)
    return `nystrom-newton needs one group a block and output and ${name} has ${penalty.name}; use ${penalty.cones ? 'coneNewton' : 'proximalGradient'}().`
  if (!blocks.sketch || !blocks.combination)
    return `nystrom-newton needs an operator that can be sketched and that of ${name} cannot; make the program with precision: 'float32'.`
  if (!(lambda > 0)) return `nystrom-newton needs a lambda above 0 and ${name} has ${lambda}; use leastSquares().`
  return true
}
