import { blockNorm } from '../src/numerics/blocks.ts'
import { requireOptions } from '../src/numerics/options.ts'
import type { ConvexProgram, Solver, Step, Vector } from '../src/types.ts'
import { kernelRegression } from './kernel-regression.ts'
import { newtonStep, wayDown, wayFrom } from './nystrom-steps.ts'
import { proximalGradient } from './proximal-gradient.ts'

/** Settings of `nystromNewtonCg`. */
export interface NystromNewtonCgOptions {
  /** Rows that the kernels are sketched by (default: 1000, and at most the rows there are). */
  landmarks?: number
  /** Seed of their choice (default 1). */
  seed?: number
}

/**
 * Newton's method on the variational weights of group norms, for smooth losses and rows that no n x n factor can be held of:
 *
 *     minimise F(Au) + lambda sum_b |u_b| ,   u_b = eta_b A_b'theta ,   theta = -dF(K theta) ,   K = sum_b eta_b A_b A_b' ,
 *
 * an eta for every block and output, K output by output; what is sought are weights with |A_b'theta| = lambda where they are
 * positive and at most that elsewhere.
 *
 * Every step solves for theta by Newton's method on the loss, with its whole second derivative (softmax couples the outputs) and
 * conjugate gradients on the rows that have curvature, preconditioned by a Nystrom sketch of K for each output; then it looks
 * at all blocks, and takes a Newton step on each output's eta with the sketch in place of K and the second derivative's diagonal.
 * A step costs four products with A or A', some ten to thirty on the active blocks and the rows with curvature, and the sketches
 * (rows times landmarks times the active blocks and the landmarks, for each output). Memory: the sketches, rows times landmarks
 * times outputs in float32. Small lambdas are reached through larger ones. Iterates carry theta as their dual point, moved into
 * the domain of F*. Where float32 leaves nothing to gain, it goes on as proximal gradient in float64.
 *
 * Takes softmax, logistic and other losses with second derivatives, without an intercept, and one group a block and output, over
 * an operator that can be sketched: that of a program with float32 products. A start's weights are read off its coefficients.
 *
 * Variational weights: Bach, Jenatton, Mairal and Obozinski 2012, Found. Trends Mach. Learn. 4(1). Nystrom preconditioning:
 * Frangella, Tropp and Udell 2023, SIAM J. Matrix Anal. Appl. 44(2). Truncated Newton: Dembo and Steihaug 1983, Math. Program. 26.
 *
 * @throws RangeError when an option is out of range.
 */
export function nystromNewtonCg(options: NystromNewtonCgOptions = {}): Solver {
  requireOptions(options, { landmarks: 'number', seed: 'number' }, 'nystromNewtonCg')
  const { landmarks = 1000, seed = 1 } = options
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
      let eta: Vector[] = []
      const vectors = perOutput(outputs, () => new Float64Array(P * d))
      const lengths = perOutput(outputs, () => new Float64Array(P))
      const regression = kernelRegression({ maps, loss, landmarks, seed })
      const { theta, fit } = regression
      const dual = new Float64Array(fit.length)
      // measured: the weights and theta that a round ended with, its lambda, and the objective at the next round's
      let measured: { eta: Vector[]; theta: Vector; lambda: number; objective: number } | undefined
      let gap = 1
      let damping = 0

      /** The last point that was measured, with its dual point. */
      const at = (): Step => ({ coefficients, ...(measured && { dual }), certify: false })

      const look = (): void => {
        for (let k = 0; k < outputs; k++) {
          maps.correlations(all, regression.column(k), vectors[k])
          for (let b = 0; b < P; b++) lengths[k]![b] = blockNorm(vectors[k]!, b * d, d)
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
        let primal = 0
        let halvings = 0
        for (; ; halvings++) {
          yield* regression.settle(eta, gap, at())
          look()
          primal = loss.value(fit) + lambda * size()
          if (!measured || !(primal > measured.objective * (1 + SLACK)) || halvings === HALVINGS) break
          const before = measured.eta
          eta = eta.map((of, k) => of.map((entry, b) => (entry + before[k]![b]!) / 2))
          theta.set(measured.theta)
        }
        write()
        const bound = dualPoint(loss, theta, fit, Math.min(1, lambda / top()), dual)
        const known = gap
        gap = Math.max(0, (primal - bound) / primal)
        const worse = measured?.lambda === lambda && (halvings > 0 || gap > known / ENOUGH)
        damping = worse ? Math.min(DAMPING.most, Math.max(DAMPING.first, 10 * damping)) : damping / 3
        if (damping < DAMPING.least) damping = 0
        measured = { eta, theta: theta.slice(), lambda, objective: loss.value(fit) + next * size() }
        const step: Vector[] = []
        for (let k = 0; k < outputs; k++) {
          const found = newtonStep(
            maps,
            regression.model(k),
            eta[k]!,
            vectors[k]!,
            lengths[k]!,
            next,
            damping || undefined,
          )
          step.push(found ?? eta[k]!)
          yield at()
        }
        eta = step
      }

      operator.apply(coefficients, fit)
      loss.gradient(fit, theta)
      for (let k = 0; k < theta.length; k++) theta[k] = -theta[k]!
      look()
      const cold = coefficients.every((entry) => entry === 0)
      const way = cold ? wayDown(top(), goal) : wayFrom(top(), goal)
      // A start that is an optimum for another lambda has u_b = eta_b A_b'theta and |A_b'theta| = that lambda.
      eta = perOutput(outputs, (k) =>
        cold
          ? regression.begin(k, lengths[k]!, way[0]!)
          : Float64Array.from(
              all,
              (b) => blockNorm(coefficients, maps.start(b, k), d) / Math.max(goal, lengths[k]![b]!),
            ),
      )
      for (let s = 0; s + 1 < way.length; s++) yield* round(way[s]!, way[s + 1]!)
      // best, since: the smallest gap of a round, relative, and the rounds after it
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
/** Damping of the Hessian of eta after a step that made things worse: at first and most; below the least it is none. */
const DAMPING = { first: 0.1, most: 10, least: 1e-3 }
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
  if (!blocks || penalty.groups?.size !== blocks.size)
    return `nystrom-newton-cg needs one group a block and output and ${name} has ${penalty.name}; use proximalGradient().`
  if (!blocks.sketch || !blocks.pairs)
    return `nystrom-newton-cg needs an operator that can be sketched and that of ${name} cannot; make the program with precision: 'float32'.`
  if (!(lambda > 0))
    return `nystrom-newton-cg needs a lambda above 0 and ${name} has ${lambda}; use proximalGradient().`
  return true
}
