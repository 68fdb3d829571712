import { callOf, given } from '../src/numerics/given.ts'

/** @throws TypeError when it is no solver, with the call that was probably meant. */
export function requireSolver(
  solver: { readonly supports: (program: never) => true | string },
  caller: string,
  example = 'proximalGradient()',
): void {
  if (typeof solver?.supports !== 'function')
    throw new TypeError(
      `${caller}: solver is ${given(solver)}, expected a solver; pass ${callOf(solver, example)}, or nothing.`,
    )
}
