import {
  enumerateGates,
  fromRows,
  lambdaMax,
  loadModel,
  mergeNeurons,
  type ReluNetwork,
  reluProgram,
  type SolveOptions,
  sampleGates,
  solve,
  standardize,
  sweep,
  unstandardize,
  verify,
} from '../src/index.ts'
import type { Certificate, ConvexProgram, Matrix, Solution } from '../src/types.ts'
import { duel } from './duel.ts'
import type { Check, Moment, NetworkJson, PathPoint, Reply, Request, Sample } from './messages.ts'
import { readSample } from './read-sample.ts'

/** What a worker sees of its page. */
const page = globalThis as unknown as {
  postMessage(reply: Reply): void
  onmessage: ((event: MessageEvent<Request>) => void) | null
}

/** Activation patterns up to which all of them enter the program, so that its bounds hold for every network. */
const MOST_PATTERNS = 15_000
/** Patterns that are drawn where there are more. */
const SAMPLED = 400
const POINTS = 50
/** The last lambda over lambda_max. */
const RATIO = { curve: 1e-3, other: 0.03 }

/** The problem at hand, in standardised units. */
interface Problem {
  readonly sample: Sample
  readonly program: ConvexProgram<ReluNetwork>
  readonly X: Matrix
  readonly y: Matrix
  readonly raw: (network: ReluNetwork) => ReluNetwork
  readonly lambdas: readonly number[]
  readonly solved: Solution<ReluNetwork>[]
}

let problem: Problem | undefined
const running = new Map<string, AbortController>()

