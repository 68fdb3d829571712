/** A call of one of a module's functions, by its name; its arguments are numbers. */
export interface Call {
  readonly name: string
  readonly values: readonly number[]
}

/** Threads that run functions of one WebAssembly module in one shared memory, this one among them. */
export interface Team {
  /** Threads that can take a part now, this one included: the others count from when they have started. */
  size(): number
  /** Runs the calls of each of up to `size` parts on a thread of its own, the first part here, and returns when all are done. */
  run(parts: readonly (readonly Call[])[]): void
}

/** Numbers that one thread's calls may take together: for each its function, how many arguments, and they. */
const MESSAGE = 256

// The words of one thread, on a cache line of its own: whether it has started, the last order it was given, the last one done.
const WORDS = 16
const STARTED = 0
const ORDERED = 1
const DONE = 2
const FAILED = 3

/** Looks at a word before sleep: some 45 microseconds, where to be woken takes about 25. */
const LOOKS = 6_000

/**
 * `count` threads with this module and memory, or undefined where there are none: outside Node, and for a count of one.
 *
 * They are of worker_threads, started once, and do not keep the process alive. General pools pass messages, which takes
 * longer than many a product.
 */
export function startTeam(
  count: number,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  own: Readonly<Record<string, (...values: number[]) => unknown>>,
): Team | undefined {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (!threads || count < 2) return undefined
  const names = Object.keys(own)
  const words = new Int32Array(new SharedArrayBuffer(4 * WORDS * count))
  const messages = new Float64Array(new SharedArrayBuffer(8 * MESSAGE * count))
  for (let index = 1; index < count; index++) {
    const constants = { WORDS, STARTED, ORDERED, DONE, FAILED, MESSAGE, LOOKS }
    const workerData = { module, memory, names, words, messages, index, constants }
    new threads.Worker(WORKER, { eval: true, workerData }).unref()
  }
  const started = (): number[] => {
    const all: number[] = []
    for (let index = 1; index < count; index++) if (Atomics.load(words, WORDS * index + STARTED) === 1) all.push(index)
    return all
  }
  return {
    size: () => 1 + started().length,
    run(parts) {
      const others = started().slice(0, parts.length - 1)
      others.forEach((index, part) => {
        writeMessage(messages, MESSAGE * index, parts[part + 1]!, names)
        Atomics.add(words, WORDS * index + ORDERED, 1)
        Atomics.notify(words, WORDS * index + ORDERED)
      })
      for (const { name, values } of parts[0]!) own[name]!(...values)
      for (const index of others) {
        awaitChange(words, WORDS * index + DONE, Atomics.load(words, WORDS * index + ORDERED) - 1)
        if (Atomics.load(words, WORDS * index + FAILED) === 1)
          throw new Error('cvxnn: a kernel failed in a thread; run with one thread to see where, and report it.')
      }
    },
  }
}

function writeMessage(messages: Float64Array, start: number, calls: readonly Call[], names: readonly string[]): void {
  let at = start
  messages[at++] = calls.length
  for (const { name, values } of calls) {
    messages[at++] = names.indexOf(name)
    messages[at++] = values.length
    messages.set(values, at)
    at += values.length
  }
}

/** Returns when the word is no longer what it was. */
function awaitChange(words: Int32Array, place: number, was: number): void {
  for (let looks = 0; Atomics.load(words, place) === was; looks++) if (looks > LOOKS) Atomics.wait(words, place, was)
}

/** Plain JavaScript in a string, so that it is the same from the sources, bundled, or under a test's loader. */
const WORKER = `
const { module, memory, names, words, messages, index, constants } = require('node:worker_threads').workerData
const { WORDS, STARTED, ORDERED, DONE, FAILED, MESSAGE, LOOKS } = constants
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports
const mine = WORDS * index
Atomics.store(words, mine + STARTED, 1)
for (let order = 0; ; ) {
  for (let looks = 0; Atomics.load(words, mine + ORDERED) === order; looks++)
    if (looks > LOOKS) Atomics.wait(words, mine + ORDERED, order)
  order++
  try {
    let at = MESSAGE * index
    for (let calls = messages[at++]; calls > 0; calls--) {
      const name = names[messages[at++]]
      const length = messages[at++]
      kernels[name](...messages.subarray(at, at + length))
      at += length
    }
  } catch {
    Atomics.store(words, mine + FAILED, 1)
  }
  Atomics.store(words, mine + DONE, order)
  Atomics.notify(words, mine + DONE)
}
`
