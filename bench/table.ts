/** A table that grows row by row on the terminal, in Markdown, so that it can be read while a long run goes on. */
export interface Table {
  row(cells: readonly (string | number)[]): void
}

/** Prints the head; every column is at least as wide as its heading, and the first ones as wide as `widths` says. */
export function table(heads: readonly string[], widths: readonly number[] = []): Table {
  const width = heads.map((head, k) => Math.max(head.length, widths[k] ?? 0))
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell, k) => String(cell).padEnd(width[k]!)).join(' | ')} |`
  console.log(line(heads))
  console.log(`| ${width.map((w) => '-'.repeat(w)).join(' | ')} |`)
  return { row: (cells) => console.log(line(cells)) }
}

/** Two significant digits from a tenth on, as seconds and ratios are read. */
export function brief(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)
}
