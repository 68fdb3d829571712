import { given } from '../numerics/given.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { scaled } from '../numerics/vectors.ts'
import type { Certificate, ConvexProgram, Iterate, NeuronFamily, Vector } from '../types.ts'
import { bestScale, certifier } from './certify.ts'
import { atZero } from './gradient-at-zero.ts'
import { withLowerBound } from './lower-bound.ts'
import type { Priced } from './pricing/neuron-ascent.ts'
import { type Pricing, type PricingOptions, priceNeurons } from './pricing/price-neurons.ts'

/** How hard to search for a better neuron, and when a gap is a proof. */
export interface GlobalCertificateOptions extends Omit<PricingOptions, 'target'> {
  /** Relative gap that counts as a proof (default 1e-6). */
  readonly tolerance?: number
}

const optionNames: OptionKinds<GlobalCertificateOptions> = {
  stopAtViolation: 'boolean',
  starts: 'number',
  maxNodes: 'number',
  seed: 'number',
  given: true,
  tolerance: 'number',
}

/**
 * How much the certificate over all networks is worth:
 *
 * - `proved`: no network of any width is better by more than the tolerance;
 * - `bounded`: branch and bound ended early: none is better by more than `relativeGap`;
 * - `violated`: a neuron was found that lowers the objective;
 * - `searched`: no such neuron was found by so many searches, which proves nothing; the bound is a crude one.
 */
export type Verdict = 'proved' | 'bounded' | 'violated' | 'searched'

/** A certificate over all networks of the program's kind, whatever their width and activation patterns. */
export interface GlobalCertificate extends Certificate {
  /** `network` for one output; with several, `program`: networks whose neurons serve one output each. */
  readonly scope: 'network' | 'program'
  readonly verdict: Verdict
  /** The largest price of a neuron at the residual, over lambda: what was found, and what it is at most. 1 at an optimum. */
  readonly price: { readonly lower: number; readonly upper: number }
  /** Neurons found with a price above lambda, the highest first. */
  readonly violations: readonly Priced[]
  readonly searches: number
  /** Cones of branch and bound. */
  readonly nodes: number
  /** The verdict as a sentence. */
  readonly statement: string
}

/**
 * Bounds the network's own objective over *every* network of one hidden layer, of any width and with any activation patterns:
 *
 *     max over r   -F*(-r)   subject to   r'(Xu)_+ <= lambda and -r'(Xu)_+ <= lambda for all |u| <= 1
 *
 * is the dual of the program with all patterns (Pilanci and Ergen, ICML 2020). The residual r of the point given is scaled
 * until an upper bound of its price allows it (see `priceNeurons`), so that `dual` is a lower bound for every network.
 * `primal` and the residuals are those of `certify`.
 *
 * With several outputs each has its own price, and the bound is over one-vs-all networks, whose neurons serve one output each:
 * one that serves several may pay less.
 *
 * At an optimum over too few patterns the price is above lambda; `solveGlobal` adds neurons until it is not.
 *
 * @throws RangeError when the program has no family of neurons to choose from, lambda = 0, or an option is out of range.
 */
export function globalCertificate(
  program: ConvexProgram,
  iterate: Iterate,
  options: GlobalCertificateOptions = {},
): GlobalCertificate {
  check(options)
  const working = globalCertification(program, iterate, options)
  for (;;) {
    const at = working.next()
    if (at.done) return at.value
  }
}

function check(options: GlobalCertificateOptions): void {
  requireOptions(options, optionNames, 'globalCertificate')
  const { tolerance = 1e-6, starts = 0, maxNodes = 0 } = options
  // From 1 on every gap would count as a proof.
  if (!(tolerance > 0 && tolerance < 1))
    throw new RangeError(
      `globalCertificate: tolerance is ${tolerance}, expected above 0 and below 1; pass for example 1e-6.`,
    )
  for (const [name, value] of Object.entries({ starts, maxNodes }))
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(
        `globalCertificate: ${name} is ${value}, expected a whole number of at least 0; pass for example 1000.`,
      )
}

