import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  activations,
  ccnnProgram,
  fenchelNetwork,
  gatedReluProgram,
  lambdaMax,
  loadModel,
  logistic,
  matrix,
  ReluRegressor,
  reluProgram,
  sampleGates,
  solve,
  solveSync,
  toOnnx,
} from '../src/index.ts'
import { engineOf } from '../src/numerics/backends/wasm/engine.ts'
import { random } from '../src/numerics/random.ts'

/**
 * npm run soak [-- --count 1000]: many solves of every kind in one process, and what memory they leave behind, measured
 * after a collection. Every tenth of the way a line; the exit code is 1 when the second half grew by more than 5 % + 2 MiB.
 */
const { values } = parseArgs({ options: { count: { type: 'string', default: '1000' } } })
const count = Number(values.count)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

interface Memory {
  readonly heap: number
  readonly buffers: number
  /** The arena of the WebAssembly kernels: it can only grow. */
  readonly arena: number
}

async function measured(): Promise<Memory> {
  // What a FinalizationRegistry gives back is given back in a turn of its own.
  for (let k = 0; k < 4; k++) {
    collect()
    await new Promise((turn) => setTimeout(turn, 20))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, buffers: arrayBuffers, arena: engineOf(1).memory.buffer.byteLength }
}

/** A problem of its own size for every number. */
function problem(k: number): { X: ReturnType<typeof matrix>; y: Float64Array } {
  const source = random(1 + k)
  const n = 40 + (k % 7) * 20
  const d = 3 + (k % 5)
  const X = matrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => source.normal()),
  )
  const y = Float64Array.from({ length: n }, (_, i) => (Math.abs(X.data[i * d]!) - X.data[i * d + 1]! > 0 ? 1 : -1))
  return { X, y }
}

const kinds: readonly ((k: number) => unknown)[] = [
  (k) => {
    const { X, y } = problem(k)
    const program = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 60, seed: k }), lambda: 1 })
    return solve({ ...program, lambda: 0.05 * lambdaMax(program) })
  },
  (k) => {
    const { X, y } = problem(k)
    const program = reluProgram({ X, y, gates: sampleGates(X, { count: 20, seed: k }), lambda: 1 })
    return solveSync({ ...program, lambda: 0.1 * lambdaMax(program) }, { maxIterations: 200 }).model
  },
  (k) => {
    const { X, y } = problem(k)
    const gates = sampleGates(X, { count: 30, seed: k })
    const program = gatedReluProgram({ X, y, gates, lambda: 1, loss: logistic(), bias: 'unpenalised' })
    return solveSync({ ...program, lambda: 0.1 * lambdaMax(program) }, { maxIterations: 200 }).model
  },
  (k) => {
    const { X, y } = problem(k)
    const estimator = new ReluRegressor({ gates: 20, lambda: 0.02, maxIterations: 200 }).train(X, y)
    const again = loadModel(JSON.stringify(estimator)) as ReluRegressor
    return toOnnx(again)
  },
  (k) => {
    const { y } = problem(0)
    const source = random(k + 1)
    const X = matrix(
      40,
      64,
      Float64Array.from({ length: 40 * 64 }, () => source.normal()),
    )
    const program = ccnnProgram({
      ...{ X, y: y.slice(0, 40), shape: { height: 8, width: 8, channels: 1 }, patch: { size: 3 }, pool: { size: 2 } },
      lambdaRatio: 0.3,
    })
    return solveSync(program, { maxIterations: 30 }).model
  },
  (k) => {
    const { X, y } = problem(k)
    const program = fenchelNetwork({
      ...{ X, y: matrix(X.rows, 1, y), hidden: [4] },
      loss: 'squared',
      activation: activations.relu(),
    })
    const state = program.initial(k)
    for (const _ of program.sweep(state, 1)) void _
    return program.recover(state)
  },
]

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1).padStart(7)
const say = ({ heap, buffers, arena }: Memory): string =>
  `heap ${mebibytes(heap)} MiB, buffers ${mebibytes(buffers)} MiB, arena ${mebibytes(arena)} MiB`

const total = ({ heap, buffers, arena }: Memory): number => heap + buffers + arena
let middle: Memory | undefined
let last: Memory | undefined
for (let k = 0; k < count; k++) {
  await kinds[k % kinds.length]!(k)
  if ((k + 1) % Math.ceil(count / 10) !== 0 && k + 1 !== count) continue
  last = await measured()
  if (!middle && k + 1 >= count / 2) middle = last
  console.log(`${String(k + 1).padStart(6)} solves: ${say(last)}`)
}
const growth = total(last!) - total(middle!)
const { user } = process.cpuUsage()
console.log(
  `second half: ${mebibytes(growth).trim()} MiB more of ${mebibytes(total(middle!)).trim()}, ${(user / 1e6).toFixed(0)} s of processor time`,
)
process.exitCode = growth > 0.05 * total(middle!) + 2 * 2 ** 20 ? 1 : 0
