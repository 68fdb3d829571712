import type { ConvexProgram, Solver } from '../src/types.ts'
import { leastSquares } from './least-squares.ts'
import { proximalGradient } from './proximal-gradient.ts'

/**
 * The default solver for a program's structure: the first of the list that supports it.
 *
 * @throws RangeError with every solver's reason when none does.
 */
export function chooseSolver(program: ConvexProgram): Solver {
  const reasons: string[] = []
  for (const solver of [leastSquares(), proximalGradient()]) {
    const answer = solver.supports(program)
    if (answer === true) return solver
    reasons.push(answer)
  }
  throw new RangeError(`solve: no solver takes ${program.name}: ${reasons.join(' ')}`)
}
