import {
  type GlobalCertificate,
  globalCertification,
  type Priced,
  priceNeurons,
  pricingSides,
  requireNeurons,
} from '../src/certificates/index.ts'
import { gatherBlocks, isZeroBlock } from '../src/numerics/blocks.ts'
import { matrix } from '../src/numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../src/numerics/options.ts'
import type { ConvexProgram, Iterate, Matrix, Progress, Solution, Solver, Vector } from '../src/types.ts'
import { walk } from './solve.ts'
import { breathe, startPace } from './turn.ts'

/** How hard `solveGlobal` searches, and when it stops. */
export interface GenerateGatesOptions {
  /** Relative gap over all networks at which the work ends (default 1e-6). */
  tolerance?: number
  /** Neurons to add a round at most (default 50). */
  perRound?: number
  /** Rounds at most (default 200). */
  maxRounds?: number
  /** Local searches a round and sign, at the beginning (default 128); four times as many each time they find nothing. */
  starts?: number
  /** ... and at most (default 2048). */
  maxStarts?: number
  /** Cones of branch and bound for a proof, a sign (default 100,000); 0 leaves out the proof. */
  maxNodes?: number
  /** Seed of the searches (default 1). */
  seed?: number
  /** Seconds (default none). */
  timeLimit?: number
  /** Default: what `solve` would choose. */
  solver?: Solver
  /** Aborting returns what there is, with status `aborted`. */
  signal?: AbortSignal
  /** Called after every round. */
  onProgress?: (round: GenerationRound) => void
}

/** What is known after a round of gate generation. */
export interface GenerationRound {
  readonly round: number
  readonly seconds: number
  /** Activation patterns of the program, and how many of them have a neuron. */
  readonly gates: number
  readonly neurons: number
  /** Objective of the network at hand. */
  readonly objective: number
  /** No network has a lower objective: of all rounds, the best bound that was proved; -Infinity before the first. */
  readonly bound: number
  /** The highest price found, over lambda: above 1 the objective can fall. */
  readonly price: number
  /** Neurons added. */
  readonly added: number
}

/** The best network of any width, as far as it was proved. */
export interface GlobalSolution<M = unknown> extends Omit<Solution<M>, 'certificate'> {
  /** Over all networks. */
  readonly certificate: GlobalCertificate
  /** Over the activation patterns of `program`, the ones that were generated. */
  readonly programCertificate: Solution<M>['certificate']
  readonly rounds: number
}

/** Rounds without a neuron after which a pattern may be dropped, and how many patterns may stay in any case. */
const IDLE = 6
const SPARE = 100
/** The first tolerance of the programs in between, and what it is of the excess of the highest price. */
const LOOSE = 1e-3
const SHARE = 0.1
/** ... and the last, for prices to be right to the tolerance. */
const FINEST = 1e-12

/**
 * Trains over *all* networks of one hidden layer: solves the program with the patterns at hand, prices neurons at its
 * residual, adds those whose price is above lambda, and solves again from where it was, until none is found and branch and
 * bound proves that there is none (see `globalCertificate`). Patterns long without a neuron are dropped. Column generation;
 * a few hundred gates that were priced do what sampled ones do not in many thousands.
 *
 * The status is `solved` when the relative gap over all networks is at most the tolerance; `iteration-limit` when it is not
 * and the searches or branch and bound are at their end: `certificate.statement` says what is known then.
 *
 * Pilanci and Ergen, ICML 2020, for the dual; column generation for neurons: Bengio et al., NeurIPS 2005; Bach, JMLR 18, 2017.
 *
 * With several outputs it is all one-vs-all networks, whose neurons serve one output each.
 *
 * @throws RangeError when the program has no family of neurons, lambda = 0, or an option is out of range.
 */
export async function solveGlobal<M>(
  program: ConvexProgram<M>,
  options: GenerateGatesOptions = {},
): Promise<GlobalSolution<M>> {
  return breathe(generation(program, options))
}

/** `solveGlobal` without turns of the event loop: blocks until done. */
export function solveGlobalSync<M>(program: ConvexProgram<M>, options: GenerateGatesOptions = {}): GlobalSolution<M> {
  const working = generation(program, options)
  for (;;) {
    const at = working.next()
    if (at.done) return at.value
  }
}

