import type { Command } from 'commander'
import type { ReluClassifier } from '../../estimators/relu-classifier.ts'
import { fromRows } from '../../numerics/matrix.ts'
import { addOutputOptions } from '../options.ts'
import { spirals } from '../spirals.ts'
import { pairs, print, remark, type Terminal } from '../terminal.ts'
import { advice } from '../words.ts'
import { trainOn } from './fit.ts'

/** cvxnn demo: the whole job on data that need no file. */
export function addDemo(program: Command): void {
  addOutputOptions(program.command('demo'))
    .description('train on embedded data: two spirals that no line can separate')
    .addHelpText('after', '\nExample:\n  $ cvxnn demo')
    .action(async (flags: Terminal) => {
      process.exitCode = await demo(flags)
    })
}

async function demo(flags: Terminal): Promise<number> {
  const train = spirals(150, 1)
  const test = spirals(150, 2)
  const begun = performance.now()
  const classifier = (await trainOn(train, { gates: 200, lambda: 5e-4, seed: 1 }, flags)) as ReluClassifier
  const seconds = (performance.now() - begun) / 1000
  const { certificate, status, network } = classifier
  const accuracy = { train: classifier.score(train.X, train.labels), test: classifier.score(test.X, test.labels) }
  if (flags.json) {
    print(JSON.stringify({ status, certificate, neurons: network.width, accuracy, seconds }))
    return status === 'solved' ? 0 : 1
  }
  print('Two spirals, 300 points to train on, 300 others to test on; a two-layer gated ReLU network:')
  for (const line of picture(classifier)) print(`  ${line}`)
  for (const line of pairs([
    ['objective', certificate.primal.toPrecision(8)],
    ['lower bound', certificate.dual.toPrecision(8)],
    ['gap', `${certificate.relativeGap.toExponential(1)}: no network with these 200 gates does better by more`],
    ['neurons', `${network.width}`],
    ['test accuracy', `${(100 * accuracy.test).toFixed(1)} % (training ${(100 * accuracy.train).toFixed(1)} %)`],
    ['seconds', seconds.toFixed(1)],
  ]))
    print(line)
  if (status !== 'solved') remark(advice(classifier, false))
  return status === 'solved' ? 0 : 1
}

/** What the network says over the plane, as text. */
function picture(classifier: ReluClassifier): string[] {
  const side = 1.7
  const columns = 44
  const rows = 20
  const at = (k: number, count: number): number => side * ((2 * (k + 0.5)) / count - 1)
  return Array.from({ length: rows }, (_, r) => {
    const line = fromRows(Array.from({ length: columns }, (_, c) => [at(c, columns), -at(r, rows)]))
    return classifier
      .predict(line)
      .map((label) => (label === 'outer' ? '█' : '·'))
      .join('')
  })
}
