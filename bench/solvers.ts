import * as solvers from '../solvers/index.ts'
import type { ConvexProgram, Solver } from '../src/index.ts'

/** A solver by its name, such as `proximal-gradient`; `default` is what `solve` would choose for the program. */
export function solverNamed(name: string, program: ConvexProgram): Solver {
  if (name === 'default') return solvers.chooseSolver(program)
  const factory = (solvers as Record<string, unknown>)[
    name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  ]
  if (typeof factory !== 'function')
    throw new RangeError(`bench: there is no solver ${name}; pass --solvers default,proximal-gradient.`)
  return (factory as () => Solver)()
}
