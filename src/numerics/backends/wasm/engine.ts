import type { Floats } from '../../backend.ts'
import { type Call, startTeam } from '../../threads.ts'
import { type Content, movedOut } from './kept.ts'
import { module as encoded } from './module.ts'

/** A place in the module's memory, in bytes from its beginning. */
export type Address = number

/** What the module offers; strides are in bytes. See assembly/ for what each does. */
export interface Kernels {
  allocate(bytes: number): Address
  release(address: Address): void
  packedBytes(): number
  tableBytes(): number
  factor64: Factor
  factor32: Factor
  solveLower64: Solve
  solveLower32: Solve
  solveUpper64: Solve
  solveUpper32: Solve
  forward64: SolveOne
  forward32: SolveOne
  backward64: SolveOne
  backward32: SolveOne
  codesOfColumns(
    words: Address,
    stride: number,
    chosen: Address,
    m: number,
    count: number,
    size: number,
    codes: Address,
  ): void
  codesOfRows(
    words: Address,
    stride: number,
    chosen: Address,
    m: number,
    first: number,
    lines: number,
    size: number,
    codes: Address,
  ): void
  copyRows(to: Address, toStride: number, from: Address, fromStride: number, bytes: number, rows: number): void
  copyColumns(to: Address, toStride: number, from: Address, fromStride: number, bytes: number, rows: number): void
  gatherRows(to: Address, from: Address, stride: number, n: number, columnA: Address, columnB: Address): number
  tridiagonalize(
    n: number,
    A: Address,
    lda: number,
    diagonal: Address,
    off: Address,
    betas: Address,
    work: Address,
  ): void
  rotateRows(
    panels: Address,
    n: number,
    from: number,
    to: number,
    sweeps: Address,
    sweepCount: number,
    rotations: Address,
  ): void
  /** See assembly/cones.as. */
  spanBytes(d: number, row: number): number
  coneWorkBytes(n: number, d: number): number
  spanRows(d: number, row: number, unit: Address, words: Address, span: Address, count: number, work: Address): void
  projectOnCone(
    n: number,
    d: number,
    row: number,
    unit: Address,
    words: Address,
    candidates: Address,
    candidateCount: number,
    v: Address,
    residual: Address,
    span: Address,
    enough: number,
    work: Address,
  ): number
  complementOfSpan(d: number, row: number, span: Address, work: Address): Address
  activeBlocks64: ActiveBlocks
  activeBlocks32: ActiveBlocks
  multiplyLower64: MultiplyLower
  multiplyLower32: MultiplyLower
  clearRows64: ClearRows
  clearRows32: ClearRows
  clearColumns64: ClearRows
  clearColumns32: ClearRows
}

export type MultiplyAdd = (
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  A: Address,
  lda: number,
  B: Address,
  ldb: number,
  C: Address,
  ldc: number,
  lower: number,
  work: Address,
) => void

type Factor = (n: number, A: Address, lda: number, work: Address) => number
type Solve = (n: number, m: number, L: Address, ldl: number, B: Address, ldb: number, work: Address) => void
type SolveOne = (n: number, L: Address, ldl: number, x: Address) => void
type ActiveBlocks = (u: Address, count: number, stride: number, bytes: number, places: Address) => number
type MultiplyLower = (a: Address, stride: number, b: Address, strideOfB: number, first: number, last: number) => void
type ClearRows = (
  out: Address,
  stride: number,
  n: number,
  words: Address,
  wordStride: number,
  chosen: Address,
  m: number,
) => void

/** The kernels of one kind of numbers. */
export interface Typed {
  /** Bytes of an entry. */
  readonly entry: 4 | 8
  readonly factor: Factor
  readonly solveLower: Solve
  readonly solveUpper: Solve
  /** For one right-hand side, of float64 whatever L is of. */
  readonly forward: SolveOne
  readonly backward: SolveOne
  readonly activeBlocks: ActiveBlocks
  readonly multiplyLower: MultiplyLower
  readonly clearRows: ClearRows
  readonly clearColumns: ClearRows
}

