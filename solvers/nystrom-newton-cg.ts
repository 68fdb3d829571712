import { norm, plus } from '../src/numerics/vectors.ts'
import type { ConvexProgram, Solver, Step, Vector } from '../src/types.ts'
import { type KernelRegression, kernelRegression } from './kernel-regression.ts'
import { ladder, newtonStep } from './nystrom-newton.ts'
import { proximalGradient } from './proximal-gradient.ts'

/** Settings of `nystromNewtonCg`. */
export interface NystromNewtonCgOptions {
  /** Rows that the kernels are sketched by (default: 1000, and at most the rows there are). */
  landmarks?: number
  /** Seed of their choice (default 1). */
  seed?: number
}

const LOG = process.env.LOG === '1'

export function nystromNewtonCg({ landmarks = 1000, seed = 1 }: NystromNewtonCgOptions = {}): Solver {
  if (!Number.isInteger(landmarks) || landmarks < 1)
    throw new RangeError(
      `nystromNewtonCg: landmarks is ${landmarks}, expected a positive whole number; pass for example 1000.`,
    )
  return {
    name: 'nystrom-newton-cg',
    supports,
    *iterate(program, start) {
      const { loss, operator, lambda: goal } = program
      const maps = operator.blocks!
      const { outputs, count: P, size: d } = maps
      const all = Int32Array.from({ length: P }, (_, b) => b)
      const coefficients = start?.coefficients.slice() ?? new Float64Array(operator.columns)
      // eta: the weights · vectors, lengths: A_b'theta and its norm for every block, output by output
      let eta = perOutput(outputs, (k) =>
        Float64Array.from(all, (b) => norm(coefficients.subarray(maps.start(b, k), maps.start(b, k) + d)) / goal),
      )
      const vectors = perOutput(outputs, () => new Float64Array(P * d))
      const lengths = perOutput(outputs, () => new Float64Array(P))
      const regression = kernelRegression({ maps, loss, landmarks, seed })
      const { theta, fit } = regression
      const dual = new Float64Array(fit.length)
      // best, since: the smallest gap of a round, relative, and the rounds after it
      let gap = 1
      let before: Vector[] | undefined
      let last = Number.POSITIVE_INFINITY

      const look = (): void => {
        for (let k = 0; k < outputs; k++) {
          maps.correlations(all, regression.column(k), vectors[k])
          for (let b = 0; b < P; b++) lengths[k]![b] = norm(vectors[k]!.subarray(b * d, (b + 1) * d))
        }
      }
      const write = (): void => {
        for (let k = 0; k < outputs; k++)
          for (let b = 0; b < P; b++) {
            const to = maps.start(b, k)
            for (let j = 0; j < d; j++) coefficients[to + j] = eta[k]![b]! * vectors[k]![b * d + j]!
          }
      }
      const size = (): number =>
        eta.reduce((total, of, k) => total + of.reduce((sum, entry, b) => sum + entry * lengths[k]![b]!, 0), 0)
      const top = (): number => lengths.reduce((most, of) => of.reduce((m, length) => Math.max(m, length), most), 0)

      /** theta for the weights, a look at all blocks, the gap there, and the next weights, at lambda `next`. */
      function* round(lambda: number, next: number): Generator<Step, void> {
        const t0 = process.cpuUsage().user
        let primal = 0
        for (let halving = 0; ; halving++) {
          yield* regression.settle(eta, gap, { coefficients, certify: false })
          look()
          primal = loss.value(fit) + lambda * size()
          if (!before || !(primal > last * (1 + SLACK)) || halving === HALVINGS) break
          if (LOG) console.log(`   halved: ${primal} after ${last}`)
          eta = eta.map((of, k) => of.map((entry, b) => (entry + before![k]![b]!) / 2))
        }
        write()
        const s = Math.min(1, lambda / top())
        const bound = dualPoint(loss, theta, fit, s, dual)
        gap = Math.max(0, (primal - bound) / primal)
        const t1 = process.cpuUsage().user
        last = loss.value(fit) + next * size()
        before = eta
        const step: Vector[] = []
        for (let k = 0; k < outputs; k++) {
          const { maps: some, model } = regression.model(k)
          step.push(newtonStep(some, model, eta[k]!, vectors[k]!, lengths[k]!, next) ?? eta[k]!)
          yield { coefficients, certify: false }
        }
        eta = step
        if (LOG) {
          let pairs = 0
          for (const of of before) for (const e of of) if (e > 0) pairs++
          console.log(
            `lambda ${lambda.toPrecision(3)}: primal ${primal.toPrecision(6)} dual about ${bound.toPrecision(6)} gap ${gap.toPrecision(3)} top ${(top() / lambda).toPrecision(4)} pairs ${pairs} cpu ${((t1 - t0) / 1e6).toFixed(1)} + ${((process.cpuUsage().user - t1) / 1e6).toFixed(1)}`,
          )
        }
      }

      operator.apply(coefficients, fit)
      loss.gradient(fit, theta)
      for (let k = 0; k < theta.length; k++) theta[k] = -theta[k]!
      if (coefficients.every((entry) => entry === 0)) {
        look()
        const way = [...ladder(top(), goal).flatMap((lambda) => Array<number>(WARM_STEPS).fill(lambda)), goal]
        eta = perOutput(outputs, (k) => regression.begin(k, lengths[k]!, way[0]!))
        for (let s = 0; s + 1 < way.length; s++) yield* round(way[s]!, way[s + 1]!)
      }
      let best = Number.POSITIVE_INFINITY
      let since = 0
      for (let due = WORTH_A_LOOK; since < PATIENCE; since++) {
        yield* round(goal, goal)
        if (gap < ENOUGH * best) {
          best = gap
          since = 0
        }
        const certify = gap <= due || since === PATIENCE - 1
        if (certify) due = Math.min(due, gap) / LESS
        yield { coefficients, dual, certify }
      }
      yield* proximalGradient().iterate({ ...program, operator: operator.exact ?? operator }, { coefficients })
    },
  }
}

