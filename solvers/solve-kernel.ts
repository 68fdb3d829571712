import { isSolved } from '../src/certificates/certify.ts'
import { kernelCertifier } from '../src/certificates/certify-kernel.ts'
import { withLowerBound } from '../src/certificates/lower-bound.ts'
import { type OptionKinds, requireOptions } from '../src/numerics/options.ts'
import type { Certificate, FilterPoint, KernelProgram, KernelSolver, Progress, Status, Vector } from '../src/types.ts'
import { columnGeneration } from './column-generation.ts'
import { dualAscent } from './dual-ascent.ts'
import { interiorPoint } from './interior-point.ts'
import { type RecoveryOptions, recoverWeights } from './recover-weights.ts'
import { requireSolver } from './require-solver.ts'

/** Which solver, how close, and when to stop. */
export interface SolveKernelOptions {
  /** Default: `columnGeneration()`; for losses with a corner `interiorPoint()`, and `dualAscent()` where that is too large. */
  solver?: KernelSolver
  /** Relative duality gap at which an answer counts as solved (default 1e-6). */
  tolerance?: number
  /** Iterates, each of one or more kernel passes (default 200). */
  maxIterations?: number
  /** Seconds (default none). */
  timeLimit?: number
  signal?: AbortSignal
  /** Called at every iterate. */
  onProgress?: (progress: Progress) => void
  /** How weights are recovered where a solver finds alpha alone. */
  recovery?: RecoveryOptions
}

/** The answer of a kernel solver: alpha, a fit and the matrix behind it, with a certificate. */
export interface KernelSolution<M = unknown> {
  readonly program: KernelProgram<M>
  readonly solver: string
  readonly status: Status
  readonly iterations: number
  readonly seconds: number
  readonly certificate: Certificate
  /** Feasible: |M(dual)| <= lambda. */
  readonly dual: Vector
  readonly fit: Vector
  /** |A|_* */
  readonly norm: number
  readonly filters: FilterPoint
  /** Recovered on first read. */
  readonly model: M
}

const optionNames: OptionKinds<SolveKernelOptions> = {
  solver: true,
  tolerance: 'number',
  maxIterations: 'number',
  timeLimit: 'number',
  signal: true,
  onProgress: true,
  recovery: true,
}

/** The best primal point and the best bound of a walk. */
interface Best {
  readonly fit: Vector
  readonly norm: number
  readonly filters: FilterPoint
}

/**
 * Solves a kernel program. Weights are recovered from alpha wherever a solver has none of its own or recovery finds better
 * ones. Not converging is a status, never an exception.
 *
 * @throws RangeError when the options are out of range or the solver does not take the program.
 */
export function solveKernel<M>(program: KernelProgram<M>, options: SolveKernelOptions = {}): KernelSolution<M> {
  const { solver = chooseKernelSolver(program), tolerance = 1e-6, maxIterations = 200 } = options
  const { timeLimit = Number.POSITIVE_INFINITY, signal, onProgress, recovery } = options
  requireOptions(options, optionNames, 'solveKernel')
  requireSolver(solver, 'solveKernel', 'dualAscent()')
  const answer = solver.supports(program)
  if (answer !== true) throw new RangeError(`solveKernel: ${answer}`)
  if (!(tolerance >= 0))
    throw new RangeError(`solveKernel: tolerance is ${tolerance}, expected at least 0; pass for example 1e-6.`)
  if (!(maxIterations >= 1))
    throw new RangeError(`solveKernel: maxIterations is ${maxIterations}, expected at least 1; pass for example 200.`)
  const begun = performance.now()
  const examine = kernelCertifier(program)
  const lossAtZero = program.loss.value(new Float64Array(program.loss.size))
  // best: the primal point of lowest objective · bound, dual: the best lower bound and the alpha behind it
  let best: Best | undefined
  let certificate: Certificate | undefined
  let bound = Number.NEGATIVE_INFINITY
  let dual: Vector | undefined
  let status: Status = 'iteration-limit'
  let iterations = 0

  const consider = (now: Certificate, point: Best): void => {
    if (certificate && !(now.primal < certificate.primal)) return
    certificate = now
    best = { ...point, fit: point.fit.slice() }
  }
  for (const iterate of solver.iterate(program)) {
    iterations++
    const { certificate: now, dual: feasible } = examine(iterate)
    if (Number.isNaN(now.dual) || Number.isNaN(now.primal)) {
      status = 'diverged'
      break
    }
    if (now.dual > bound) {
      bound = now.dual
      dual = feasible.slice()
    }
    const { fit, norm, filters, recover = false } = iterate
    if (fit && norm !== undefined && filters) consider(now, { fit, norm, filters })
    if (recover || !certificate) {
      const found = recoverWeights(program, iterate.dual, recovery)
      consider(found.certificate, { fit: found.fit, norm: found.norm, filters: found })
    }
    const current = withLowerBound(certificate!, bound, lossAtZero)
    onProgress?.({ iteration: iterations, seconds: (performance.now() - begun) / 1000, certificate: current })
    if (isSolved(current, program.lambda, tolerance)) status = 'solved'
    else if (signal?.aborted) status = 'aborted'
    else if (iterations >= maxIterations) status = 'iteration-limit'
    else if ((performance.now() - begun) / 1000 > timeLimit) status = 'time-limit'
    else continue
    break
  }
  if (!best || !certificate || !dual)
    throw new RangeError(`solveKernel: ${solver.name} gave no finite point; check the data.`)
  const point = best
  let model: M | undefined
  return {
    program,
    solver: solver.name,
    status,
    iterations,
    seconds: (performance.now() - begun) / 1000,
    certificate: withLowerBound(certificate, bound, lossAtZero),
    dual,
    ...point,
    get model() {
      return (model ??= program.recover(point.filters))
    },
  }
}

/** The default solver for a kernel program. */
export function chooseKernelSolver(program: KernelProgram): KernelSolver {
  const reasons: string[] = []
  for (const solver of [columnGeneration(), interiorPoint(), dualAscent()]) {
    const answer = solver.supports(program)
    if (answer === true) return solver
    reasons.push(answer)
  }
  throw new RangeError(`solveKernel: no solver takes ${program.name}: ${reasons.join(' ')}`)
}