/** The module at work in a memory of its own, and what is kept there. */
export interface Engine {
  readonly memory: WebAssembly.Memory
  readonly kernels: Kernels
  /** The kernels for numbers like these. */
  typed(like: Floats): Typed
  /** Threads that are ready. */
  threads(): number
  /** Runs each part's calls on a thread of its own, and waits for all; no more parts than threads. */
  run(parts: readonly (readonly Call[])[]): void
  /** The number of this turn: what was asked for in it stays where it is. */
  turn(): number
  /** Begins the next turn. */
  nextTurn(): void
  /**
   * Makes room for what is kept, and puts its copy there where it has one.
   *
   * @throws NoRoom when the memory, of 4 GiB at most, has none left that this turn does not need.
   */
  bring(content: Content): void
  /** Gives its room back. */
  discard(content: Content): void
  /** Room under a name, for the length of one call: the next one under the same name gets the same room, or a larger one. */
  room(name: string, bytes: number): Address
  /** Copies in: `rows` rows of `columns` entries at stride ld, one after the other. */
  put(to: Address, from: Floats, rows: number, columns: number, ld: number): void
  /** Copies out. */
  take(from: Address, to: Floats, rows: number, columns: number, ld: number): void
  /** The lower triangle of n rows at strides counted in entries. */
  putLower(to: Address, from: Floats, n: number, toStride: number, fromStride: number): void
  takeLower(from: Address, to: Floats, n: number, fromStride: number, toStride: number): void
  /** So many entries of this kind where they are, until the memory grows. */
  view(like: Floats, address: Address, length: number): Floats
  putWords(to: Address, words: Int32Array): void
  /** Words copied out. */
  words(from: Address, count: number): Int32Array
  /** Zeros. */
  clear(from: Address, bytes: number): void
}

/** The module's memory has no room left: whoever can do without it does. */
export class NoRoom extends RangeError {}

const engines = new Map<number, Engine>()

/** Bytes that move out together, at least: what has to is looked for each time. */
const MOVED = 2 ** 26

/** The engine of so many threads, started when it is first needed. All kernels of as many threads share its memory. */
export function engineOf(threads: number): Engine {
  const had = engines.get(threads)
  if (had) return had
  const made = start(threads)
  engines.set(threads, made)
  return made
}

/** Whether the module can be compiled here: WebAssembly with 128-bit vectors is all it takes. */
export function compiles(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(bytes())
}

function bytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
}

/** The module for a memory that threads share: it says so in one byte, the limits of the memory it imports. */
function sharing(module: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const name = [6, ...'memory'].map((one) => (typeof one === 'number' ? one : one.charCodeAt(0)))
  // The name, a kind of import that is a memory, limits with a maximum.
  const sought = [...name, 2, 1]
  const at = module.findIndex((_, k) => sought.every((byte, q) => module[k + q] === byte))
  module[at + sought.length - 1] = 3
  return module
}

