import { atZero } from '../src/certificates/gradient-at-zero.ts'
import type { ConvexProgram, Iterate } from '../src/types.ts'

/** Where, and how often, a solve keeps its latest point. */
export interface CheckpointOptions {
  /** Where the latest point is kept; it is written whole or not at all. */
  file: string
  /** Seconds between two writes (default 60). */
  everySeconds?: number
  /** Whether to go on from the file where there is one (default true). */
  resume?: boolean
}

/** Keeps the latest point of a walk in a file. */
export interface Checkpoint {
  /** The point in the file, or undefined where there is none to go on from. */
  readonly resumed?: Iterate
  /** Writes the point when the last write is long enough ago, or `now`. */
  save(at: Iterate, now?: boolean): void
}

/** First bytes of a file: the version is in them. */
const MAGIC = 'cvxnn checkpoint 1\n'

/**
 * Opens a checkpoint: a line of JSON that says which program it is of, and the coefficients and, where there is one, the dual
 * point in float64. Written to a neighbouring file that then takes the name, so that a killed run leaves the last one whole.
 *
 * @throws RangeError where there is no file system, an option is out of range, the file cannot be read or written, or it is of
 * another program.
 */
export function openCheckpoint(program: ConvexProgram, options: CheckpointOptions): Checkpoint {
  const { file, everySeconds = 60, resume = true } = options
  const fs = globalThis.process?.getBuiltinModule?.('node:fs')
  if (!fs) throw new RangeError('solve: there is no file system here for a checkpoint; leave the option out.')
  if (typeof file !== 'string' || file === '')
    throw new RangeError('solve: checkpoint.file is empty, expected a path; pass for example "run.checkpoint".')
  if (!(everySeconds >= 0))
    throw new RangeError(`solve: checkpoint.everySeconds is ${everySeconds}, expected at least 0; pass for example 60.`)
  const description = describe(program)
  let last = performance.now()
  return {
    ...(resume && fs.existsSync(file) && { resumed: read(fs.readFileSync(file), file, program, description) }),
    save({ coefficients, dual }, now = false) {
      if (!now && performance.now() - last < 1000 * everySeconds) return
      const head = new TextEncoder().encode(`${MAGIC}${JSON.stringify({ ...description, dual: dual !== undefined })}\n`)
      const temporary = `${file}.${process.pid}.tmp`
      try {
        fs.writeFileSync(temporary, joined(head, coefficients, dual))
        fs.renameSync(temporary, file)
      } catch (cause) {
        fs.rmSync(temporary, { force: true })
        throw new RangeError(`solve: the checkpoint ${file} cannot be written; check its folder and the space there.`, {
          cause,
        })
      }
      last = performance.now()
    },
  }
}

interface Description {
  readonly program: string
  readonly loss: string
  readonly penalty: string
  readonly lambda: number
  readonly rows: number
  readonly columns: number
  /** F(0) and |A'dF(0)|, which tell data apart. */
  readonly atZero: readonly [number, number]
}

function describe(program: ConvexProgram): Description {
  const { name, loss, penalty, lambda, operator } = program
  const zero = atZero(program)
  return {
    program: name,
    loss: loss.name,
    penalty: penalty.name,
    lambda,
    rows: operator.rows,
    columns: operator.columns,
    atZero: [zero.loss, zero.gradientNorm],
  }
}

function joined(head: Uint8Array, coefficients: Float64Array, dual: Float64Array | undefined): Uint8Array {
  const bytes = new Uint8Array(head.length + 8 * (coefficients.length + (dual?.length ?? 0)))
  bytes.set(head)
  bytes.set(new Uint8Array(coefficients.buffer, coefficients.byteOffset, coefficients.byteLength), head.length)
  if (dual)
    bytes.set(new Uint8Array(dual.buffer, dual.byteOffset, dual.byteLength), head.length + coefficients.byteLength)
  return bytes
}

/** What the data may differ in between machines and backends, relative. */
const ROUNDING = 1e-3

function read(bytes: Uint8Array, file: string, program: ConvexProgram, wanted: Description): Iterate {
  const broken = (why: string): RangeError =>
    new RangeError(`solve: the checkpoint ${file} ${why}; delete it, or pass checkpoint: { resume: false }.`)
  const end = bytes.indexOf(10, MAGIC.length)
  if (new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC || end < 0)
    throw broken('is no checkpoint of this version')
  let found: Partial<Description & { dual: boolean }>
  try {
    found = JSON.parse(new TextDecoder().decode(bytes.subarray(MAGIC.length, end)))
  } catch {
    throw broken('has a first line that is no JSON')
  }
  for (const key of ['program', 'loss', 'penalty', 'lambda', 'rows', 'columns'] as const)
    if (found[key] !== wanted[key]) throw broken(`is of a program whose ${key} is ${found[key]} and not ${wanted[key]}`)
  wanted.atZero.forEach((value, k) => {
    if (!(Math.abs((found.atZero?.[k] ?? Number.NaN) - value) <= ROUNDING * Math.abs(value)))
      throw broken('is of a program on other data')
  })
  const { rows, columns } = program.operator
  const numbers = columns + (found.dual ? rows : 0)
  if (bytes.length - end - 1 !== 8 * numbers)
    throw broken(`has ${bytes.length - end - 1} bytes of numbers and needs ${8 * numbers}`)
  // Copied: what comes from a file need not begin where a float64 may.
  const values = new Float64Array(new Uint8Array(bytes.subarray(end + 1)).buffer)
  if (!values.every(Number.isFinite)) throw broken('has entries that are not finite')
  return {
    coefficients: values.subarray(0, columns),
    ...(found.dual && { dual: values.subarray(columns) }),
  }
}
