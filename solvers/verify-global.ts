import { verify } from '../src/certificates/index.ts'
import type { ConvexProgram } from '../src/types.ts'
import { type GenerateGatesOptions, type GlobalSolution, generation } from './generate-gates.ts'
import { breathe } from './turn.ts'

/** A network beside the best one of any width. */
export interface GlobalVerification<M = unknown> {
  /** F(f(X)) + lambda/2 (|W1|^2 + |W2|^2) of the network given. */
  readonly network: number
  /** What its neurons pay once each is balanced, |w1| = |w2|, and those of one direction are merged. */
  readonly balanced: number
  /** No network of any width has a lower objective than this. */
  readonly lowerBound: number
  /** (network - lowerBound) / lowerBound: the network is at most this share above the best of any width. */
  readonly excess: number
  /** (network - best) / best: ... and at least this. */
  readonly leastExcess: number
  /** The best network found, which the bound belongs to. */
  readonly best: GlobalSolution<M>
  /** What this says, as a sentence. */
  readonly statement: string
}

/**
 * How far a network is from the best of any width: trains over all networks (see `solveGlobal`), starting from this one, and
 * compares. The network may come from anywhere, such as stochastic gradient descent; the program must have its activation
 * patterns: `gatesOf(network, X)`.
 *
 * @throws RangeError when the network does not fit the program, or as `solveGlobal` does.
 */
export async function verifyGlobal<M>(
  program: ConvexProgram<M>,
  model: M,
  options: GenerateGatesOptions = {},
): Promise<GlobalVerification<M>> {
  const { network, program: own } = verify(program, model)
  if (network === undefined)
    throw new RangeError(
      `verifyGlobal: the ${program.name} program has no objective of a network, expected one whose networks have one output; pass one column of y.`,
    )
  const best = await breathe(generation(program, options, program.embed(model)))
  const { dual, primal, statement } = best.certificate
  const excess = share(network - dual, dual)
  const leastExcess = share(network - primal, primal)
  return {
    network,
    balanced: own.primal,
    lowerBound: dual,
    excess,
    leastExcess,
    best,
    statement: `the network's objective is ${percent(leastExcess)} to ${percent(excess)} above the best of any width (${statement})`,
  }
}

function share(difference: number, whole: number): number {
  return difference <= 0 ? 0 : difference / Math.abs(whole)
}

function percent(value: number): string {
  return value >= 0.001 ? `${(100 * value).toPrecision(3)} %` : `${(100 * value).toExponential(1)} %`
}
