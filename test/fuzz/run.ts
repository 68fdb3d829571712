import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { fuzzedReaders, readOnce, type Tally } from './readers.ts'

/** npm run fuzz -- --count 100000 [--seed 1] [--only loadModel]: inputs in all, divided among the readers. */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
})
const readers = fuzzedReaders().filter(({ name }) => name.includes(values.only))
const numRuns = Math.ceil(Number(values.count) / readers.length)
let failures = 0
let total = 0
for (const reader of readers) {
  const tally: Tally = { accepted: 0, refused: 0, slowest: 0 }
  const result = await fc.check(
    fc.asyncProperty(reader.inputs, (input) => readOnce(reader, input, tally)),
    { numRuns, seed: Number(values.seed), endOnFailure: false },
  )
  total += result.numRuns
  const { accepted, refused, slowest } = tally
  console.log(
    `${reader.name.padEnd(32)} ${result.numRuns} inputs: ${accepted} accepted, ${refused} refused, slowest ${(1000 * slowest).toFixed(0)} ms`,
  )
  if (!result.failed) continue
  failures++
  const [input] = result.counterexample!
  console.log(input instanceof Uint8Array ? Buffer.from(input).toString('base64') : JSON.stringify(input))
  console.log(result.errorInstance instanceof Error ? result.errorInstance.stack : result.errorInstance)
  if (result.errorInstance instanceof Error && result.errorInstance.cause)
    console.log((result.errorInstance.cause as Error).stack)
}
console.log(`${total} inputs, ${failures} readers at fault`)
process.exitCode = failures > 0 ? 1 : 0
