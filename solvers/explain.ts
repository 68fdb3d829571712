import type { Solution } from '../src/types.ts'

/** What a status means and what to try, in a sentence or two. */
export function explain(solution: Pick<Solution, 'status' | 'certificate' | 'iterations' | 'solver'>): string {
  const { status, certificate, iterations, solver } = solution
  const gap = `${(100 * certificate.relativeGap).toPrecision(2)} %`
  switch (status) {
    case 'solved':
      return `Solved by ${solver} in ${iterations} iterations: the objective is at most ${gap} above the optimum.`
    case 'iteration-limit':
      return `Stopped after ${iterations} iterations, at most ${gap} above the optimum; raise maxIterations, loosen tolerance, or start from this solution.`
    case 'time-limit':
      return `Stopped at the time limit after ${iterations} iterations, at most ${gap} above the optimum; raise timeLimit or start from this solution.`
    case 'aborted':
      return `Aborted after ${iterations} iterations, at most ${gap} above the optimum; pass this solution as start to go on.`
    case 'diverged':
      return `Diverged after ${iterations} iterations: the objective became infinite or NaN; standardise the data or give a smaller first step.`
  }
}
