import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { gatedReluProgram, gatesFrom, type Matrix, matrix, sweepSync } from '../../../src/index.ts'
import { compare } from '../compare.ts'
import { type Family, read } from '../reference.ts'

/**
 * Benchmark problems: a folder with meta.json and X.f32, y.f32, G.f32 (little-endian float32, row-major; G is d x P),
 * and the optima of all of them in optima_gated.json one folder up. Minutes each, hence only with --bench.
 */
export const bench: Family = {
  family: 'bench',
  *check(reference) {
    const { name, n, d, P, lambdaMaxGated } = read(metaFile, reference)
    const folder = dirname(reference.path)
    const optimaPath = join(folder, '..', 'optima_gated.json')
    const all = existsSync(optimaPath)
      ? v.parse(optimaFile, JSON.parse(readFileSync(optimaPath, 'utf8')) as unknown)
      : {}
    const known = all[name]
    if (!known) {
      yield { kind: 'skipped', name, why: 'bench: no certified optimum in optima_gated.json' }
      return
    }
    const X = matrix(n, d, floats(join(folder, 'X.f32')))
    const y = matrix(n, 1, floats(join(folder, 'y.f32')))
    const gates = gatesFrom(transposed(matrix(d, P, floats(join(folder, 'G.f32')))), X)
    const program = gatedReluProgram({ X, y, gates, lambda: 0 })
    // From the largest lambda down, each started at the one before.
    const ratios = Object.keys(known.optima).sort((a, b) => Number(b) - Number(a))
    const lambdas = ratios.map((ratio) => Number(ratio) * known.lambdaMax)
    let k = 0
    for (const found of sweepSync(program, { lambdas, tolerance: tolerance / 10, maxIterations: 1_000_000 })) {
      const ratio = ratios[k++]!
      const point = known.optima[ratio]!
      yield compare(`${name} ${ratio}`, found, {
        objective: point.objective,
        accuracy: point.relGap,
        lambdaMax: lambdaMaxGated,
        tolerances: { objective: tolerance, gap: tolerance },
      })
    }
  },
}

/** First-order solves of large problems: objective and gap, relative. */
const tolerance = 1e-7

const metaFile = v.object({
  name: v.string(),
  n: v.number(),
  d: v.number(),
  P: v.number(),
  lambdaMaxGated: v.number(),
})

const optimaFile = v.record(
  v.string(),
  v.object({
    lambdaMax: v.number(),
    optima: v.record(v.string(), v.object({ objective: v.number(), relGap: v.number() })),
  }),
)

function floats(path: string): Float64Array {
  const bytes = readFileSync(path)
  return Float64Array.from({ length: bytes.length / 4 }, (_, k) => bytes.readFloatLE(4 * k))
}

function transposed(M: Matrix): Matrix {
  const T = matrix(M.columns, M.rows)
  for (let i = 0; i < M.rows; i++)
    for (let j = 0; j < M.columns; j++) T.data[j * M.rows + i] = M.data[i * M.columns + j]!
  return T
}
