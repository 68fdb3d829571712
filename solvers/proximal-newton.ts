import { backend } from '../src/numerics/backends/index.ts'
import { dot } from '../src/numerics/vectors.ts'
import type { BlockMaps, ConvexProgram, Solver, Step, Vector } from '../src/types.ts'
import { coneProblem } from './cone-problem.ts'
import { positiveCurvatures } from './positive-curvatures.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { variationalProblem } from './variational-problem.ts'

/** The model is solved until its gap is this share of the decrease that it promises. */
const ACCURACY = 0.1
/** Armijo's share of the decrease that the model promises. */
const ARMIJO = 1e-4
/** A promise this small, relative to the objective, is rounding. */
const ROUNDING = 1e-16
/** Bytes of scaled blocks that are kept. */
const COLUMNS = 2 ** 28

/**
 * Proximal Newton method for losses that are sums over entries:  minimise F(Au) + lambda sum_b |u_b|, the u_b in cones or not.
 *
 * Each step minimises the quadratic model of F at the fit z, with its gradient p and second derivatives h,
 *
 *     sum_r h_r (A u - t)_r^2 / 2 + lambda sum_b |u_b| ,    t = z - p / h
 *
 * inexactly by etaNewton's method, or coneNewton's where blocks lie in cones (on the rows sqrt(h_r) of A, started at the
 * last point), and goes as far towards the model's minimum as the objective falls enough. Takes one group a block and output; some five to ten models to a gap of
 * 1e-9, the later ones a few factorisations each. Yields at each step, of the model too.
 *
 * Lee, Sun and Saunders 2014, SIAM J. Optim. 24(3).
 */
export function proximalNewton(): Solver {
  return {
    name: 'proximal-newton',
    supports,
    *iterate(program, start) {
      const { operator, loss, penalty, lambda } = program
      const u = start?.coefficients.slice() ?? new Float64Array(operator.columns)
      const fit = operator.apply(u)
      let size = penalty.value(u)
      const goal = new Float64Array(u.length)
      const goalFit = new Float64Array(fit.length)
      const slope = new Float64Array(fit.length)
      const change = new Float64Array(fit.length)
      const trial = new Float64Array(fit.length)
      const trialPoint = new Float64Array(u.length)
      for (;;) {
        loss.gradient(fit, slope)
        goal.set(u)
        const models = quadraticModels(program, fit, slope, goal)
        // promised: how far the model says that the objective falls, not counting what its gap leaves open
        let promised = 0
        for (;;) {
          let moved = false
          for (const model of models)
            moved = (yield* aside(model.round(), { coefficients: u, fit, certify: false })) || moved
          operator.apply(goal, goalFit)
          for (let k = 0; k < fit.length; k++) change[k] = goalFit[k]! - fit[k]!
          promised = dot(slope, change) + lambda * (penalty.value(goal) - size)
          const open = models.reduce((total, { gap }) => total + gap, 0)
          if (!moved || open <= -ACCURACY * promised) break
        }
        if (!(promised < -ROUNDING * Math.abs(loss.value(fit) + lambda * size))) break
        let accepted = false
        for (let t = 1; t > 1e-8 && !accepted; t /= 2) {
          for (let k = 0; k < fit.length; k++) trial[k] = fit[k]! + t * change[k]!
          for (let j = 0; j < u.length; j++) trialPoint[j] = u[j]! + t * (goal[j]! - u[j]!)
          const trialSize = penalty.value(trialPoint)
          const fall = t * dot(slope, change) + loss.divergence(trial, fit) + lambda * (trialSize - size)
          if (!(fall <= ARMIJO * t * promised)) continue
          accepted = true
          u.set(trialPoint)
          fit.set(t === 1 ? goalFit : trial)
          size = trialSize
        }
        if (!accepted) break
        yield { coefficients: u, fit, certify: true }
      }
      yield* proximalGradient().iterate(program, { coefficients: u })
    },
  }
}

/** Runs an inner walk to its end, yielding `at` wherever it yields. */
function* aside<R>(walk: Generator<unknown, R>, at: Step): Generator<Step, R> {
  for (;;) {
    const next = walk.next()
    if (next.done) return next.value
    yield at
  }
}

