/**
 * Over all networks: proofs of global optimality, gates that are priced against gates that are sampled, and many small
 * problems against listing all patterns and against Adam.
 *
 *     npm run bench:global [-- proofs] [samples] [small] [NAME ...]
 *
 * Seconds are processor time of this process. Tables from UCI need the folder named by CVXNN_DATA.
 */
import {
  applyStandardization,
  type ConvexProgram,
  enumerateGates,
  globalLambdaMax,
  type Matrix,
  matrix,
  type ReluNetwork,
  reluProgram,
  sampleGates,
  solveGlobalSync,
  solveSync,
  standardize,
} from '../src/index.ts'
import { selectRows } from '../src/numerics/matrix.ts'
import { random } from '../src/numerics/random.ts'
import { multiStart, trainAdam } from '../test/baselines/adam.ts'
import { median, stopwatch } from './machine.ts'
import { planted } from './problems.ts'
import { brief, table } from './table.ts'
import { isTestRow, uciTable } from './uci-table.ts'

const ratios = [0.3, 0.1, 0.03, 0.01]
const words = process.argv.slice(2)
const parts = ['proofs', 'samples', 'small']
const wanted = (part: string): boolean => words.length === 0 || words.includes(part)
/** Only problems whose names hold one of these, where any are given. */
const names = words.filter((word) => !parts.includes(word))
const isChosen = ({ name }: { name: string }): boolean =>
  names.length === 0 || names.some((part) => name.includes(part))

if (wanted('proofs')) await proofs()
if (wanted('samples')) await samples()
if (wanted('small')) small()

/** Data with targets to train on, and to test on where there are. */
interface Problem {
  readonly name: string
  readonly X: Matrix
  readonly y: Float64Array
  readonly bias?: boolean
  readonly test?: { readonly X: Matrix; readonly y: Float64Array }
}

/** Proofs that no network of any width is better by more than 1e-6. */
async function proofs(): Promise<void> {
  const problems: Problem[] = []
  for (const d of [2, 3, 4, 5, 6]) for (const n of d === 6 ? [100] : [100, 300]) problems.push(plantedProblem(n, d))
  problems.push(wave(100), wave(300), surface(300))
  const iris = await uci('classification/iris', 'one class against two')
  if (iris) problems.push(iris)
  const results = table(
    ['problem', 'lambda / max', 'verdict', 'relative gap', 'rounds', 'gates', 'neurons', 'cones', 'seconds'],
    [34],
  )
  for (const problem of problems.filter(isChosen))
    for (const ratio of ratios) {
      const program = at(problem, ratio)
      const took = stopwatch()
      const {
        certificate,
        rounds,
        model,
        program: last,
      } = solveGlobalSync(program, {
        maxNodes: 2_000_000,
        timeLimit: 240,
      })
      results.row([
        ...[problem.name, ratio, certificate.verdict, certificate.relativeGap.toExponential(1), rounds],
        ...[last.operator.columns / last.blocks!.size, model.width, certificate.nodes, brief(took().cpu)],
      ])
    }
}

/** What pricing reaches against what sampled gates do, and the error on rows that were not seen. */
async function samples(): Promise<void> {
  const problems = [plantedProblem(200, 10, 200), plantedProblem(500, 20, 500), plantedProblem(1000, 50, 1000)]
  for (const name of ['regression/boston', 'regression/autompg', 'regression/energy']) {
    const found = await uci(name)
    if (found) problems.push(found)
  }
  const results = table(
    ['problem', 'lambda / max', 'gates', 'objective', 'above priced', 'gap', 'neurons', 'test error', 'seconds'],
    [28, 12, 16],
  )
  for (const problem of problems.filter(isChosen))
    for (const ratio of ratios) {
      const program = at(problem, ratio)
      const took = stopwatch()
      const priced = solveGlobalSync(program, { tolerance: 1e-5, maxNodes: 0, maxStarts: 512, timeLimit: 150 })
      const least = priced.certificate.primal
      results.row([
        ...[problem.name, ratio, `${priced.program.operator.columns / priced.program.blocks!.size} priced`],
        ...[least.toPrecision(5), '', priced.programCertificate.relativeGap.toExponential(0), priced.model.width],
        ...[testError(problem, priced.model), brief(took().cpu)],
      ])
      for (const count of problem.X.rows >= 1000 ? [500, 2000] : [500, 5000]) {
        const begun = stopwatch()
        const gates = sampleGates(problem.X, { count, bias: problem.bias ?? false, seed: 1 })
        const sampled = solveSync(
          reluProgram({ X: problem.X, y: problem.y, gates, lambda: program.lambda, bias: problem.bias ?? false }),
          { tolerance: 1e-4, timeLimit: 100 },
        )
        const { primal, relativeGap } = sampled.certificate
        results.row([
          ...['', '', `${gates.count} sampled`, primal.toPrecision(5), `${(100 * (primal / least - 1)).toFixed(1)} %`],
          ...[relativeGap.toExponential(0), sampled.model.width, testError(problem, sampled.model), brief(begun().cpu)],
        ])
      }
    }
}

