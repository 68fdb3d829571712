import type { ConvexProgram, Solver } from '../src/types.ts'
import { etaNewton } from './eta-newton.ts'
import { leastSquares } from './least-squares.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { proximalNewton } from './proximal-newton.ts'

/** Rows up to which Newton's methods may hold an n x n factor: 1 GiB in float64. */
const FACTOR_ROWS = 11_585

/**
 * The default solver for a program's structure: the first that takes it of
 *
 * 1. leastSquares: quadratic loss with no penalty or a quadratic one;
 * 2. etaNewton: squared loss with group norms, n x n (or smaller) factors while those stay below 1 GiB;
 * 3. proximalNewton: other losses that are sums over entries, with group norms, likewise;
 * 4. proximalGradient: everything else.
 *
 * @throws RangeError with every solver's reason when none does.
 */
export function chooseSolver(program: ConvexProgram): Solver {
  const reasons: string[] = []
  const rows = program.operator.blocks?.rows ?? Number.POSITIVE_INFINITY
  const newton = rows <= FACTOR_ROWS ? [etaNewton(), proximalNewton()] : []
  for (const solver of [leastSquares(), ...newton, proximalGradient()]) {
    const answer = solver.supports(program)
    if (answer === true) return solver
    reasons.push(answer)
  }
  throw new RangeError(`solve: no solver takes ${program.name}: ${reasons.join(' ')}`)
}