/** From which relative gap on a certificate is asked for, and by how much less it must be for the next. */
const WORTH_A_LOOK = 0.03
const LESS = 1.5
/** So many rounds, none of which brings the gap below this share of the best, are what float32 leaves to gain. */
const PATIENCE = 10
const ENOUGH = 0.9
/** Steps at each lambda of the way to a small one. */
const WARM_STEPS = 2
/** A step may raise the objective by this, relative, that theta is not solved for exactly; else it is halved, so often. */
const SLACK = 1e-3
const HALVINGS = 4

/** out <- a point of the dual's domain near theta, or -dF(fit) where none is known; returns the value at its multiple s. */
function dualPoint(loss: ConvexProgram['loss'], theta: Vector, fit: Vector, s: number, out: Vector): number {
  const value = (p: Vector): number => {
    for (let k = 0; k < p.length; k++) out[k] = -p[k]!
    return -loss.conjugate(p.map((entry) => s * entry))
  }
  const minus = theta.map((entry) => -entry)
  const found = value(loss.intoDomain?.(minus) ?? minus)
  return found > Number.NEGATIVE_INFINITY ? found : value(loss.gradient(fit))
}

function perOutput(outputs: number, make: (output: number) => Vector): Vector[] {
  return Array.from({ length: outputs }, (_, k) => make(k))
}

function supports({ name, loss, operator, penalty, lambda }: ConvexProgram): true | string {
  const { blocks } = operator
  if (!loss.hessian && !loss.curvatures)
    return `nystrom-newton-cg needs a loss with second derivatives and ${name} has ${loss.name}${loss.intercept ? ' with an intercept' : ''}; use proximalGradient().`
  if (!blocks?.sketch || !blocks.combination)
    return `nystrom-newton-cg needs an operator that can be sketched and that of ${name} cannot; make the program with precision: 'float32'.`
  if (penalty.groups?.size !== blocks.size)
    return `nystrom-newton-cg needs one group a block and output and ${name} has ${penalty.name}; use proximalGradient().`
  if (!(lambda > 0))
    return `nystrom-newton-cg needs a lambda above 0 and ${name} has ${lambda}; use proximalGradient().`
  return true
}
