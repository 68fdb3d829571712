/**
 * The dense products, factorisations and gated passes of every backend that works here, against the system's BLAS on one
 * thread:
 *
 *     npm run bench:kernels -- [--only products|factorisations|gated|images|threads] [--json FILE]
 *
 * Medians of processor seconds; every ratio is of two figures of this run, taken in turn. BLAS and LAPACK are reached
 * through koffi; where python3 has NumPy, its own BLAS stands beside as one that is reached without. A gated pass counts
 * 2 n d P flops, what a product with masks would take; subset sums that are looked up need far fewer additions, so that
 * the figure may be above what the processor can multiply.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Backend, Floats, GatedPasses } from '../src/numerics/backend.ts'
import { blas } from '../src/numerics/backends/blas.ts'
import { js } from '../src/numerics/backends/js.ts'
import { engineOf } from '../src/numerics/backends/wasm/engine.ts'
import { wasm } from '../src/numerics/backends/wasm.ts'
import { bitColumns, countSet, setBit } from '../src/numerics/bits.ts'
import { random } from '../src/numerics/random.ts'
import { blockedKernel } from '../src/operators/blocked-kernel.ts'
import { machine, median, stopwatch } from './machine.ts'

const PRODUCTS = [
  { m: 512, n: 512, k: 512, transpose: false },
  { m: 2000, n: 1000, k: 200, transpose: false },
  { m: 200, n: 1000, k: 2000, transpose: true },
] as const
const GATED = [
  { n: 500, d: 50, P: 500 },
  { n: 2000, d: 100, P: 1000 },
  { n: 5000, d: 20, P: 500 },
] as const
const IMAGES = { n: 5000, d: 784, gates: [250, 500, 1000], outputs: 10 } as const
const FACTORED = [200, 500, 1000] as const
const ROUNDS = 7

type Figures = Record<string, number>

const precisions = [
  { name: 'float64', make: (length: number): Floats => Float64Array.from({ length }, draw) },
  { name: 'float32', make: (length: number): Floats => Float32Array.from({ length }, draw) },
] as const

const next = random(1)
function draw(): number {
  return next.uniform() - 0.5
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } })
  const host = machine()
  console.log(`${host.cpu}, ${host.cores} cores, ${host.memoryGiB} GiB, node ${host.node}, ${host.platform}`)
  const system = blas()
  if (typeof system === 'string') console.log(`no BLAS to compare with: ${system}`)
  const backends: Backend[] = [...(typeof system === 'string' ? [] : [system]), wasm(), js]
  console.log(backends.map(({ name, description }) => `${name}: ${description}`).join('\n'))
  const all: Figures = {}
  const parts: Record<string, () => void | Promise<void>> = {
    products: () => {
      for (const precision of precisions) products(backends, precision, all)
    },
    factorisations: () => factorisations(backends, all),
    gated: () => {
      for (const precision of precisions) gated([wasm(), js], precision, all)
    },
    images: () => images(backends, all),
    threads: () => twoThreads(all),
  }
  for (const [name, measure] of Object.entries(parts))
    if (values.only === undefined || values.only === name) await measure()
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine: host, seconds: all }, null, 2)}\n`)
}

function products(backends: readonly Backend[], { name, make }: (typeof precisions)[number], all: Figures): void {
  for (const { m, n, k, transpose } of PRODUCTS) {
    const [A, B, C] = [make(m * k), make(k * n), make(m * n)]
    const peer = numpy(name, m, n, k, transpose)
    const calls = backends.map((backend) => ({
      name: backend.name as string,
      call: () => backend.gemm(transpose, false, m, n, k, 1, A, transpose ? m : k, B, n, 0, C, n),
    }))
    const title = `${name} ${m} x ${n} x ${k}${transpose ? " (A'B)" : ''}`
    report(title, inTurn(calls), all, 2 * m * n * k, peer)
  }
}

function factorisations(backends: readonly Backend[], all: Figures): void {
  for (const n of FACTORED) {
    const A = new Float64Array(n * n)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) A[i * n + j] = i === j ? n : draw()
    const work = new Float64Array(n * n)
    const factor = backends.map((backend) => ({
      name: backend.name as string,
      call: () => {
        work.set(A)
        if (backend.cholesky(n, work, n) !== n) throw new Error(`${backend.name}: not positive definite`)
      },
    }))
    report(`Cholesky ${n}`, inTurn(factor), all, n ** 3 / 3)
  }
  const n = 300
  const A = Float64Array.from({ length: n * n }, draw)
  const eigen = backends.map((backend) => ({
    name: backend.name as string,
    call: () => {
      backend.symmetricEigen(n, A, n)
    },
  }))
  report(`symmetric eigen ${n}`, inTurn(eigen), all, 9 * n ** 3)
}

function gated(backends: readonly Backend[], { name, make }: (typeof precisions)[number], all: Figures): void {
  for (const { n, d, P } of GATED) {
    const patterns = bitColumns(n, P)
    for (let i = 0; i < P; i++) for (let r = 0; r < n; r++) if (draw() > 0) setBit(patterns, r, i)
    let on = 0
    for (let i = 0; i < P; i++) on += countSet(patterns, i)
    const X = make(n * d)
    const [u, p, fit, correlations] = [make(P * d), make(n), make(n), make(P * d)]
    const kernels = backends.map((backend) => ({ name: backend.name, kernel: backend.gated(X, d, patterns) }))
    const flops = 2 * n * d * P
    const bytes = X.BYTES_PER_ELEMENT * (n * d + P * d + n) + patterns.words.length * 4
    console.log(
      `\n${name} (n, d, P) = (${n}, ${d}, ${P}): ${mega(flops)} Mflop a pass with masks, ${mega(2 * d * on)} of them where a bit is set; ${mega(bytes)} MB read and written`,
    )
    const apply = kernels.map((one) => ({ name: one.name as string, call: () => one.kernel.apply(u, 1, fit) }))
    report('  apply', inTurn(apply), all, flops, undefined, `${name} ${n} ${d} ${P}`)
    const adjoint = kernels.map((one) => ({
      name: one.name as string,
      call: () => one.kernel.adjoint(p, 1, correlations),
    }))
    report('  adjoint', inTurn(adjoint), all, flops, undefined, `${name} ${n} ${d} ${P}`)
  }
}

/** Passes in float32 at the size of images and ten outputs: sums that are looked up, against panels with masks by gemm. */
function images(backends: readonly Backend[], all: Figures): void {
  const { n, d, outputs } = IMAGES
  const floats = (length: number): Float32Array => new Float32Array(length)
  const drawn = (length: number): Float32Array => floats(length).map(draw)
  const X = drawn(n * d)
  const read = (first: number, count: number): Float32Array => X.subarray(first * d, (first + count) * d)
  for (const P of IMAGES.gates) {
    const patterns = bitColumns(n, P)
    for (let i = 0; i < P; i++) for (let r = 0; r < n; r++) if (draw() > 0) setBit(patterns, r, i)
    const [u, p, fit, sums] = [drawn(P * outputs * d), drawn(n * outputs), floats(n * outputs), floats(P * outputs * d)]
    const kernels = backends
      .filter(({ name }) => name !== 'js')
      .flatMap((backend): { name: string; kernel: GatedPasses<Float32Array> }[] => {
        const looked = backend.gatedRows?.({ read, floats, kept: true }, d, patterns)
        const panels = {
          name: looked ? `${backend.name} gemm` : backend.name,
          kernel: blockedKernel(backend, floats, read, d, patterns),
        }
        return looked ? [panels, { name: `${backend.name} looked up`, kernel: looked }] : [panels]
      })
    const flops = 2 * n * d * P * outputs
    const key = `float32 ${n} ${d} ${P} ${outputs}`
    console.log(`\nfloat32 (n, d, P) = (${n}, ${d}, ${P}), ${outputs} outputs: ${mega(flops)} Mflop a pass with masks`)
    const apply = kernels.map(({ name, kernel }) => ({ name, call: () => kernel.apply(u, outputs, fit) }))
    report('  apply', inTurn(apply, 1, 3), all, flops, undefined, key)
    const adjoint = kernels.map(({ name, kernel }) => ({ name, call: () => kernel.adjoint(p, outputs, sums) }))
    report('  adjoint', inTurn(adjoint, 1, 3), all, flops, undefined, key)
  }
}

