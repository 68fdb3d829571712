import { gradientAtZero } from '../src/certificates/gradient-at-zero.ts'
import type { ConvexProgram, Solver } from '../src/types.ts'
import { etaNewton } from './eta-newton.ts'
import { leastSquares } from './least-squares.ts'
import { newtonCg } from './newton-cg.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { proximalNewton } from './proximal-newton.ts'
import { workingSet } from './working-set.ts'

/** Rows up to which Newton's methods may hold an n x n factor: 1 GiB in float64. */
const FACTOR_ROWS = 11_585

/**
 * The default solver for a program's structure: the first that takes it of
 *
 * 1. leastSquares: quadratic loss with no penalty or a quadratic one;
 * 2. etaNewton (squared loss) or proximalNewton (other losses that are sums over entries), with group norms, where the few
 *    n x n factorisations cost less than the first-order iterations they replace: for n rows, P blocks of d and about
 *    100 (lambda_max / lambda)^0.6 iterations, n^2 <= iterations / 2 * d P, which is nearly always so up to n = 2000;
 * 3. workingSet(newtonCg()): the same programs where factorisations cost more, at lambda below about a twentieth of
 *    lambda_max;
 * 4. workingSet(proximalGradient()): penalties that make blocks zero, at lambda > 0;
 * 5. proximalGradient: everything else.
 *
 * Where that holds is measured in bench/newton.ts.
 *
 * @throws RangeError with every solver's reason when none does.
 */
export function chooseSolver(program: ConvexProgram): Solver {
  const reasons: string[] = []
  for (const solver of [leastSquares(), ...newton(program), workingSet(), proximalGradient()]) {
    const answer = solver.supports(program)
    if (answer === true) return solver
    reasons.push(answer)
  }
  throw new RangeError(`solve: no solver takes ${program.name}: ${reasons.join(' ')}`)
}

/** First-order iterations from which on Newton's method by conjugate gradients takes less time. */
const MANY = 600

function newton(program: ConvexProgram): Solver[] {
  const { operator, penalty, lambda } = program
  if (!operator.blocks || !penalty.groups || !(lambda > 0)) return []
  const { rows, count, size } = operator.blocks
  const iterations = 100 * Math.max(1, penalty.polar(gradientAtZero(program)) / lambda) ** 0.6
  if (rows <= FACTOR_ROWS && rows * rows <= (iterations / 2) * size * count) return [etaNewton(), proximalNewton()]
  return iterations >= MANY ? [workingSet({ inner: newtonCg(), growth: 3 })] : []
}