page.onmessage = async ({ data: request }) => {
  const { id, kind } = request
  running.get(kind)?.abort()
  const abort = new AbortController()
  running.set(kind, abort)
  if (kind === 'solve') running.get('duel')?.abort()
  const reply = (message: Reply): void => {
    if (!abort.signal.aborted) page.postMessage(message)
  }
  try {
    if (kind === 'read') reply({ id, kind: 'table', ...(await readSample(request.text, request.target)) })
    else if (kind === 'solve') await follow(id, request.sample, reply, abort.signal)
    else if (kind === 'check') reply({ id, kind: 'check', ...check(request.index) })
    else {
      const { X, y, lambdas } = problem!
      for await (const at of duel(X, y, lambdas[request.index]!, abort.signal)) reply({ id, kind: 'duel', ...at })
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      reply({ id, kind: 'refused', sentence: error.message.replace(/^[a-zA-Z]+: /, '') })
    else if (!abort.signal.aborted) throw error
  }
}

/** Tells of each lambda of the path as it is solved. */
async function follow(id: number, sample: Sample, reply: (message: Reply) => void, signal: AbortSignal): Promise<void> {
  const made = (problem = state(sample))
  const { program, lambdas, solved } = made
  const patterns = program.operator.columns / program.blocks!.size
  reply({ id, kind: 'start', patterns, scope: program.scope, lambdas })
  for await (const { solution, moments } of walkPath(program, lambdas, signal)) {
    solved.push(solution)
    reply({ id, kind: 'point', point: pointOf(made, solution, moments) })
    // Two limits in a row say that what is left of the path takes long.
    if (solved.slice(-2).filter(({ status }) => status !== 'solved').length === 2) break
  }
  reply({ id, kind: 'end' })
}

/** Seconds for a lambda from the solutions before it, and anew from zero where that does not do. */
const LIMIT = { warm: 2, cold: 5 }
/** Starts that may fail before every lambda is solved from zero. */
const FAILURES = 2

interface Solved {
  readonly solution: Solution<ReluNetwork>
  readonly moments: readonly Moment[]
}

/**
 * The path from lambda_max down. Where many neurons pay the same, a solution may be a worse start than zero: a lambda that
 * is not solved soon is begun again.
 */
async function* walkPath(
  program: ConvexProgram<ReluNetwork>,
  lambdas: readonly number[],
  signal: AbortSignal,
): AsyncGenerator<Solved, void> {
  let moments: Moment[] = []
  const options: SolveOptions = {
    tolerance: 1e-6,
    signal,
    onProgress({ iteration, certificate: { primal, dual, relativeGap } }) {
      moments.push({ iteration, primal, dual, relativeGap })
    },
  }
  const anew = async (lambda: number): Promise<Solution<ReluNetwork>> => {
    moments = []
    return solve({ ...program, lambda }, { ...options, timeLimit: LIMIT.cold })
  }
  let failures = 0
  let last: Solution<ReluNetwork> | undefined
  for (let k = 0; k < lambdas.length && !signal.aborted; ) {
    const rest = { lambdas: lambdas.slice(k), timeLimit: LIMIT.warm, ...(last && { start: last }) }
    if (failures < FAILURES)
      for await (const solution of sweep(program, { ...options, ...rest })) {
        if (signal.aborted) return
        if (solution.status !== 'solved') break
        yield { solution, moments }
        last = solution
        moments = []
        k++
      }
    if (k === lambdas.length) return
    failures++
    last = await anew(lambdas[k]!)
    if (signal.aborted) return
    yield { solution: last, moments }
    moments = []
    k++
  }
}

/** The convex program of a sample: columns standardised, every neuron with a bias. */
function state(sample: Sample): Problem {
  const { rows, task } = sample
  if (rows.length < 2)
    throw new RangeError(
      `There ${rows.length === 1 ? 'is one point' : 'are no points'} to learn from; draw at least two.`,
    )
  if (sample.y.every((value) => value === sample.y[0]))
    throw new RangeError(
      task === 'regression'
        ? `All points have the same ${sample.target}, so a constant is the best network; draw points of different heights.`
        : 'All points are of one class, so there is nothing to tell apart; draw points of both.',
    )
  const { X, ...inputs } = standardize(fromRows(rows))
  const targets = fromRows(sample.y.map((value) => [value]))
  const { X: y, ...outputs } = task === 'regression' ? standardize(targets) : { X: targets, mean: [0], scale: [1] }
  const gates =
    patternCount(rows.length, X.columns + 1) <= MOST_PATTERNS
      ? enumerateGates(X, { bias: true })
      : sampleGates(X, { bias: true, count: SAMPLED, seed: 1 })
  const program = reluProgram({ X, y, gates, bias: true, lambda: 0 })
  const top = lambdaMax(program)
  const ratio = X.columns === 1 ? RATIO.curve : RATIO.other
  return {
    sample,
    program,
    X,
    y,
    raw: (network) => unstandardize(network, inputs, outputs),
    lambdas: Array.from({ length: POINTS }, (_, k) => top * ratio ** (k / (POINTS - 1))),
    solved: [],
  }
}

/** 2 sum_{k < rank} C(n - 1, k): as many patterns as n rows can have (Cover 1965). */
function patternCount(n: number, rank: number): number {
  let term = 1
  let total = 0
  for (let k = 0; k < rank; k++) {
    total += term
    term *= (n - 1 - k) / (k + 1)
  }
  return 2 * total
}

/** A solution as the page shows it: the network with as few neurons as pay the same, and what it pays itself. */
function pointOf(made: Problem, solution: Solution<ReluNetwork>, moments: readonly Moment[]): PathPoint {
  const { sample, raw, lambdas, X } = made
  const { status, certificate, iterations, seconds, program } = solution
  const merged = mergeNeurons(solution.model, X)
  const primal = program.networkObjective!(merged)!
  // Merging saves weights, if anything; where rounding says otherwise, the network stays as it came.
  const better = primal <= certificate.primal * (1 + 1e-12)
  const network = better ? merged : solution.model
  const answer = raw(network)
  return {
    index: lambdas.indexOf(program.lambda),
    lambda: program.lambda,
    status,
    certificate: better ? withPrimal(certificate, primal) : certificate,
    iterations,
    seconds,
    moments,
    network: answer.toJSON() as NetworkJson,
    neurons: neuronsOf(network, X),
    score: scoreOf(sample, answer.predict(fromRows(sample.rows)).data),
  }
}

function withPrimal(certificate: Certificate, primal: number): Certificate {
  const gap = primal - certificate.dual
  return {
    ...certificate,
    primal,
    gap,
    relativeGap: gap === 0 ? 0 : gap / Math.max(Math.abs(primal), Math.abs(certificate.dual)),
  }
}

/** Rows this near to a neuron's boundary are on it. */
const ON_BOUNDARY = 1e-7

/** |w1| |w2| of every neuron, by what stays the same while lambda moves: its sign, and the rows it is on for. */
function neuronsOf({ W1, b1, W2, width, features }: ReluNetwork, X: Matrix): PathPoint['neurons'] {
  return Array.from({ length: width }, (_, j) => {
    const w = W1.data.subarray(j * features, (j + 1) * features)
    const length = Math.hypot(...w, b1[j]!)
    let key = W2.data[j]! > 0 ? '+' : '-'
    for (let r = 0; r < X.rows; r++) {
      let value = b1[j]!
      for (let f = 0; f < features; f++) value += w[f]! * X.data[r * features + f]!
      key += value > ON_BOUNDARY * length ? '1' : '0'
    }
    return { key, weight: length * Math.abs(W2.data[j]!), sign: W2.data[j]! > 0 ? 1 : -1 }
  })
}

function scoreOf({ task, y }: Sample, fit: Float64Array): number {
  let total = 0
  for (let i = 0; i < y.length; i++)
    total += task === 'regression' ? (fit[i]! - y[i]!) ** 2 : fit[i]! > 0 === y[i]! > 0 ? 1 : 0
  return task === 'regression' ? Math.sqrt(total / y.length) : total / y.length
}

/** Writes the network to JSON, reads it back, and holds what came back against the program at its lambda. */
function check(index: number): Check {
  const { solved, X } = problem!
  const { program, model } = solved[index]!
  const network = loadModel(JSON.stringify(mergeNeurons(model, X))) as ReluNetwork
  const { network: objective, lowerBound, scope } = verify(program, network)
  return { network: objective!, lowerBound, scope, width: network.width }
}
