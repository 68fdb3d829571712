import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import tQuantile from '@stdlib/stats-base-dists-t-quantile'

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
const data = process.env.CVXNN_DATA ?? '../shared/data'
const words = process.argv.slice(2)
const firstFlag = words.findIndex((word) => word.startsWith('--'))
const names = firstFlag < 0 ? words : words.slice(0, firstFlag)
const flags = firstFlag < 0 ? [] : words.slice(firstFlag)
const cli = new URL('../dist/cli.js', import.meta.url).pathname
const sets = [
  ...['yacht', 'machine', 'boston', 'energy', 'autompg', 'stock', 'wine-quality-red'].map(
    (name) => `regression/${name}`,
  ),
  ...[
    ...['iris', 'wine', 'ionosphere', 'parkinsons', 'breast-cancer-wisc-diag', 'statlog-heart', 'pima', 'mammographic'],
    ...['breast-cancer-wisc', 'credit-approval', 'monks-1', 'monks-2', 'seeds', 'vertebral-column-2clases'],
  ].map((name) => `classification/${name}`),
]

interface Outcome {
  set: string
  status: string
  gap: number
  lambda: number
  neurons: number
  seconds: number
  /** Test accuracy, or root mean squared error. */
  metric: number
  /** Half the width of the 95 % interval of that metric over the test rows. */
  halfWidth: number
  baseline: number
  mlp: number
  verdict: 'better' | 'within noise' | 'worse'
}

if (!existsSync(join(data, 'uci'))) {
  console.log(`No data at ${data}; set CVXNN_DATA to a folder that holds uci/.`)
} else {
  const chosen = names.length > 0 ? sets.filter((set) => names.some((name) => set.endsWith(name))) : sets
  const header = ['set', 'status', 'gap', 'lambda', 'neurons', 'seconds', 'test', '±95 %', 'linear', 'mlp', 'verdict']
  const widths = [38, 8, 8, 9, 7, 8, 9, 8, 9, 9, 12]
  const line = (cells: readonly string[]): string => cells.map((cell, k) => cell.padEnd(widths[k]!)).join(' ')
  console.log(line(header))
  for (const set of chosen) {
    const outcome = await run(set)
    console.log(
      line([
        ...[
          set,
          outcome.status,
          outcome.gap.toExponential(1),
          outcome.lambda.toExponential(2),
          String(outcome.neurons),
        ],
        ...[
          outcome.seconds.toFixed(1),
          ...[outcome.metric, outcome.halfWidth, outcome.baseline, outcome.mlp].map((x) => x.toPrecision(4)),
        ],
        outcome.verdict,
      ]),
    )
  }
}

async function run(set: string): Promise<Outcome> {
  const classification = set.startsWith('classification')
  const folder = await mkdtemp(join(tmpdir(), 'cvxnn-uci-'))
  try {
    const [train, test] = split(readFileSync(join(data, 'uci', `${set}.csv`), 'utf8'))
    await writeFile(join(folder, 'train.csv'), train)
    await writeFile(join(folder, 'test.csv'), test)
    const model = join(folder, 'model.json')
    const loss = flags.indexOf('--loss')
    const fitFlags = classification || loss < 0 ? flags : flags.filter((_, k) => k !== loss && k !== loss + 1)
    const task = classification ? 'classification' : 'regression'
    const fit = await command(
      'fit',
      join(folder, 'train.csv'),
      '--target',
      'y',
      '--task',
      task,
      '--test',
      '0',
      ...fitFlags,
      '--out',
      model,
    )
    const predicted = await command('predict', model, join(folder, 'test.csv'))
    const truth = test
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => Number(row.slice(row.lastIndexOf(',') + 1)))
    const losses = truth.map((y, r) => {
      const guess = Number((predicted.predictions as unknown[][])[r]![0])
      return classification ? Number(guess === y) : (guess - y) ** 2
    })
    const mean = losses.reduce((a, b) => a + b, 0) / losses.length
    const variance = losses.reduce((a, b) => a + (b - mean) ** 2, 0) / (losses.length - 1)
    const spread = tQuantile(0.975, losses.length - 1) * Math.sqrt(variance / losses.length)
    const metric = classification ? mean : Math.sqrt(mean)
    // Delta method for the root.
    const halfWidth = classification ? spread : spread / (2 * metric)
    const baselines = JSON.parse(readFileSync(join(data, 'uci', 'baselines.json'), 'utf8')).datasets[set]
    const baseline: number = classification ? baselines.logistic.test_accuracy : baselines.ridge.test_rmse
    const ahead = classification ? metric - baseline : baseline - metric
    const mlp: number = baselines.mlp_relu_100[classification ? 'test_accuracy' : 'test_rmse']
    const verdict = ahead > 1e-6 * Math.abs(baseline) ? 'better' : -ahead <= halfWidth ? 'within noise' : 'worse'
    const { status, lambda, neurons, seconds, certificate } = fit as unknown as Outcome & {
      certificate: { relativeGap: number }
    }
    return {
      set,
      status,
      gap: certificate.relativeGap,
      lambda,
      neurons,
      seconds,
      metric,
      halfWidth,
      baseline,
      mlp,
      verdict,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Row i is a test row when (i * 2654435761 mod 2^32) < 0.2 * 2^32: the split of the baselines. */
function split(text: string): [string, string] {
  const [header, ...rows] = text.trim().split(/\r?\n/)
  const isTest = (i: number): boolean => Number((BigInt(i) * 2654435761n) % 4294967296n) < 0.2 * 4294967296
  const part = (test: boolean): string => `${[header, ...rows.filter((_, i) => isTest(i) === test)].join('\n')}\n`
  return [part(false), part(true)]
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
