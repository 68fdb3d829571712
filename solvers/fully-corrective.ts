import { backend } from '../src/numerics/backends/index.ts'
import { blockNorm, isZeroBlock } from '../src/numerics/blocks.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { mirrorLower } from '../src/numerics/triangular.ts'
import type { ConvexProgram, Solver, Vector } from '../src/types.ts'
import { nonnegativeQp } from './nonnegative-qp.ts'

/** Settings of `fullyCorrective`. */
export interface FullyCorrectiveOptions {
  /** Rounds whose directions are kept, beside those of the point itself (default 3). */
  keep?: number
}

/**
 * Fully corrective conditional gradient for sums of gauges over blocks:  minimise F(Au) + lambda sum_b gauge(u_b).
 *
 * The first step gives every block of the start its best factor s_b >= 0, a non-negative quadratic program in the s_b. Each step
 * after it takes from the residual r what its blocks would like best, the prox of A'r, and finds the best non-negative
 * combination of the blocks at hand and those of the last rounds. Combinations of vectors of a cone stay in it: blocks
 * that must lie in cones do. The objective never rises; a step costs a product with A', a projection of each block that may
 * gain, and one Gram matrix an output of the blocks in use.
 *
 * For blocks whose projections are dear, such as those of a ReLU program of many rows: it gains most in the first few steps, where
 * `proximalGradient()`, with a projection of each block a step too, needs hundreds. Takes the plain squared loss; with
 * `maxIterations: 1` it is a final re-scaling of a network's neurons.
 *
 * Harchaoui, Juditsky and Nemirovski 2015, Math. Program. 152; full correction: Jaggi 2013, ICML.
 *
 * @throws RangeError when `keep` is no whole number of at least 1.
 */
export function fullyCorrective(options: FullyCorrectiveOptions = {}): Solver {
  requireOptions(options, { keep: 'number' }, 'fullyCorrective')
  const { keep = 3 } = options
  if (!Number.isInteger(keep) || keep < 1)
    throw new RangeError(`fullyCorrective: keep is ${keep}, expected a positive whole number; pass for example 3.`)
  return {
    name: 'fully-corrective',
    supports,
    *iterate(program, start) {
      const { loss, penalty, lambda } = program
      // What costs is projections: products may as well be of float64.
      const operator = program.operator.exact ?? program.operator
      const n = operator.rows
      let u: Vector = start?.coefficients.slice() ?? new Float64Array(operator.columns)
      if (u.some((entry) => entry !== 0)) {
        u = combine(program, [u])
        yield { coefficients: u, certify: true }
      }
      const residual = new Float64Array(n)
      const recent: Vector[] = []
      for (;;) {
        loss.gradient(operator.apply(u, residual), residual)
        for (let r = 0; r < n; r++) residual[r] = -residual[r]!
        recent.unshift(penalty.prox(operator.adjoint(residual), lambda))
        if (recent.length > keep) recent.pop()
        u = combine(program, [u, ...recent])
        yield { coefficients: u, certify: true }
      }
    },
  }
}

function supports({ name, loss, operator, penalty }: ConvexProgram): true | string {
  if (!loss.quadratic)
    return `fully-corrective needs the squared loss and ${name} has ${loss.name}; use proximalGradient().`
  if (!operator.blocks || penalty.blockNorms?.size !== operator.blocks.size)
    return `fully-corrective needs group norms, one group for each block and output of the operator, and ${name} has ${penalty.name}; use proximalGradient().`
  return true
}

/** sum_p s_bp u_bp over the points p, block by block, with the s >= 0 that minimise the objective where gauges add up. */
function combine(program: ConvexProgram, points: readonly Vector[]): Vector {
  const maps = program.operator.blocks!
  const { curvature, target } = program.loss.quadratic!
  const { rows: n, outputs, size, count } = maps
  const out = new Float64Array(program.operator.columns)
  for (let k = 0; k < outputs; k++) {
    const atoms: { block: number; start: number; point: Vector; norm: number }[] = []
    for (let block = 0; block < count; block++) {
      const start = maps.start(block, k)
      for (const point of points)
        if (!isZeroBlock(point, start, size)) atoms.push({ block, start, point, norm: blockNorm(point, start, size) })
    }
    const m = atoms.length
    if (m === 0) continue
    // Of length one each, so that factors are of one size.
    const vectors = new Float64Array(m * size)
    atoms.forEach(({ start, point, norm }, i) => {
      for (let j = 0; j < size; j++) vectors[i * size + j] = point[start + j]! / norm
    })
    const images = maps.images(
      Int32Array.from(atoms, ({ block }) => block),
      vectors,
    )
    const G = new Float64Array(m * m)
    backend().syrk(false, m, n, 1, images, n, 0, G, m)
    mirrorLower(m, G)
    const b = new Float64Array(m)
    backend().gemv(
      false,
      m,
      n,
      1,
      images,
      n,
      Float64Array.from({ length: n }, (_, r) => target[r * outputs + k]!),
      0,
      b,
    )
    for (let i = 0; i < m; i++) b[i]! -= program.lambda / curvature
    const factors = nonnegativeQp(
      backend(),
      m,
      G,
      b,
      Uint8Array.from(b, (slope) => Number(slope > 0)),
    )
    if (!factors) continue
    atoms.forEach(({ start }, i) => {
      if (factors[i]! > 0) for (let j = 0; j < size; j++) out[start + j]! += factors[i]! * vectors[i * size + j]!
    })
  }
  return out
}
