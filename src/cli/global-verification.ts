import { type GlobalVerification, verifyGlobal } from '../../solvers/index.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import type { ConvexProgram } from '../types.ts'
import { interruptSignal, pairs, print, progressDisplay, type Terminal } from './terminal.ts'

/** A share as a percentage of two digits, small ones in powers of ten. */
function share(value: number): string {
  return value >= 0.001 || value === 0
    ? `${Number((100 * value).toPrecision(2))} %`
    : `${(100 * value).toExponential(1)} %`
}

/** From one share to another, or the one where both read alike. */
function between(least: number, most: number): string {
  return share(least) === share(most) ? share(most) : `${share(least)} to ${share(most)}`
}

/** What of the comparison goes into a file: not the program, nor its points. */
export function globalJson({ best, ...rest }: GlobalVerification<TwoLayerNetwork>): object {
  const { status, rounds, seconds, certificate, model } = best
  return { ...rest, best: { status, rounds, seconds, certificate, neurons: model.width } }
}

/** The network beside the best of any width; Ctrl-C ends the search with what is known by then. */
export async function globally(
  modelPath: string,
  program: ConvexProgram<TwoLayerNetwork>,
  network: TwoLayerNetwork,
  flags: Terminal & { timeLimit?: number },
): Promise<GlobalVerification<TwoLayerNetwork>> {
  if (!program.neurons)
    throw new Error(
      `${modelPath} is a ${program.name} model and --global compares ReLU networks; fit one with --program relu, or leave --global out.`,
    )
  const display = progressDisplay(flags)
  try {
    return await verifyGlobal(program, network, {
      signal: interruptSignal(display),
      ...(flags.timeLimit !== undefined && { timeLimit: flags.timeLimit }),
      onProgress: ({ round, objective, price, gates }) =>
        display.update(
          Math.min(0.99, 1 / Math.max(price, 1)),
          `round ${round}: objective ${objective.toPrecision(6)}, ${gates} patterns, highest price ${price.toPrecision(5)} lambda`,
        ),
    })
  } finally {
    display.stop()
  }
}

/** The comparison on the terminal. */
export function printGlobal(global: GlobalVerification<TwoLayerNetwork>): void {
  const { best, lowerBound, network, excess, leastExcess } = global
  print(`Over all networks of any width (${best.rounds} rounds, ${best.seconds.toFixed(1)} s):`)
  for (const line of pairs([
    ['best objective', `${best.certificate.primal.toPrecision(12)}, by ${best.model.width} neurons`],
    ['lower bound', lowerBound.toPrecision(12)],
    ['this network', `${network.toPrecision(12)}, ${between(leastExcess, excess)} above the best`],
    ['verdict', best.certificate.statement],
  ]))
    print(line)
}
