/**
 * How the cost of a certified solve grows: n, d and P of a gated ReLU program each doubled three times with the others fixed,
 * at 0.01 lambda_max, to a gap of 1e-6. Processor seconds (the median of three) with the slopes of their logarithms by least
 * squares, a picture of them, and with --memory the bytes that a solve adds.
 *
 *     npm run bench:growth -- [--memory] [--picture bench/growth.svg]
 *
 * Memory is that of a process of its own for each size: how far its largest resident size rose above what it was before
 * the solve, beside X, patterns and one n x n factor in float64.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chooseSolver, etaNewton, gatedReluProgram, lambdaMax, solveSync, squared } from '../src/index.ts'
import { backend } from '../src/numerics/backends/index.ts'
import { machine, median, stopwatch } from './machine.ts'
import { planted } from './problems.ts'
import { brief, table } from './table.ts'

type Size = readonly [rows: number, features: number, gates: number]

/** What is doubled, and from where. */
const AXES = [
  { name: 'n', index: 0, base: [250, 20, 500] },
  { name: 'd', index: 1, base: [500, 10, 500] },
  { name: 'P', index: 2, base: [500, 20, 250] },
] as const
const DOUBLINGS = 3
const RATIO = 0.01

interface Curve {
  readonly name: string
  readonly sizes: readonly number[]
  readonly seconds: readonly number[]
  readonly slope: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    picture: { type: 'string' },
    memory: { type: 'boolean', default: false },
    of: { type: 'boolean', default: false },
  },
})

function main(): void {
  if (values.of) {
    console.log(JSON.stringify(memoryOf(positionals.map(Number) as unknown as Size)))
    return
  }
  const host = machine()
  console.log(`${host.cpu}, ${host.cores} cores, node ${host.node}; ${backend().name}: ${backend().description}\n`)
  const rows = table(['n, d, P', 'solver', 'seconds', 'MB added', 'MB of X, patterns, factor', 'times'], [14])
  const curves = AXES.map(({ name, index, base }): Curve => {
    const sizes: number[] = []
    const seconds: number[] = []
    for (let doubling = 0; doubling <= DOUBLINGS; doubling++) {
      const size = base.map((entry, k) => (k === index ? entry * 2 ** doubling : entry)) as unknown as Size
      const took = secondsOf(size)
      const { added, counted } = values.memory ? inAnotherProcess(size) : { added: Number.NaN, counted: Number.NaN }
      const bytes = values.memory ? [...megabytes(added, counted), brief(added / counted)] : ['', '', '']
      rows.row([size.join(', '), took.solver, brief(took.seconds), ...bytes])
      sizes.push(size[index])
      seconds.push(took.seconds)
    }
    return { name, sizes, seconds, slope: slopeOf(sizes, seconds) }
  })
  console.log()
  for (const { name, slope } of curves) console.log(`seconds go like ${name}^${slope.toFixed(2)}`)
  if (values.picture) writeFileSync(values.picture, picture(curves))
}

function made([rows, features, gates]: Size): ReturnType<typeof gatedReluProgram> {
  const { X, y, gates: drawn } = planted({ rows, features, gates })
  const program = gatedReluProgram({ X, gates: drawn, y, loss: squared(), lambda: 0 })
  return { ...program, lambda: RATIO * lambdaMax(program) }
}

function secondsOf(size: Size): { seconds: number; solver: string } {
  const program = made(size)
  const solver = chooseSolver(program)
  const times = Array.from({ length: 3 }, () => {
    const watch = stopwatch()
    const { status } = solveSync(program, { solver, tolerance: 1e-6 })
    if (status !== 'solved') throw new Error(`bench: ${size.join(', ')} ended ${status}`)
    return watch().cpu
  })
  return { seconds: median(times), solver: solver.name }
}

interface Memory {
  /** Bytes by which the largest resident size rose. */
  readonly added: number
  /** Bytes of X, the patterns and an n x n factor in float64. */
  readonly counted: number
}

function inAnotherProcess(size: Size): Memory {
  const file = fileURLToPath(import.meta.url)
  const out = execFileSync(process.execPath, ['--import', 'tsx', file, '--of', ...size.map(String)])
  return JSON.parse(out.toString()) as Memory
}

function memoryOf(size: Size): Memory {
  // What compiling the solver takes is not the problem's.
  solveSync(made([60, 5, 40]))
  solveSync(made([400, 20, 100]), { solver: etaNewton(), tolerance: 1e-6 })
  const program = made(size)
  const before = process.resourceUsage().maxRSS
  solveSync(program, { solver: etaNewton(), tolerance: 1e-6 })
  const [n, d, P] = size
  return { added: 1024 * (process.resourceUsage().maxRSS - before), counted: 8 * n * d + (n * P) / 8 + 8 * n * n }
}

const megabytes = (...bytes: number[]): string[] => bytes.map((count) => brief(count / 1e6))

/** The slope of log y over log x by least squares. */
function slopeOf(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [x.map(Math.log), y.map(Math.log)]
  const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length
  const [ma, mb] = [mean(a), mean(b)]
  let [over, under] = [0, 0]
  a.forEach((one, k) => {
    over += (one - ma) * (b[k]! - mb)
    under += (one - ma) ** 2
  })
  return over / under
}

/** Seconds over how often a size was doubled, the seconds on a logarithmic axis. */
function picture(curves: readonly Curve[]): string {
  const [width, height, left, top, inner, tall] = [640, 400, 70, 50, 420, 290]
  const all = curves.flatMap(({ seconds }) => seconds)
  const low = Math.floor(Math.log2(Math.min(...all)))
  const high = Math.ceil(Math.log2(Math.max(...all)))
  const across = (doubling: number): number => left + (inner * doubling) / DOUBLINGS
  const up = (seconds: number): number => top + (tall * (high - Math.log2(seconds))) / (high - low)
  const text = (x: number, y: number, words: string, anchor = 'start'): string =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`
  const grid = Array.from({ length: high - low + 1 }, (_, k) => {
    const y = up(2 ** (low + k))
    return `<path d="M${left} ${y.toFixed(1)}h${inner}" stroke="#ddd"/>${text(left - 8, y + 4, brief(2 ** (low + k)), 'end')}`
  })
  const ticks = Array.from({ length: DOUBLINGS + 1 }, (_, k) =>
    text(across(k), top + tall + 20, `${2 ** k}x`, 'middle'),
  )
  const colours = ['#1b6ca8', '#c0392b', '#2e8b57']
  const lines = curves.map(({ name, sizes, seconds, slope }, k) => {
    const points = seconds.map((value, q) => `${across(q).toFixed(1)},${up(value).toFixed(1)}`)
    const dots = points.map((point) => `<circle cx="${point.replace(',', '" cy="')}" r="4" fill="${colours[k]}"/>`)
    const label = text(
      left + inner + 12,
      up(seconds.at(-1)!) + 4,
      `${name} to ${sizes.at(-1)}: slope ${slope.toFixed(2)}`,
    )
    return `<g fill="${colours[k]}"><polyline points="${points.join(' ')}" fill="none" stroke="${colours[k]}" stroke-width="2"/>${dots.join('')}${label}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<title>Processor seconds of a certified solve as n, d and P are doubled</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${text(left, 28, 'Processor seconds to a certified gap of 1e-6, gated ReLU, 0.01 lambda_max')}
${grid.join('\n')}
${ticks.join('\n')}
${text(left + inner / 2, top + tall + 42, 'size, over the first', 'middle')}
${lines.join('\n')}
</svg>
`
}

main()
