/**
 * Solves every reference problem under the given folders and compares with the optimum in its file:
 *
 *     npm run golden -- DIR...
 *     npm run golden -- --bench DIR...    benchmark problems too: minutes each
 *
 * Prints one line per optimum. Exits with 1 when one is missed, a file is damaged, or nothing could be checked.
 */
import { checkFile, jsonFiles } from './check-file.ts'
import { bench } from './families/bench.ts'
import { families } from './families/index.ts'
import type { Finding } from './reference.ts'
import { heading, lineOf, notes, rule } from './table.ts'

function main(args: readonly string[]): number {
  const known = args.includes('--bench') ? [...families, bench] : families
  const places = args.filter((arg) => arg !== '--bench')
  if (places.length === 0) {
    console.error('golden: no folder was given; run npm run golden -- DIR... with folders of reference files.')
    return 1
  }
  let files: string[]
  try {
    files = jsonFiles(places)
  } catch (error) {
    console.error(`golden: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
  console.log(`${heading}\n${rule}`)
  const findings: Finding[] = []
  for (const file of files)
    for (const finding of checkFile(file, known)) {
      findings.push(finding)
      if (finding.kind !== 'skipped') console.log(lineOf(finding))
    }
  console.log(rule)
  for (const note of notes(findings)) console.log(note)

  const checked = findings.filter((finding) => finding.kind === 'checked')
  const missed = checked.filter((finding) => finding.misses.length > 0).length
  const damaged = findings.filter((finding) => finding.kind === 'damaged').length
  const skipped = findings.length - checked.length - damaged
  console.log(`${checked.length - missed} met, ${missed} missed, ${damaged} damaged, ${skipped} skipped`)
  if (checked.length === 0) console.error('golden: nothing was checked; no file is of a family that is built.')
  return missed > 0 || damaged > 0 || checked.length === 0 ? 1 : 0
}

process.exitCode = main(process.argv.slice(2))
