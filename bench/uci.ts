/**
 * `cvxnn fit` on UCI tables against the baselines of the same split in baselines.json, linear (ridge or logistic) and a
 * perceptron of 100 ReLUs trained by Adam: status, gap, and the test metric with its 95 % interval.
 *
 *     npm run bench:uci [-- NAME ...] [--program relu] [--loss logistic] [...]
 *
 * Flags go to `cvxnn fit`; --loss counts for classification only.
 *
 * Reads the folder named by CVXNN_DATA and says so when it is not there.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Task } from '../src/index.ts'
import { median } from './machine.ts'
import { ahead, measured, standing } from './standing.ts'
import { table } from './table.ts'
import { baselinesOf, dataFolder, isTestRow, uciSets } from './uci-table.ts'

const words = process.argv.slice(2)
const firstFlag = words.findIndex((word) => word.startsWith('--'))
const names = firstFlag < 0 ? words : words.slice(0, firstFlag)
const flags = firstFlag < 0 ? [] : words.slice(firstFlag)
const cli = new URL('../dist/cli.js', import.meta.url).pathname

/** What `cvxnn fit --json` says, as far as it is shown. */
interface Fit {
  readonly status: string
  readonly lambda: number
  readonly neurons: number
  readonly seconds: number
  readonly certificate: { readonly relativeGap: number }
}

if (!existsSync(join(dataFolder, 'uci'))) {
  console.log(`No data at ${dataFolder}; set CVXNN_DATA to a folder that holds uci/.`)
} else {
  const heads = ['set', 'status', 'gap', 'lambda', 'neurons', 'seconds', 'test', '±95 %', 'linear', 'MLP']
  const results = table([...heads, 'against linear', 'against MLP'], [24, 6, 7, 7, 7, 7, 8, 7, 8, 8, 14, 12])
  const differences: number[] = []
  for (const set of names.length > 0
    ? uciSets.filter((set) => names.some((name) => set.endsWith(`/${name}`)))
    : uciSets) {
    const task = set.startsWith('classification') ? 'classification' : 'regression'
    const { fit, scores } = await run(set, task)
    const { status, lambda, neurons, seconds, certificate } = fit
    const ours = measured(scores, task)
    const { linear, mlp } = baselinesOf({ name: set, task })
    differences.push(ahead(ours, mlp, task) / mlp)
    results.row([
      ...[set.split('/')[1]!, status, certificate.relativeGap.toExponential(0), lambda.toExponential(1), neurons],
      ...[seconds.toFixed(1), ours.metric.toPrecision(4), ours.halfWidth.toPrecision(2)],
      ...[linear.toPrecision(4), mlp.toPrecision(4), standing(ours, linear, task), standing(ours, mlp, task)],
    ])
  }
  if (differences.length > 0)
    console.log(
      `At least level with the perceptron on ${differences.filter((by) => by >= 0).length} of ${differences.length}; on the median set ${(100 * median(differences)).toFixed(2)} % ahead.`,
    )
}

/** Trains on the training rows, predicts the others: one score a test row. */
async function run(set: string, task: Task): Promise<{ fit: Fit; scores: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'cvxnn-uci-'))
  try {
    const [header, ...rows] = readFileSync(join(dataFolder, 'uci', `${set}.csv`), 'utf8')
      .trim()
      .split(/\r?\n/)
    const part = (test: boolean): string[] => rows.filter((_, i) => isTestRow(i) === test)
    const [train, test, model] = ['train.csv', 'test.csv', 'model.json'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(train, [header, ...part(false), ''].join('\n'))
    await writeFile(test, [header, ...part(true), ''].join('\n'))
    const loss = flags.indexOf('--loss')
    const fitFlags =
      task === 'classification' || loss < 0 ? flags : flags.filter((_, k) => k !== loss && k !== loss + 1)
    const asked = ['--target', 'y', '--task', task, '--test', '0', ...fitFlags, '--out', model]
    const fit = (await command('fit', train, ...asked)) as unknown as Fit
    const { predictions } = (await command('predict', model, test)) as { predictions: [string | number][] }
    const scores = part(true).map((row, r) => {
      const truth = Number(row.slice(row.lastIndexOf(',') + 1))
      const guess = Number(predictions[r]![0])
      return task === 'classification' ? Number(guess === truth) : -((guess - truth) ** 2)
    })
    return { fit, scores }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function command(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args, '--json'], { maxBuffer: 1e9 }).catch(
    (error: { stdout?: string }) => {
      // Not solved is exit code 1 with the answer on stdout.
      if (error.stdout) return { stdout: error.stdout }
      throw error
    },
  )
  return JSON.parse(stdout)
}