/** One thread against two: by the wall clock, and by the processor time of the busier thread, which is what an idle machine would show. */
async function twoThreads(all: Figures): Promise<void> {
  const [one, two] = [wasm(), wasm({ threads: 2 })]
  for (let k = 0; k < 1000 && engineOf(2).threads() < 2; k++) await new Promise((resolve) => setTimeout(resolve, 5))
  console.log('\ntwo threads against one')
  for (const { name, make } of precisions) {
    for (const { m, n, k } of PRODUCTS.slice(0, 2)) {
      const [A, B, C] = [make(m * k), make(k * n), make(m * n)]
      const call = (backend: Backend) => () => backend.gemm(false, false, m, n, k, 1, A, k, B, n, 0, C, n)
      ratio(`${name} ${m} x ${n} x ${k}`, call(one), call(two), all)
    }
    const { n, d, P } = GATED[1]
    const patterns = bitColumns(n, P)
    for (let i = 0; i < P; i++) for (let r = 0; r < n; r++) if (draw() > 0) setBit(patterns, r, i)
    const [X, u, p, fit, sums] = [make(n * d), make(P * d), make(n), make(n), make(P * d)]
    const kernels = [one, two].map((backend) => backend.gated(X, d, patterns))
    const [apply, adjoint] = [
      kernels.map((kernel) => () => kernel.apply(u, 1, fit)),
      kernels.map((kernel) => () => kernel.adjoint(p, 1, sums)),
    ]
    ratio(`${name} apply (${n}, ${d}, ${P})`, apply[0]!, apply[1]!, all)
    ratio(`${name} adjoint (${n}, ${d}, ${P})`, adjoint[0]!, adjoint[1]!, all)
  }
}