/** `globalCertificate` in pieces: yields now and then. */
export function* globalCertification(
  program: ConvexProgram,
  iterate: Iterate,
  options: GlobalCertificateOptions = {},
): Generator<undefined, GlobalCertificate> {
  const { inputs, outputs } = requireNeurons(program, 'globalCertificate')
  const { tolerance = 1e-6, ...pricing } = options
  const { loss, lambda, operator } = program
  const { certificate, at } = certifier(program)(iterate)
  const r = loss.gradient(at.fit ?? operator.apply(at.coefficients)).map((entry) => -entry)
  // A scale that is off by a share is off by at most that share of the objective.
  const target = lambda * (1 + tolerance / 2)
  const sides: Pricing[] = []
  for (const { residual } of pricingSides(r, outputs))
    sides.push(yield* priceNeurons(inputs, residual, { ...pricing, target }))

  const upper = Math.max(...sides.map((side) => side.upper))
  const lower = Math.max(...sides.map((side) => side.lower))
  const dualPoint = new Float64Array(r.length)
  const dualValue = (s: number): number => 0 - loss.conjugate(scaled(r, -s, dualPoint))
  const dual = dualValue(bestScale(dualValue, upper > 0 ? lambda / upper : Number.POSITIVE_INFINITY))
  const bounded = withLowerBound(certificate, dual, atZero(program).loss)
  const { relativeGap } = bounded
  const searches = sides.reduce((total, side) => total + side.searches, 0)
  const nodes = sides.reduce((total, side) => total + side.nodes, 0)
  const verdict: Verdict =
    relativeGap <= tolerance ? 'proved' : lower > target ? 'violated' : nodes > 0 ? 'bounded' : 'searched'
  return {
    ...bounded,
    scope: outputs === 1 ? 'network' : 'program',
    verdict,
    price: { lower: lower / lambda, upper: upper / lambda },
    violations: sides
      .flatMap((side) => side.neurons.filter(({ price }) => price > target))
      .sort((a, b) => b.price - a.price),
    searches,
    nodes,
    statement: statementOf(
      verdict,
      relativeGap,
      lower / lambda,
      searches,
      outputs === 1 ? 'network' : 'one-vs-all network',
    ),
  }
}

/** The residuals that neurons are priced at: every output's column, and its opposite. */
export function pricingSides(r: Vector, outputs: number): { output: number; sign: 1 | -1; residual: Vector }[] {
  return Array.from({ length: outputs }, (_, output) =>
    ([1, -1] as const).map((sign) => ({
      ...{ output, sign },
      residual: Float64Array.from({ length: r.length / outputs }, (_, k) => sign * r[k * outputs + output]!),
    })),
  ).flat()
}

/** The family of neurons of a program with a lambda above 0; refused in words of the caller otherwise. */
export function requireNeurons({ name, neurons, extend, lambda }: ConvexProgram, caller: string): NeuronFamily {
  if (!neurons || !extend)
    throw new RangeError(
      `${caller}: the ${name} program is given, expected one of ReLU neurons; pass a reluProgram({ ... }).`,
    )
  if (!(lambda > 0))
    throw new RangeError(
      `${caller}: lambda is ${given(lambda)}, expected above 0, since without a penalty the bound over all networks is trivial; pass for example 0.01 * lambdaMax(program).`,
    )
  return neurons
}

function statementOf(verdict: Verdict, relativeGap: number, price: number, searches: number, kind: string): string {
  const share =
    relativeGap < 0.001 ? `a share of ${relativeGap.toExponential(1)}` : `${(100 * relativeGap).toPrecision(2)} %`
  switch (verdict) {
    case 'proved':
      return `proved: no ${kind} of any width is better by more than ${share}`
    case 'bounded':
      return `proved to ${share}: no ${kind} of any width is better by more than that; branch and bound ended early`
    case 'violated':
      return `not optimal over all networks: a neuron was found with a price of ${price.toPrecision(7)} lambda; no ${kind} is better by more than ${share}`
    case 'searched':
      return `no neuron that would lower the objective was found by ${searches} searches, which is no proof; proved is only that no ${kind} is better by more than ${share}`
  }
}
