/**
 * ReLU networks of gated solutions at the size of MNIST: what a cone decomposition costs, how much larger the weights become,
 * whether the network predicts what the gated one does, and how far from optimal it is for the ReLU program of the same gates,
 * before and after its neurons are re-scaled and improved.
 *
 *     npm run bench:relu-images -- [--rows 3000] [--gates 100] [--ratio 0.01] [--tolerance 1e-2] [--method working-set|shared]
 *                                  [--passes 30] [--steps 0] [--bound] [--coefficients FILE]
 *                                  [--loss squared|softmax|logistic] [--draw normal] [--window 5,8]
 *     npm run bench:relu-images -- --methods
 *
 * `--steps` of the fully corrective solver follow the re-scaling; `--bound` projects the residuals on all cones for a lower bound
 * that is better than the gated program's. `--coefficients` keeps the gated solution in a file, and begins from it where it is
 * there. `--methods` compares the methods of `coneDecomposition` on small problems. Data come from the folder that CVXNN_DATA
 * names (default ../shared/data). Seconds are of processor time.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  backend,
  type ConeDecompositionMethod,
  certify,
  coneDecomposition,
  fullyCorrective,
  type Gates,
  gatedReluProgram,
  gatesFrom,
  lambdaMax,
  matrix,
  mergeParallelNeurons,
  type ReluNetwork,
  readNpy,
  reluProgram,
  sampleGates,
  solve,
  solveSync,
  type Vector,
  writeNpy,
} from '../src/index.ts'
import { reluPredictions } from '../src/models/relu-predictions.ts'
import { squaredNorm } from '../src/numerics/vectors.ts'
import { compactGatedOperator } from '../src/operators/index.ts'
import { firstRows, gatesOfImages, type Images, lossNamed, mnist, OUTPUTS, oneHot, rightOf } from './image-files.ts'
import { machine, stopwatch } from './machine.ts'
import { planted } from './problems.ts'
import { brief, table } from './table.ts'

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '3000' },
    gates: { type: 'string', default: '100' },
    ratio: { type: 'string', default: '0.01' },
    tolerance: { type: 'string', default: '1e-2' },
    method: { type: 'string', default: 'working-set' },
    passes: { type: 'string', default: '30' },
    steps: { type: 'string', default: '0' },
    bound: { type: 'boolean', default: false },
    coefficients: { type: 'string' },
    loss: { type: 'string', default: 'squared' },
    draw: { type: 'string', default: 'normal' },
    window: { type: 'string', default: '' },
    methods: { type: 'boolean', default: false },
  },
})

const { loss, solver, other } = lossNamed(given.loss)

/** The share of rows whose largest output is not that of their class. */
function errorOf(fit: Vector, images: Images): number {
  return (images.X.rows - rightOf(fit, images)) / images.X.rows
}

/** (|W1|^2 + |b1|^2 + |W2|^2) / 2 */
function decayOf({ W1, b1, W2 }: ReluNetwork): number {
  return (squaredNorm(W1.data) + squaredNorm(b1) + squaredNorm(W2.data)) / 2
}

