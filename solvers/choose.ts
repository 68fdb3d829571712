import { lambdaMax } from '../src/certificates/lambda-max.ts'
import { given } from '../src/numerics/given.ts'
import type { ConvexProgram, Solver } from '../src/types.ts'
import { coneNewton } from './cone-newton.ts'
import { etaNewton } from './eta-newton.ts'
import { fullyCorrective } from './fully-corrective.ts'
import { leastSquares } from './least-squares.ts'
import { newtonCg } from './newton-cg.ts'
import { nystromNewton } from './nystrom-newton.ts'
import { nystromNewtonCg } from './nystrom-newton-cg.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { proximalNewton } from './proximal-newton.ts'
import { workingSet } from './working-set.ts'

/** Rows up to which Newton's methods may hold an n x n factor: 1 GiB in float64. */
const FACTOR_ROWS = 11_585
/** Rows up to which a few of them take so little time that no other method is worth its risk of many iterations. */
const FEW_ROWS = 4000

/**
 * The default solver for a program's structure: the first that takes it of
 *
 * 1. leastSquares: quadratic loss with no penalty or a quadratic one;
 * 2. for group norms, nystromNewton where it takes the program: squared loss, one group a block and output, products of
 *    float32; nystromNewtonCg likewise for other losses with second derivatives; elsewhere by the iterations that a first-order
 *    method would take, about 100 (lambda_max / lambda)^0.6:
 *    - etaNewton (squared loss) up to 4000 rows, and above where its few n x n factorisations cost less than those iterations on
 *      well conditioned data, n^2 <= iterations / 8 * d P for n rows and P blocks of d;
 *    - proximalNewton (other losses that are sums over entries) where n^2 <= iterations / 6 * d P, and lambda is below about
 *      0.007 lambda_max: with curvature that fades first-order methods take fewer iterations;
 *    - workingSet(newtonCg()) for the squared loss on more rows, at lambda below about lambda_max / 6;
 * 3. coneNewton: squared loss with group norms on cones, the ReLU program; fullyCorrective where the cones' rows are read a block
 *    at a time, and faces are not to be had;
 * 4. workingSet(proximalGradient()): other penalties that make blocks zero, and the rest of 2;
 * 5. proximalGradient: everything else, other losses on cones among it.
 *
 * Where that holds is measured in bench/newton.ts.
 *
 * @throws RangeError with every solver's reason when none does.
 */
export function chooseSolver(program: ConvexProgram): Solver {
  if (typeof program?.operator !== 'object')
    throw new TypeError(
      `solve: the program is ${given(program)}, expected a convex program; pass what one of the program functions returns.`,
    )
  const reasons: string[] = []
  // Where blocks lie in cones the prox passes over inactive ones by itself: working sets save nothing.
  const rest = program.penalty.domain ? [coneNewton(), ...rows(program)] : [workingSet()]
  for (const solver of [leastSquares(), ...newton(program), ...rest, proximalGradient()]) {
    const answer = solver.supports(program)
    if (answer === true) return solver
    reasons.push(answer)
  }
  throw new RangeError(`solve: no solver takes ${program.name}: ${reasons.join(' ')}`)
}

/** For cones without faces; elsewhere what `coneNewton` does not take needs another loss, and the reason says so. */
function rows({ penalty }: ConvexProgram): Solver[] {
  return penalty.cones ? [] : [fullyCorrective()]
}

/** First-order iterations from which on conjugate gradients take less time, and from which on a model of the loss does. */
const MANY = 300
const MORE = 2000

function newton(program: ConvexProgram): Solver[] {
  const { operator, penalty, loss, lambda } = program
  if (!operator.blocks || !penalty.groups || !(lambda > 0)) return []
  if (nystromNewton().supports(program) === true) return [nystromNewton()]
  if (nystromNewtonCg().supports(program) === true) return [nystromNewtonCg()]
  const { rows, count, size } = operator.blocks
  const iterations = 100 * Math.max(1, lambdaMax(program) / lambda) ** 0.6
  const worth = rows <= FACTOR_ROWS ? (iterations * size * count) / (rows * rows) : 0
  if (!loss.quadratic) return worth >= 6 && iterations >= MORE ? [proximalNewton()] : []
  if (worth >= 8 || rows <= FEW_ROWS) return [etaNewton()]
  return iterations >= MANY ? [workingSet({ inner: newtonCg(), growth: 3 })] : []
}
