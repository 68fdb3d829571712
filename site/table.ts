import type { Sample } from './messages.ts'

/** A sample as the text of a table, its target in the last column. */
export function tableOf({ features, target, rows, y, classes }: Sample): string {
  const label = (value: number): string | number => (classes ? classes[value > 0 ? 1 : 0] : value)
  return [[...features, target], ...rows.map((row, i) => [...row, label(y[i]!)])]
    .map((cells) => cells.map(quoted).join(','))
    .join('\n')
}

function quoted(cell: string | number): string {
  const text = String(cell)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
