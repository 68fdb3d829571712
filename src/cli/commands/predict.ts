import { type Command, Option } from 'commander'
import { decodeLabels } from '../../data/dataset.ts'
import { readRows } from '../../data/read-rows.ts'
import { readModelFile, requireWritable, writeWhole } from '../files.ts'
import { metricsOf, metricsText } from '../metrics.ts'
import { addCellOptions, addOutputOptions, type CellFlags, cellOptions } from '../options.ts'
import { orStandardInput, tableSource } from '../table-source.ts'
import { print, remark, type Terminal } from '../terminal.ts'

type Flags = Terminal & CellFlags & { out?: string; scores?: boolean; unknown: 'error' | 'zero' }

/** cvxnn predict: a model and a table in, one prediction per row out. */
export function addPredict(program: Command): void {
  const command = program
    .command('predict')
    .description('predict the rows of a table with a model that fit wrote')
    .argument('<model.json>', 'model file')
    .argument('<rows.csv>', `table with the columns it was trained on, in any order ${orStandardInput}`)
    .option('-o, --out <predictions.csv>', 'write the predictions here instead of to stdout')
    .option('--scores', 'the scores of the classes as well')
    .addOption(
      new Option('--unknown <policy>', 'a category that training did not have')
        .choices(['error', 'zero'])
        .default('error'),
    )
  addOutputOptions(addCellOptions(command))
    .addHelpText(
      'after',
      `
When the table has the target column as well, the score goes to stderr.

Examples:
  $ cvxnn predict model.json rows.csv
  $ cvxnn predict model.json - < rows.csv
  $ cvxnn predict model.json rows.csv --scores --out predictions.csv`,
    )
    .action(async (model: string, rows: string, flags: Flags) => {
      await predict(model, rows, flags)
    })
}

async function predict(modelPath: string, rowsPath: string, flags: Flags): Promise<void> {
  if (flags.out !== undefined) await requireWritable(flags.out)
  const { estimator, extras } = await readModelFile(modelPath)
  const { schema } = extras
  const rows = await readRows(tableSource(rowsPath), schema, { unknown: flags.unknown, ...cellOptions(flags) })
  const values = estimator.network.predict(rows.X)
  const classes = schema.task === 'classification' ? schema.classes! : undefined
  const labels = classes && decodeLabels(values, classes)
  const scoreNames = values.columns === 1 ? ['score'] : (classes ?? []).map((name) => `score ${name}`)
  const header = classes ? [...schema.target, ...(flags.scores ? scoreNames : [])] : [...schema.target]
  const cells = (r: number): (string | number)[] => {
    const numbers = Array.from(values.data.subarray(r * values.columns, (r + 1) * values.columns))
    return labels ? [labels[r]!, ...(flags.scores ? numbers : [])] : numbers
  }
  const truth = rows.y && { X: rows.X, y: rows.y, ...(rows.labels && { labels: rows.labels }) }
  const metrics = truth && metricsOf(estimator.network, truth, classes)
  const predictions = Array.from({ length: values.rows }, (_, r) => cells(r))
  const text = `${[header, ...predictions].map((line) => line.map(csvCell).join(',')).join('\n')}\n`
  if (flags.out !== undefined) await writeWhole(flags.out, text)
  if (flags.json) {
    print(JSON.stringify({ columns: header, predictions, ...(metrics && { score: metrics }) }))
    return
  }
  if (flags.out === undefined) process.stdout.write(text)
  if (metrics && !flags.quiet) remark(`${values.rows} rows, ${metricsText(metrics)}`)
}

/** A cell, quoted where it must be (RFC 4180), and where readers would trim it. */
function csvCell(value: string | number): string {
  const text = String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