/** What the solvers of one quadratic model have in common. */
interface Model {
  /** primal - dual at the last look at all blocks. */
  readonly gap: number
  round(): Generator<Step, boolean>
}

/** The model of each output: a squared loss on rows scaled by the roots of the curvatures. `goal` is where they write. */
function quadraticModels(program: ConvexProgram, fit: Vector, slope: Vector, goal: Vector): Model[] {
  const { operator, loss, penalty, lambda } = program
  const maps = operator.blocks!
  const curvatures = positiveCurvatures(loss, fit, slope)
  const { rows: n, outputs } = maps
  return Array.from({ length: outputs }, (_, output) => {
    const roots = new Float64Array(n)
    const target = new Float64Array(n)
    for (let r = 0; r < n; r++) {
      const k = r * outputs + output
      const root = Math.sqrt(curvatures[k]!)
      roots[r] = root
      target[r] = root * fit[k]! - slope[k]! / root
    }
    const shared = { maps: scaledRows(maps, roots), lambda, coefficients: goal }
    return penalty.cones
      ? coneProblem({ ...shared, backend: backend(), cones: penalty.cones, output, target })
      : variationalProblem({ ...shared, outputs: [output], targets: [target] })
  })
}

/** The maps diag(s) A_b. */
function scaledRows(maps: BlockMaps, s: Vector): BlockMaps {
  const n = maps.rows
  const d = maps.size
  const scaledPoint = new Float64Array(n)
  const units = new Float64Array(d * d)
  for (let j = 0; j < d; j++) units[j * (d + 1)] = 1
  // (diag(s) A_b)', d x n, of the blocks that were asked for last.
  const columns = new Map<number, Vector>()
  const columnsOf = (b: number): Vector => {
    let known = columns.get(b)
    if (!known) {
      if (columns.size * d * n * 8 > COLUMNS) columns.clear()
      known = scaledMaps.images(new Int32Array(d).fill(b), units)
      columns.set(b, known)
    }
    return known
  }
  const scaledMaps: BlockMaps = {
    ...maps,
    images(chosen, vectors, out) {
      const images = maps.images(chosen, vectors, out)
      for (let i = 0; i < images.length; i += n) for (let r = 0; r < n; r++) images[i + r]! *= s[r]!
      return images
    },
    correlations(chosen, p, out) {
      for (let r = 0; r < n; r++) scaledPoint[r] = s[r]! * p[r]!
      return maps.correlations(chosen, scaledPoint, out)
    },
    kernel(chosen, weights, out) {
      const K = maps.kernel(chosen, weights, out)
      for (let r = 0; r < n; r++) for (let q = 0; q <= r; q++) K[r * n + q]! *= s[r]! * s[q]!
      return K
    },
    ...(maps.factor && { factor: () => maps.factor!(s) }),
    gram(b, c, out = new Float64Array(d * d)) {
      backend().gemm(false, true, d, d, n, 1, columnsOf(b), n, columnsOf(c), n, 0, out, d)
      return out
    },
  }
  return scaledMaps
}

function supports({ name, loss, operator, penalty, lambda }: ConvexProgram): true | string {
  const { blocks } = operator
  if (loss.quadratic)
    return `proximal-newton is for losses that are not quadratic and ${name} has ${loss.name}; use ${penalty.cones ? 'coneNewton' : 'etaNewton'}().`
  if (!loss.curvatures)
    return `proximal-newton needs a loss with second derivatives entry by entry and ${name} has ${loss.name}${loss.intercept ? ' with an intercept' : ''}; use proximalGradient().`
  if (!blocks)
    return `proximal-newton needs an operator that tells its blocks apart and that of ${name} does not; use proximalGradient().`
  if ((penalty.groups ?? penalty.cones)?.size !== blocks.size)
    return `proximal-newton needs a penalty that is a sum of Euclidean norms (on cones or not), one a block and output, and ${name} has ${penalty.name}; use proximalGradient().`
  if (!(lambda > 0)) return `proximal-newton needs a lambda above 0 and ${name} has ${lambda}; use proximalGradient().`
  return true
}
