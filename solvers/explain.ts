import type { Certificate, Solution } from '../src/types.ts'

/** What a status means and what to try, in a sentence or two. */
export function explain(solution: Pick<Solution, 'status' | 'certificate' | 'iterations' | 'solver'>): string {
  const { status, certificate, iterations, solver } = solution
  const close = closeness(certificate)
  switch (status) {
    case 'solved':
      return `Solved by ${solver} in ${iterations} iterations: ${close}.`
    case 'iteration-limit':
      return `Stopped after ${iterations} iterations: ${close}; raise maxIterations, loosen tolerance, or start from this solution.`
    case 'time-limit':
      return `Stopped at the time limit after ${iterations} iterations: ${close}; raise timeLimit or start from this solution.`
    case 'aborted':
      return `Aborted after ${iterations} iterations: ${close}; pass this solution as start to go on.`
    case 'diverged':
      return `Diverged after ${iterations} iterations: the objective became infinite or NaN; standardise the data or give a smaller first step.`
  }
}

/** The gap, or where the bound says nothing (lambda = 0), the KKT residuals. */
function closeness({ relativeGap, stationarity, complementarity }: Certificate): string {
  return relativeGap < 0.5
    ? `the objective is at most ${((100 * relativeGap) / (1 - relativeGap)).toPrecision(2)} % above the optimum`
    : `the KKT conditions hold to ${Math.max(stationarity, complementarity).toExponential(1)}, and there is no useful lower bound`
}