/** Random small problems: listing all patterns, pricing from two gates, and the best of fifty runs of Adam. */
function small(): void {
  const count = 1000
  const runs = 50
  let furthest = 0
  let lowest = Number.POSITIVE_INFINITY
  let unproved = 0
  const above: number[] = []
  const seconds = { listed: 0, priced: 0, adam: 0 }
  for (let seed = 1; seed <= count; seed++) {
    const draws = random(seed)
    const d = 1 + (seed % 3)
    const n = 3 + draws.below(10)
    const X = matrix(n, d)
    for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
    const y = Float64Array.from({ length: n }, () => draws.normal())
    const first = reluProgram({ X, y, gates: sampleGates(X, { count: 2, seed }), lambda: 1 })
    const lambda = ratios[seed % 4]! * globalLambdaMax(first).lower
    let took = stopwatch()
    const listed = solveSync(reluProgram({ X, y, gates: enumerateGates(X), lambda }), { tolerance: 1e-10 })
    seconds.listed += took().cpu
    took = stopwatch()
    const priced = solveGlobalSync({ ...first, lambda }, { tolerance: 1e-9, starts: 32 })
    seconds.priced += took().cpu
    const optimum = listed.certificate.primal
    furthest = Math.max(furthest, Math.abs(priced.certificate.primal - optimum) / (1 + optimum))
    if (priced.certificate.verdict !== 'proved') unproved++
    took = stopwatch()
    const trained = multiStart(
      trainAdam,
      { X, y, lambda },
      { width: 2 * n, steps: 300, rate: 0.05, seed: 1000 * seed },
      runs,
    )
    seconds.adam += took().cpu
    lowest = Math.min(lowest, ...trained.map((run) => run.lowest / priced.certificate.dual - 1))
    above.push(Math.min(...trained.map((run) => run.objective)) / priced.certificate.primal - 1)
  }
  console.log(`${count} problems of 3 to 12 rows and 1 to 3 features, lambda 0.3 to 0.01 of the largest:`)
  console.log(`  pricing and listing differ by ${furthest.toExponential(1)} at most, ${unproved} not proved`)
  console.log(
    `  the best of ${runs} runs of Adam: ${median(above).toExponential(1)} above the optimum in the median, ${Math.max(...above).toExponential(1)} at most, never below the bound by more than ${Math.max(0, -lowest).toExponential(1)}`,
  )
  console.log(
    `  seconds a problem: listing ${(seconds.listed / count).toPrecision(2)}, pricing ${(seconds.priced / count).toPrecision(2)}, Adam ${(seconds.adam / count).toPrecision(2)}`,
  )
}

function at({ X, y, bias = false }: Problem, ratio: number): ConvexProgram<ReluNetwork> {
  const program = reluProgram({ X, y, bias, gates: sampleGates(X, { count: 20, bias, seed: 1 }), lambda: 1 })
  return { ...program, lambda: ratio * globalLambdaMax(program, { maxNodes: 0 }).lower }
}

/** Half of the rows of a planted problem, the others to test on. */
function plantedProblem(n: number, d: number, testRows = 0): Problem {
  const { X, y } = planted({ rows: n + testRows, features: d, gates: 1 })
  const rows = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, k) => from + k)
  const test = rows(n, n + testRows)
  return {
    name: `planted, n ${n}, d ${d}`,
    X: selectRows(X, rows(0, n)),
    y: y.data.slice(0, n),
    ...(testRows > 0 && { test: { X: selectRows(X, test), y: y.data.slice(n) } }),
  }
}

/** A noisy sine over a line, neurons with a bias: rank 2. */
function wave(n: number): Problem {
  const draws = random(n)
  const X = matrix(n, 1)
  const y = new Float64Array(n)
  for (let r = 0; r < n; r++) {
    X.data[r] = 2 * draws.uniform() - 1
    y[r] = Math.sin(5 * X.data[r]!) + 0.1 * draws.normal()
  }
  return { name: `sine with bias, n ${n}, d 1`, X, y, bias: true }
}

/** A noisy saddle over a square, neurons with a bias: rank 3. */
function surface(n: number): Problem {
  const draws = random(n + 1)
  const X = matrix(n, 2)
  const y = new Float64Array(n)
  for (let r = 0; r < n; r++) {
    const [a, b] = [2 * draws.uniform() - 1, 2 * draws.uniform() - 1]
    X.data.set([a, b], 2 * r)
    y[r] = Math.sin(3 * a) * Math.cos(3 * b) + 0.1 * draws.normal()
  }
  return { name: `surface with bias, n ${n}, d 2`, X, y, bias: true }
}

/** A table on the fixed split, columns and targets standardised by the training rows; of several classes the first against the others. */
async function uci(name: string, note?: string): Promise<Problem | undefined> {
  const found = await uciTable(name)
  if (!found) return undefined
  const { X: all, y: Y, labels } = found
  const targets = labels
    ? Float64Array.from(labels, (label) => (label === labels[0] ? 1 : -1))
    : Float64Array.from({ length: Y.rows }, (_, r) => Y.data[r * Y.columns]!)
  const split = (test: boolean): number[] => Array.from(targets.keys()).filter((r) => isTestRow(r) === test)
  const [train, test] = [split(false), split(true)]
  const standard = standardize(selectRows(all, train))
  const { X } = standard
  const mean = train.reduce((sum, r) => sum + targets[r]!, 0) / train.length
  const deviation = Math.sqrt(train.reduce((sum, r) => sum + (targets[r]! - mean) ** 2, 0) / train.length)
  const scaled = (rows: number[]): Float64Array => Float64Array.from(rows, (r) => (targets[r]! - mean) / deviation)
  return {
    name: `${name.split('/')[1]}${note ? `, ${note}` : ''}, n ${train.length}, d ${X.columns}`,
    X,
    y: scaled(train),
    bias: true,
    test: { X: applyStandardization(selectRows(all, test), standard), y: scaled(test) },
  }
}

/** Root mean squared error on the rows that were not seen. */
function testError({ test }: Problem, model: ReluNetwork): string {
  if (!test) return ''
  const predicted = model.predict(test.X).data
  const square = test.y.reduce((sum, target, r) => sum + (target - predicted[r]!) ** 2, 0)
  return Math.sqrt(square / test.y.length).toPrecision(3)
}
