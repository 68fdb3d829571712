import type { Checked, Finding } from './reference.ts'

/** At most this many characters a line. */
const LINE = 100
/** Widths of the columns: name, expected, got, error, gap, seconds; the verdict is last. */
const WIDTHS = [26, 17, 17, 9, 9, 9]

export const heading: string = row(['name', 'expected', 'got', 'error', 'gap', 'seconds', 'verdict'])
export const rule: string = '-'.repeat(heading.length)

/** One line per optimum, followed by a line per thing that is wrong with it. */
export function lineOf(finding: Finding): string {
  if (finding.kind === 'checked') return checkedLines(finding)
  return row([finding.name, '-', '-', '-', '-', '-', finding.kind === 'skipped' ? 'skipped' : 'DAMAGED'])
}

function checkedLines({ name, expected, got, error, gap, seconds, misses }: Checked): string {
  const verdict = misses.length === 0 ? 'ok' : 'MISS'
  const cells = [name, digits(expected), digits(got), error.toExponential(1), gap.toExponential(1), seconds.toFixed(2)]
  return [row([...cells, verdict]), ...misses.map((miss) => `  ${miss}`)].join('\n')
}

/** What was skipped, once per reason with the names, and every damaged file with its sentence. */
export function notes(findings: readonly Finding[]): string[] {
  const names = new Map<string, string[]>()
  for (const finding of findings)
    if (finding.kind === 'skipped') names.set(finding.why, [...(names.get(finding.why) ?? []), finding.name])
  const skipped = [...names].flatMap(([why, all]) => wrapped(`skipped: ${why} (${all.length}): ${all.join(', ')}`))
  const damaged = findings.flatMap((finding) => (finding.kind === 'damaged' ? [`damaged: ${finding.why}`] : []))
  return [...skipped, ...damaged]
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, k) => (k === 0 ? cell.padEnd(WIDTHS[0]!) : k < WIDTHS.length ? cell.padStart(WIDTHS[k]!) : `  ${cell}`))
    .join('')
}

/** Twelve significant digits, without an exponent where that is readable. */
function digits(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(8) : value.toPrecision(12)
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' '))
    if (line !== '' && line.length + 1 + word.length > LINE) {
      lines.push(line)
      line = `  ${word}`
    } else line = line === '' ? word : `${line} ${word}`
  return [...lines, line]
}
