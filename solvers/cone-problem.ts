import type { Backend } from '../src/numerics/backend.ts'
import { blockNorm } from '../src/numerics/blocks.ts'
import { dot, largest, norm, squaredNorm } from '../src/numerics/vectors.ts'
import type { BlockCones, BlockMaps, Step, Vector } from '../src/types.ts'
import { coneIterate, primalAt, slopeAt } from './cone-iterate.ts'
import { conePrices } from './cone-prices.ts'
import { coneSteps } from './cone-steps.ts'

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
const CONTINUATION = 0.5
/** The relative gap at which the continuation goes on. */
const LOOSE = 0.1
/** How far the gap on the working set is brought below the whole one before the next pass. */
const SHARE = 0.3
/** Prices above lambda by less than this share of the relative gap wait: they are not what the gap is of. */
const SLACK = 0.2
/** Blocks a working set may take up at least. */
const FEWEST = 10
/** Working sets at one lambda of the continuation. */
const ROUNDS = 20
/** Newton steps on one working set. */
const STEPS = 40
/** Relative gap below which the residual is to be as good a dual point as theta: it is what a certificate takes. */
const CLOSE = 1e-3
/** Relative gap below which steps no longer jump between faces, and one that gains nothing is one of rounding. */
const SETTLED = 1e-6
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
  const point = coneIterate({ backend, maps, cones, output, target: y, coefficients })
  const steps = coneSteps(backend, point, y)
  const prices = conePrices(maps, cones, point, coefficients)
  const half = squaredNorm(y) / 2

  // Where the continuation is.
  let lambda = Number.POSITIVE_INFINITY
  let smallest = Number.POSITIVE_INFINITY
  let fruitless = 0
  let rounds = 0
  const primal = (): number => (lambda < Number.POSITIVE_INFINITY ? primalAt(point, lambda) : half)

  const choose = (blocks: Int32Array, eta: Vector): void => {
    point.lambda = lambda
    point.choose(blocks, eta, prices.projection)
    steps.forget()
  }

  /** Value of theta, scaled to be dual feasible when no block's projection is longer than `longest`. */
  const dualValue = (longest: number): number => {
    const slope = dot(point.theta, y)
    const size = squaredNorm(point.theta)
    const s = Math.min(Math.max(0, slope) / size, lambda / longest)
    return size > 0 ? s * slope - (s * s * size) / 2 : 0
  }

  const workingGap = (): number => primal() - dualValue(largest(point.lengths))

  /** How far the residual is from theta, as the bound taken at the residual would notice it, relative. */
  const mismatch = (): number => {
    let reach = 0
    point.lengths.forEach((length, i) => {
      if (length > 0) reach = Math.max(reach, blockNorm(point.images, i * n, n) / length)
    })
    return (reach * norm(slopeAt(point))) / lambda
  }

  /** Lambda, and a little more: a price below that adds some of this gap at most, and is not looked at more closely. */
  const above = (gap: number): number => lambda * (1 + SLACK * (gap / primal()))

  /** In even steps down to the goal. */
  const nextLambda = (last: number): number => {
    const count = Math.ceil(Math.log(goal / last) / Math.log(CONTINUATION) - 1e-9)
    return count > 1 ? last * (goal / last) ** (1 / count) : goal
  }

  /** Takes the start up, if it is better than zero, with the eta of the lambda it may be a solution for. */
  function* begin(): Generator<Step, void> {
    let blocks = everyBlock.filter((b) => blockNorm(coefficients, maps.start(b, output), d) > 0)
    const vectors = new Float64Array(blocks.length * d)
    blocks.forEach((b, i) => {
      const start = maps.start(b, output)
      vectors.set(coefficients.subarray(start, start + d), i * d)
    })
    let weights = Float64Array.from(blocks, (_, i) => blockNorm(vectors, i * d, d))
    const fits = maps.images(blocks, vectors)
    const theta = y.slice()
    for (let k = 0; k < fits.length; k++) theta[k % n]! -= fits[k]!
    if (!(squaredNorm(theta) / 2 + goal * sum(weights) < half)) {
      for (const b of blocks) coefficients.fill(0, maps.start(b, output), maps.start(b, output) + d)
      blocks = new Int32Array(0)
      weights = new Float64Array(0)
    } else point.theta = theta
    const longest = yield* prices.largest(goal)
    lambda = nextLambda(longest)
    choose(
      blocks,
      weights.map((weight) => weight / Math.max(goal, longest)),
    )
  }

  /** The blocks with a weight, and as many of those whose price is above lambda, the highest first. */
  function* select(): Generator<Step, void> {
    const active: number[] = []
    const weights: number[] = []
    point.chosen.forEach((b, i) => {
      if (!(point.eta[i]! > 0)) return
      active.push(b)
      weights.push(point.eta[i]!)
    })
    const more = yield* prices.highest(Math.max(FEWEST, active.length), above(wholeGap))
    choose(Int32Array.from([...active, ...more]), Float64Array.from([...weights, ...new Float64Array(more.length)]))
  }

  /** Newton steps until the gap on the working set is small beside the whole one. */
  function* descend(): Generator<Step, void> {
    let best = Number.POSITIVE_INFINITY
    for (let taken = 0, worse = 0; taken < STEPS && worse < PATIENCE; taken++) {
      point.write()
      if (taken > 0) yield { coefficients, certify: false }
      const relative = workingGap() / primal()
      const whole = wholeGap / primal()
      // Far away the working set will change before theta has to be the residual.
      const off = lambda > goal || whole > CLOSE ? 0 : mismatch()
      const worst = Math.max(relative, off)
      if (worst <= Math.max(SHARE * whole, ROUNDING)) return
      worse = worst < best || worst > SETTLED ? 0 : worse + 1
      best = Math.min(best, worst)
      if (!steps.step(lambda)) break
    }
    point.write()
  }

  /** At the lambda of the continuation. */
  let wholeGap = Number.POSITIVE_INFINITY
  function* assess(): Generator<Step, void> {
    const longest = yield* prices.largest(Math.max(above(workingGap()), largest(point.lengths)))
    wholeGap = primal() - dualValue(longest)
  }

  return {
    get primal() {
      return primal()
    },
    get gap() {
      return lambda > goal ? Number.POSITIVE_INFINITY : wholeGap
    },
    *round() {
      if (!prices.begun) {
        yield* begin()
        yield* assess()
      }
      yield* select()
      yield* descend()
      yield* assess()
      for (rounds++; lambda > goal && (wholeGap <= LOOSE * primal() || rounds > ROUNDS); rounds = 0) {
        lambda = nextLambda(lambda)
        steps.begin()
        yield* assess()
      }
      if (lambda > goal) return true
      fruitless = wholeGap < 0.9 * smallest ? 0 : fruitless + 1
      smallest = Math.min(smallest, wholeGap)
      return wholeGap > ROUNDING * primal() && fruitless < (smallest > SETTLED * primal() ? PASSES : PATIENCE)
    },
  }
}

function sum(values: Vector): number {
  return values.reduce((total, value) => total + value, 0)
}