/** `solveGlobal` as an async generator: yields after every round, returns the solution. Leaving the loop ends the work. */
export async function* generateGates<M>(
  program: ConvexProgram<M>,
  options: GenerateGatesOptions = {},
): AsyncGenerator<GenerationRound, GlobalSolution<M>> {
  const working = generation(program, options)
  const pace = startPace()
  try {
    for (;;) {
      const at = await breathe(working, (value) => value !== undefined && 'round' in value, pace)
      if ('certificate' in at) return at as GlobalSolution<M>
      yield at as GenerationRound
    }
  } finally {
    working.return(undefined as never)
  }
}

/** The work of `solveGlobal`, from a point of the program where one is at hand; yields as it goes. */
export function* generation<M>(
  program: ConvexProgram<M>,
  options: GenerateGatesOptions,
  from?: Iterate,
): Generator<GenerationRound | Progress | undefined, GlobalSolution<M>> {
  const { inputs, outputs } = requireNeurons(program, 'solveGlobal')
  const { tolerance = 1e-6, perRound = 50, maxRounds = 200, maxNodes = 100_000, seed = 1 } = options
  const { starts = 128, maxStarts = 2048, timeLimit = Number.POSITIVE_INFINITY, signal, solver, onProgress } = options
  check(options)
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1000
  const { lambda } = program
  const target = lambda * (1 + tolerance / 2)

  // current: the program with the gates at hand · idle: rounds each of its gates went without a neuron · inner: its tolerance
  // An extension by nothing: what earlier solves left behind must not change the walk.
  let current = program.extend!(matrix(0, inputs.columns))
  let idle = new Int32Array(gateCount(current))
  let start = from
  let inner = LOOSE
  let searching = starts
  let bound = Number.NEGATIVE_INFINITY
  let iterations = 0

  for (let round = 1; ; round++) {
    const found: Solution<M> = yield* walk(current, {
      tolerance: inner,
      timeLimit: Math.max(1e-3, timeLimit - seconds()),
      ...(start && { start }),
      ...(solver && { solver }),
      ...(signal && { signal }),
    })
    iterations += found.iterations
    const ending = found.status === 'aborted' || seconds() > timeLimit || round >= maxRounds
    const fit = found.fit ?? current.operator.apply(found.coefficients)
    const r = current.loss.gradient(fit).map((entry) => -entry)
    const active = neuronsOf(current, found.coefficients)
    active.gates.forEach((on, i) => {
      idle[i] = on ? 0 : idle[i]! + 1
    })

    /** The program with these neurons as well, or undefined when it has all their patterns. */
    const extended = (neurons: readonly Priced[]): ConvexProgram<M> | undefined => {
      if (neurons.length === 0) return undefined
      const more = current.extend!(rowsOf(neurons, inputs.columns))
      return gateCount(more) > gateCount(current) ? more : undefined
    }

    // What lowers the objective, by local search from both signs of the residual.
    let price = 0
    let next: ConvexProgram<M> | undefined
    while (!ending && !next) {
      const violated: Priced[] = []
      for (const [k, { output, sign, residual }] of pricingSides(r, outputs).entries()) {
        const side = yield* priceNeurons(inputs, residual, {
          target,
          starts: searching,
          maxNodes: 0,
          seed: seed + 2 * outputs * round + k,
          given: active.directions(output, sign),
        })
        price = Math.max(price, side.lower / lambda)
        violated.push(...side.neurons.filter((one) => one.price > target))
      }
      violated.sort((a, b) => b.price - a.price)
      next = extended(violated.slice(0, perRound))
      if (next || searching >= maxStarts || inner > tolerance / 4 || signal?.aborted || seconds() > timeLimit) break
      searching = Math.min(maxStarts, 4 * searching)
    }

    const exact = inner <= tolerance / 4
    let certificate: GlobalCertificate | undefined
    if (ending || (!next && exact)) {
      certificate = yield* globalCertification(current, found, {
        tolerance,
        starts: ending ? starts : searching,
        maxNodes: found.status === 'aborted' ? 0 : maxNodes,
        seed: seed + 1,
        given: pricingSides(r, outputs).flatMap(({ output, sign }) => active.directions(output, sign)),
        stopAtViolation: !ending && inner > FINEST,
      })
      bound = Math.max(bound, certificate.dual)
      if (!ending) next = extended(certificate.violations.slice(0, perRound))
    }
    const before = gateCount(current)
    const report: GenerationRound = {
      round,
      seconds: seconds(),
      gates: before,
      neurons: active.count,
      objective: found.certificate.primal,
      bound,
      price: Math.max(price, certificate?.price.lower ?? 0),
      added: next ? gateCount(next) - before : 0,
    }
    onProgress?.(report)
    yield report
    // A violation by patterns at hand is one of the program's own solution.
    const coarse = certificate?.verdict === 'violated' && inner > FINEST && !ending
    if (certificate && !next && !coarse) {
      const status =
        certificate.verdict === 'proved' ? 'solved' : found.status === 'solved' ? 'iteration-limit' : found.status
      return finished(found, certificate, { status, iterations, seconds: seconds(), rounds: round })
    }

    // The next program need not be solved more closely than what its best neuron may gain.
    if (next) inner = Math.min(LOOSE, Math.max(SHARE * (price - 1), tolerance / 4))
    else inner = Math.max(coarse ? FINEST : tolerance / 4, inner / 10)
    let coefficients = found.coefficients
    if (next) {
      coefficients = new Float64Array(next.operator.columns)
      coefficients.set(found.coefficients)
      const ages = new Int32Array(gateCount(next))
      ages.set(idle)
      idle = ages
      current = next
    }
    const stays = Int32Array.from(idle.keys()).filter((i) => idle[i]! < IDLE)
    if (stays.length > 0 && idle.length - stays.length > SPARE) {
      coefficients = gatherBlocks(coefficients, stays, current.blocks!.size)
      current = current.restrict!(stays)
      idle = Int32Array.from(stays, (i) => idle[i]!)
    }
    start = { coefficients }
  }
}

