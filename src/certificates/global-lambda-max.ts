import type { ConvexProgram } from '../types.ts'
import { requireNeurons } from './global-certificate.ts'
import { type PricingOptions, priceNeurons } from './pricing/price-neurons.ts'

/**
 * The smallest lambda for which no network of any width is better than the zero network: the highest price of a neuron at
 * -dF(0) or its opposite (see `globalCertificate`), between what was found and what it is at most. `lambdaMax` is that of
 * the patterns at hand, and never above it.
 *
 * @throws RangeError when the program has no family of neurons to choose from, or several outputs.
 */
export function globalLambdaMax(
  program: ConvexProgram,
  options: Omit<PricingOptions, 'target' | 'stopAtViolation' | 'given'> = {},
): { readonly lower: number; readonly upper: number } {
  const { inputs } = requireNeurons({ ...program, lambda: 1 }, 'globalLambdaMax')
  const slope = program.loss.gradient(new Float64Array(program.operator.rows))
  let lower = 0
  let upper = 0
  for (const r of [slope, slope.map((entry) => -entry)]) {
    const working = priceNeurons(inputs, r, options)
    let at = working.next()
    while (!at.done) at = working.next()
    lower = Math.max(lower, at.value.lower)
    upper = Math.max(upper, at.value.upper)
  }
  return { lower, upper }
}
