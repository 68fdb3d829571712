import { readCsv, readHeader, type TableDataset, toRows } from '../src/index.ts'
import type { Sample } from './messages.ts'

/** Rows that the page takes. */
const MOST_ROWS = 1000

/**
 * A pasted table as a sample, and the columns it has. Without a target the last column is predicted; a first row of numbers
 * is data, and the columns are then called x (or x1, x2, ...) and y.
 *
 * @throws RangeError with the reader's sentence.
 */
export async function readSample(
  text: string,
  target?: string,
): Promise<{ readonly sample: Sample; readonly columns: readonly string[] }> {
  const source = { text, name: 'the table' }
  const first = await readHeader(source)
  const header = first.every(isNumber) ? invented(first.length) : undefined
  const columns = header ?? first
  if (columns.length < 2)
    throw new RangeError(
      `The table has the one column ${JSON.stringify(columns[0])}, expected two or more; paste the columns to predict from and the one to predict.`,
    )
  const options = {
    target: target !== undefined && columns.includes(target) ? target : columns.at(-1)!,
    ...(header && { header }),
  }
  const read = await readCsv(source, options)
  const twoValues = read.task === 'regression' && new Set(read.y.data).size === 2
  return { sample: sampleOf(twoValues ? await readCsv(source, { ...options, task: 'classification' }) : read), columns }
}

function sampleOf({ X, y, features, target, task, classes }: TableDataset): Sample {
  if (X.rows > MOST_ROWS)
    throw new RangeError(
      `The table has ${X.rows} rows and this page takes ${MOST_ROWS}; for more, run npx cvxnn path on the file.`,
    )
  if (classes && classes.length > 2)
    throw new RangeError(
      `The column ${JSON.stringify(target[0])} has ${classes.length} classes and this page tells two apart; for more, run npx cvxnn fit on the file.`,
    )
  return {
    task,
    features,
    target: target[0]!,
    ...(classes && { classes: [classes[0]!, classes[1]!] }),
    rows: toRows(X),
    y: Array.from(y.data),
  }
}

function isNumber(cell: string): boolean {
  return cell.trim() !== '' && Number.isFinite(Number(cell))
}

function invented(count: number): string[] {
  return count === 2 ? ['x', 'y'] : [...Array.from({ length: count - 1 }, (_, j) => `x${j + 1}`), 'y']
}