async function images(): Promise<void> {
  const train = await mnist('train')
  const test = await mnist('t10k')
  const X = firstRows(train.X, Number(given.rows))
  const y = oneHot(train.labels, X.rows, other)
  const gates = sampleGates(X, gatesOfImages(given))
  const whole = gatedReluProgram({ X, y, gates, lambda: 1, loss })
  const lambda = Number(given.ratio) * lambdaMax(whole)
  const took = stopwatch()
  const gated = await gatedSolution({ ...whole, lambda })
  const testPatterns = gatesFrom(gates.vectors, test.X).patterns
  const gatedTest = compactGatedOperator(test.X, testPatterns, OUTPUTS).exact.apply(gated)
  const { exact } = whole.operator
  const fit = exact!.apply(gated)
  const atGated = certify({ ...whole, lambda }, { coefficients: gated })
  const error = (100 * errorOf(gatedTest, test)).toFixed(2)
  console.log(
    `${X.rows} rows, ${gates.count} gates, lambda ${lambda.toPrecision(4)}: gated objective ${atGated.primal.toPrecision(5)}, bound ${atGated.dual.toPrecision(5)}, test error ${error} %, ${brief(took().cpu)} s`,
  )

  const split = stopwatch()
  const method = given.method as ConeDecompositionMethod
  const { coefficients, ...found } = coneDecomposition(
    { X, gates, coefficients: gated, outputs: OUTPUTS },
    { method, passes: Number(given.passes) },
  )
  const seconds = split().cpu
  console.log(
    `${method}: ${found.split} blocks split, norm ${found.gatedNorm.toPrecision(4)} to ${found.reluNorm.toPrecision(4)}, ${found.blowUp.toFixed(1)} times; violation ${found.violation}, ${found.repaired} repaired; ${brief(seconds)} s, ${brief((1000 * seconds) / Math.max(1, found.split))} ms a block\n`,
  )

  const program = reluProgram({ X, y, gates, lambda, loss })
  const heads = ['network', 'objective', 'gap', 'loss', 'neurons', 'merged', 'decay of these', 'test error, %', 's']
  const out = table(heads, [22, 9, 7, 9, 7, 6])
  const bounds = [atGated.dual]
  const report = (name: string, point: Vector, cpu: number): void => {
    const model = program.recover({ coefficients: point })
    const merged = mergeParallelNeurons(model)
    const loss = program.loss.value(reluPredictions(model, X))
    const objective = loss + lambda * decayOf(model)
    out.row([
      name,
      objective.toPrecision(4),
      ((objective - Math.max(...bounds)) / objective).toPrecision(3),
      loss.toPrecision(4),
      model.width,
      merged.width,
      decayOf(merged).toPrecision(4),
      (100 * errorOf(reluPredictions(merged, test.X), test)).toFixed(2),
      brief(cpu),
    ])
  }
  report('decomposition', coefficients, seconds)
  const network = program.recover({ coefficients })
  const difference = Math.max(...differences(reluPredictions(network, X), fit))
  let point = coefficients
  const improving = stopwatch()
  const improver = fullyCorrective()
  const walk = improver.iterate(program, { coefficients })
  // It takes the squared loss alone.
  const steps = improver.supports(program) === true ? Number(given.steps) : -1
  for (let step = 0; step <= steps; step++) {
    const next = walk.next()
    if (next.done) break
    point = next.value.coefficients
    report(step === 0 ? 're-scaled' : `step ${step}`, point, improving().cpu)
  }
  if (given.bound) {
    const bounding = stopwatch()
    const certificate = certify(program, { coefficients: point })
    bounds.push(certificate.dual)
    report('the last, with bound', point, bounding().cpu)
    console.log(`\nbounds: gated ${bounds[0]!.toPrecision(5)}, ReLU ${certificate.dual.toPrecision(5)}`)
  }
  console.log(
    `\nlargest difference of a prediction on training rows: ${difference.toPrecision(2)}; peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
  )
}

async function gatedSolution(program: ReturnType<typeof gatedReluProgram>): Promise<Vector> {
  const file = given.coefficients
  if (file && existsSync(file)) return (await readNpy(readFileSync(file))).data
  const { coefficients } = await solve(program, {
    solver: solver({ landmarks: 500 }),
    tolerance: Number(given.tolerance),
  })
  if (file) await writeNpy(file, matrix(coefficients.length, 1, coefficients))
  return coefficients
}

function differences(a: Vector, b: Vector): number[] {
  const most: number[] = []
  for (let from = 0; from < a.length; from += 4096) {
    let largest = 0
    for (let k = from; k < Math.min(a.length, from + 4096); k++) largest = Math.max(largest, Math.abs(a[k]! - b[k]!))
    most.push(largest)
  }
  return most
}

/** All methods on planted problems: seconds as ratios to the working sets', and how much larger weights become. */
function methods(): void {
  const names: readonly ConeDecompositionMethod[] = [
    'working-set',
    'shared',
    'minimum-norm',
    'least-squares',
    'approximate',
  ]
  const out = table(['n, d, P', 'method', 'norm, times', 'violation', 'seconds', 'of working-set'], [14, 12])
  for (const [rows, features, count] of [
    [200, 10, 20],
    [500, 20, 20],
    [1000, 30, 10],
  ] as const) {
    const { X, y } = planted({ rows, features, gates: count })
    const gates: Gates = sampleGates(X, { count, seed: 1 })
    const whole = gatedReluProgram({ X, y, gates, lambda: 1 })
    const { coefficients } = solveSync({ ...whole, lambda: 0.01 * lambdaMax(whole) })
    let first = 0
    for (const method of names) {
      const took = stopwatch()
      const { blowUp, violation } = coneDecomposition({ X, gates, coefficients }, { method })
      const { cpu } = took()
      first ||= cpu
      out.row([
        [rows, features, count].join(', '),
        method,
        blowUp.toFixed(2),
        violation.toPrecision(2),
        brief(cpu),
        brief(cpu / first),
      ])
    }
  }
}

const { cpu, cores, memoryGiB, node, platform } = machine()
console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}; ${backend().description}`)
await (given.methods ? methods() : images())
