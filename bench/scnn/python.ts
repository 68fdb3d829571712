import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Matrix } from '../../src/index.ts'

/** What `run.py` is asked; see there. */
export interface Request {
  readonly method: 'solve' | 'path' | 'shipped'
  readonly lambdas: readonly number[]
  readonly optima: readonly number[]
  readonly distances: readonly number[]
  readonly dtype: 'float64' | 'float32'
  readonly seconds: number
}

/** What `run.py` answers: processor seconds, all told, and at each lambda. */
export interface Answer {
  readonly numpy: string
  readonly seconds: number
  readonly points: readonly {
    /** One per distance; null is never. Absent with scnn's own stopping rule. */
    readonly reached?: readonly ({ readonly seconds: number; readonly iterations: number } | null)[]
    readonly iterations: number
    /** objective / optimum - 1 where it ended. */
    readonly distance: number
  }[]
}

/** scnn on one problem, in a Python process of one thread. */
export interface Scnn {
  ask(request: Request): Answer
  /** Removes the files it read. */
  close(): void
}

const python = process.env.CVXNN_PYTHON ?? 'python3'
const script = new URL('run.py', import.meta.url).pathname
/** One thread each, as on our side. */
const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }

/** Why scnn cannot be asked here, in one sentence; undefined when it can. */
export function whyNot(): string | undefined {
  const { error, status, stderr } = spawnSync(python, [script, '--check'], { encoding: 'utf8' })
  if (error) return `${python} cannot be started (${error.message}); name another in CVXNN_PYTHON.`
  return status === 0 ? undefined : stderr.trim()
}

/** Hands a problem to Python through files; gates one per row, as everywhere here. */
export function scnnOn({ X, y, gates }: { X: Matrix; y: Matrix; gates: Matrix }): Scnn {
  const folder = mkdtempSync(join(tmpdir(), 'cvxnn-scnn-'))
  const write = (name: string, values: Float64Array): void => writeFileSync(join(folder, name), bytesOf(values))
  write('X.f64', X.data)
  write('y.f64', y.data)
  write('G.f64', transposed(gates))
  return {
    ask(request) {
      const path = join(folder, 'request.json')
      writeFileSync(path, JSON.stringify({ ...request, folder }))
      const { status, stdout, stderr } = spawnSync(python, [script, path], {
        encoding: 'utf8',
        maxBuffer: 1e9,
        env: { ...process.env, ...oneThread },
      })
      if (status !== 0) throw new Error(`scnn: run.py ended with code ${status}: ${stderr.trim().split('\n').at(-1)}`)
      return JSON.parse(stdout) as Answer
    },
    close: () => rmSync(folder, { recursive: true }),
  }
}

function transposed({ rows, columns, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, k) => data[(k % rows) * columns + Math.floor(k / rows)]!)
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