/** An engine of so many threads, with a memory of so many pages of 64 KiB at most. */
export function start(threads: number, pages = 65536): Engine {
  const shared = threads > 1
  const memory = new WebAssembly.Memory({ initial: 16, maximum: pages, shared })
  const module = new WebAssembly.Module(shared ? sharing(bytes()) : bytes())
  const exported = new WebAssembly.Instance(module, { env: { memory } }).exports
  const kernels = exported as unknown as Kernels
  const functions = exported as Record<string, (...values: number[]) => unknown>
  const team = startTeam(threads, module, memory, functions)
  const of = (entry: 4 | 8): Typed => ({
    entry,
    factor: entry === 8 ? kernels.factor64 : kernels.factor32,
    solveLower: entry === 8 ? kernels.solveLower64 : kernels.solveLower32,
    solveUpper: entry === 8 ? kernels.solveUpper64 : kernels.solveUpper32,
    forward: entry === 8 ? kernels.forward64 : kernels.forward32,
    backward: entry === 8 ? kernels.backward64 : kernels.backward32,
    activeBlocks: entry === 8 ? kernels.activeBlocks64 : kernels.activeBlocks32,
    multiplyLower: entry === 8 ? kernels.multiplyLower64 : kernels.multiplyLower32,
    clearRows: entry === 8 ? kernels.clearRows64 : kernels.clearRows32,
    clearColumns: entry === 8 ? kernels.clearColumns64 : kernels.clearColumns32,
  })
  const [double, single] = [of(8), of(4)]
  const rooms = new Map<string, { address: Address; bytes: number }>()
  // What is kept and stands in the memory, and the turn.
  const standing = new Set<Content>()
  let turn = 1
  /** Moves out what this turn has not asked for, the longest unused first, at least so many bytes or all; false when there is none. */
  const makeRoom = (size: number): boolean => {
    const unused = [...standing].filter((content) => content.turn < turn).sort((a, b) => a.turn - b.turn)
    let room = 0
    for (const content of unused) {
      if (room >= Math.max(size, MOVED)) break
      content.saved = new Uint8Array(memory.buffer, content.address!, content.bytes).slice()
      kernels.release(content.address!)
      content.address = undefined
      standing.delete(content)
      movedOut(content)
      room += content.bytes
    }
    return room > 0
  }
  // Addresses are unsigned, and come back as signed where they are in the upper half of 4 GiB.
  const allocate = (size: number): Address => {
    if (size < 2 ** 30)
      do
        try {
          return kernels.allocate(size) >>> 0
        } catch {
          // What is not needed now may make room.
        }
      while (makeRoom(size))
    throw new NoRoom(
      `cvxnn: WebAssembly has no ${Math.ceil(size / 2 ** 20)} MiB left; call useBackend('js') or useBackend('blas') for problems of this size.`,
    )
  }
  // A view for one copy only: when the memory grows, earlier ones are void.
  const view = (like: Floats, address: Address, length: number): Floats =>
    like instanceof Float64Array
      ? new Float64Array(memory.buffer, address, length)
      : new Float32Array(memory.buffer, address, length)
  return {
    memory,
    kernels,
    typed: (like) => (like instanceof Float64Array ? double : single),
    threads: () => team?.size() ?? 1,
    run(parts) {
      if (parts.length > 1) team!.run(parts)
      else for (const { name, values } of parts[0]!) functions[name]!(...values)
    },
    view,
    turn: () => turn,
    nextTurn() {
      turn++
    },
    bring(content) {
      const address = allocate(content.bytes)
      content.address = address
      standing.add(content)
      if (!content.saved) return
      new Uint8Array(memory.buffer, address, content.bytes).set(content.saved)
      content.saved = undefined
    },
    discard(content) {
      if (content.address !== undefined) kernels.release(content.address)
      content.address = undefined
      content.saved = undefined
      standing.delete(content)
    },
    room(name, size) {
      const had = rooms.get(name)
      if (had && had.bytes >= size) return had.address
      if (had) kernels.release(had.address)
      rooms.delete(name)
      // A little more than asked, so that sizes which creep up do not move it every time.
      const made = { address: allocate(size + (size >> 3) + 64), bytes: size + (size >> 3) }
      rooms.set(name, made)
      return made.address
    },
    put(to, from, rows, columns, ld) {
      const target = view(from, to, rows * columns)
      if (ld === columns) target.set(from.length === rows * columns ? from : from.subarray(0, rows * columns))
      else for (let i = 0; i < rows; i++) target.set(from.subarray(i * ld, i * ld + columns), i * columns)
    },
    take(from, to, rows, columns, ld) {
      const source = view(to, from, rows * columns)
      if (ld === columns) to.set(source)
      else for (let i = 0; i < rows; i++) to.set(source.subarray(i * columns, (i + 1) * columns), i * ld)
    },
    putLower(to, from, n, toStride, fromStride) {
      const target = view(from, to, n * toStride)
      for (let i = 0; i < n; i++) target.set(from.subarray(i * fromStride, i * fromStride + i + 1), i * toStride)
    },
    takeLower(from, to, n, fromStride, toStride) {
      const source = view(to, from, n * fromStride)
      for (let i = 0; i < n; i++) to.set(source.subarray(i * fromStride, i * fromStride + i + 1), i * toStride)
    },
    words: (from, count) => new Int32Array(memory.buffer, from, count).slice(),
    clear(from, size) {
      new Uint8Array(memory.buffer, from, size).fill(0)
    },
    putWords(to, words) {
      new Int32Array(memory.buffer, to, words.length).set(words)
    },
  }
}