function ratio(title: string, one: () => void, two: () => void, all: Figures): void {
  const rounds: { wall: number; busiest: number }[] = []
  for (let k = 0; k < 3; k++) for (const call of [one, two]) call()
  const took = (call: () => void): { wall: number; busiest: number } => {
    const before = threadSeconds()
    const begun = performance.now()
    for (let k = 0; k < 10; k++) call()
    const wall = (performance.now() - begun) / 1000
    const spent = [...threadSeconds()].map(([thread, seconds]) => seconds - (before.get(thread) ?? 0))
    return { wall, busiest: Math.max(...spent) }
  }
  for (let round = 0; round < ROUNDS; round++) {
    const [alone, together] = [took(one), took(two)]
    rounds.push({ wall: alone.wall / together.wall, busiest: alone.busiest / together.busiest })
  }
  const [wall, busiest] = [median(rounds.map((at) => at.wall)), median(rounds.map((at) => at.busiest))]
  all[`${title} two threads, wall`] = wall
  all[`${title} two threads, busier thread`] = busiest
  console.log(`${title}: ${wall.toFixed(2)} by the wall clock, ${busiest.toFixed(2)} by the busier thread`)
}

/** Processor seconds of every thread of this process, where Linux tells. */
function threadSeconds(): Map<string, number> {
  try {
    const tasks = readdirSync('/proc/self/task')
    return new Map(
      tasks.map((task) => [
        task,
        Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9,
      ]),
    )
  } catch {
    return new Map([['all', process.cpuUsage().user / 1e6]])
  }
}

/** Median seconds of each call, one after the other in every round, so that a slow spell of the machine meets all. */
function inTurn(calls: readonly { name: string; call: () => void }[], warm = 3, rounds = ROUNDS): Map<string, number> {
  const times = new Map(calls.map(({ name }) => [name, [] as number[]]))
  const repeats = calls.map(({ call }) => {
    // Compiled, and a round long enough for the clock.
    for (let k = 0; k < warm; k++) call()
    const took = stopwatch()
    call()
    return Math.max(1, Math.ceil(0.03 / Math.max(took().cpu, 1e-5)))
  })
  for (let round = 0; round < rounds; round++)
    calls.forEach(({ name, call }, i) => {
      const took = stopwatch()
      for (let k = 0; k < repeats[i]!; k++) call()
      times.get(name)!.push(took().cpu / repeats[i]!)
    })
  return new Map([...times].map(([name, list]) => [name, median(list)]))
}

function report(
  title: string,
  seconds: Map<string, number>,
  all: Figures,
  flops: number,
  peer?: number,
  key = title,
): void {
  if (peer !== undefined) seconds.set('numpy', peer)
  const reference = seconds.get('blas')
  const cells = [...seconds].map(([name, time]) => {
    all[`${key} ${title === key ? '' : `${title.trim()} `}${name}`] = time
    const ratio = reference === undefined || name === 'blas' ? '' : ` = ${(reference / time).toFixed(2)} of blas`
    return `${name} ${(time * 1e3).toPrecision(3)} ms, ${(flops / time / 1e9).toPrecision(3)} Gflop/s${ratio}`
  })
  console.log(`${title}: ${cells.join('; ')}`)
}

/** Seconds of the same product by NumPy on one thread; undefined where there is none. */
function numpy(precision: string, m: number, n: number, k: number, transpose: boolean): number | undefined {
  const shape = transpose ? `${k}, ${m}` : `${m}, ${k}`
  const script = `
import time, numpy
A = numpy.random.rand(${shape}).astype('${precision}')
B = numpy.random.rand(${k}, ${n}).astype('${precision}')
C = numpy.empty((${m}, ${n}), '${precision}')
times = []
for _ in range(12):
    begun = time.process_time()
    numpy.matmul(A${transpose ? '.T' : ''}, B, out=C)
    times.append(time.process_time() - begun)
print(sorted(times)[6])`
  const threads = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }
  const { status, stdout } = spawnSync('python3', ['-c', script], { env: { ...process.env, ...threads } })
  return status === 0 ? Number(stdout) : undefined
}

function mega(value: number): string {
  return (value / 1e6).toPrecision(3)
}

await main()