function finished<M>(
  found: Solution<M>,
  certificate: GlobalCertificate,
  end: Pick<GlobalSolution<M>, 'status' | 'iterations' | 'seconds' | 'rounds'>,
): GlobalSolution<M> {
  const { program, solver, coefficients, fit, dual } = found
  return {
    program,
    solver,
    coefficients,
    ...(fit && { fit }),
    ...(dual && { dual }),
    ...end,
    certificate,
    programCertificate: found.certificate,
    get model() {
      return found.model
    },
  }
}

function gateCount({ operator, blocks }: ConvexProgram): number {
  return operator.columns / blocks!.size
}

/** Which gates have a neuron, and the neurons' weights u by the output they serve and their sign there. */
function neuronsOf(
  { blocks, penalty, neurons }: ConvexProgram,
  u: Vector,
): { gates: boolean[]; count: number; directions: (output: number, sign: 1 | -1) => Vector[] } {
  const size = penalty.blocks!.size
  const perGate = blocks!.size / size
  const gates: boolean[] = []
  // A gate's blocks are its positive neurons, one an output, and then its negative ones.
  const sides: Vector[][] = Array.from({ length: perGate }, () => [])
  for (let b = 0, start = 0; start < u.length; b++, start += size) {
    const gate = Math.floor(b / perGate)
    const on = !isZeroBlock(u, start, size)
    gates[gate] = (gates[gate] ?? false) || on
    if (on) sides[b % perGate]!.push(u.slice(start, start + size))
  }
  return {
    gates,
    count: sides.reduce((total, side) => total + side.length, 0),
    directions: (output, sign) => sides[(sign > 0 ? 0 : neurons!.outputs) + output]!,
  }
}

function rowsOf(neurons: readonly Priced[], columns: number): Matrix {
  const rows = matrix(neurons.length, columns)
  neurons.forEach(({ direction }, i) => {
    rows.data.set(direction, i * columns)
  })
  return rows
}

const optionNames: OptionKinds<GenerateGatesOptions> = {
  tolerance: 'number',
  perRound: 'number',
  maxRounds: 'number',
  starts: 'number',
  maxStarts: 'number',
  maxNodes: 'number',
  seed: 'number',
  timeLimit: 'number',
  solver: true,
  signal: true,
  onProgress: true,
}

function check(options: GenerateGatesOptions): void {
  requireOptions(options, optionNames, 'solveGlobal')
  const { tolerance = 1, perRound = 1, maxRounds = 1, starts = 1, maxStarts = 1, maxNodes = 0, timeLimit = 1 } = options
  if (!(tolerance > 0))
    throw new RangeError(`solveGlobal: tolerance is ${tolerance}, expected above 0; pass for example 1e-6.`)
  for (const [name, value] of Object.entries({ perRound, maxRounds, starts, maxStarts }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`solveGlobal: ${name} is ${value}, expected a positive whole number; pass for example 100.`)
  if (!Number.isInteger(maxNodes) || maxNodes < 0)
    throw new RangeError(
      `solveGlobal: maxNodes is ${maxNodes}, expected a whole number of at least 0; pass how many cones may be bounded.`,
    )
  if (!(timeLimit > 0))
    throw new RangeError(`solveGlobal: timeLimit is ${timeLimit}, expected seconds above 0; pass for example 60.`)
}
