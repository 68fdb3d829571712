import { basename } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { CcnnClassifier, type CcnnLayerOptions } from '../../estimators/ccnn-classifier.ts'
import { filterPlot } from '../../plots/filters.ts'
import { requireWritable, writeWhole } from '../files.ts'
import { readImages } from '../image-data.ts'
import { addOutputOptions, positive, whole } from '../options.ts'
import { brief, interruptSignal, pairs, percent, print, progressDisplay, type Terminal } from '../terminal.ts'

interface Flags extends Terminal {
  labels?: string
  test?: string
  testLabels?: string
  count?: number
  layers: number
  patch: number
  pool: number
  landmarks: number
  gamma: number
  whiten: boolean
  lambdaRatio: number
  keep: number
  tolerance: number
  maxIterations: number
  seed: number
  out?: string
  filters?: string
}

/** cvxnn fit-images, or fit --program ccnn: image files in, a certified convolutional network out. */
export function addFitImages(program: Command): void {
  const command = program
    .command('fit-images')
    .description('train a convexified convolutional network on images, as fit --program ccnn does')
    .argument('<images>', 'IDX file of images with --labels, or a binary file of CIFAR-10; gzip-compressed or not')
    .option('--labels <labels>', 'IDX file of their classes')
    .option('--test <images>', 'images to test on')
    .option('--test-labels <labels>', 'IDX file of their classes')
    .option('--count <images>', 'train on the first so many', whole)
    .option('--layers <count>', 'convolutional layers, each trained on what the one before sees', whole, 1)
    .option('--patch <side>', 'side of the patches', whole, 5)
    .option('--pool <side>', 'side of the windows that are averaged', whole, 2)
    .option('--landmarks <count>', 'training patches that the kernel is seen through', whole, 100)
    .option('--gamma <number>', 'of the kernel exp(-gamma |a - b|^2) on patches', positive, 1)
    .option('--no-whiten', 'patches of the first layer as they are')
    .option('--lambda-ratio <share>', 'weight of the nuclear norm, of the least that leaves no filter', positive, 1e-3)
    .option('--keep <count>', 'filters that a next layer is built on', whole, 16)
    .option('--tolerance <gap>', 'relative duality gap that counts as solved', positive, 1e-2)
    .option('--max-iterations <count>', 'iterations a layer at most', whole, 500)
    .option('--seed <number>', 'of the landmarks', wholeOrZero, 1)
  addOutputOptions(command)
    .option('-o, --out <model.json>', 'write the model here')
    .option('--filters <picture.svg>', 'write a picture of the first filters here')
    .addHelpText(
      'after',
      `
Examples:
  $ cvxnn fit-images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --count 2000 --pool 4
  $ cvxnn fit-images data_batch_1.bin --test test_batch.bin --pool 7 --filters filters.svg

Exit code: 0 when every layer is solved to the tolerance, 1 when not, 2 when the input is wrong.`,
    )
    .action(async (path: string, flags: Flags) => {
      process.exitCode = await fitImages(path, flags)
    })
}

async function fitImages(path: string, flags: Flags): Promise<number> {
  for (const target of [flags.out, flags.filters]) if (target !== undefined) await requireWritable(target)
  const { X, labels, shape } = await readImages(path, flags.labels, flags.count)
  const test = flags.test === undefined ? undefined : await readImages(flags.test, flags.testLabels)
  const layers = Array.from({ length: flags.layers }, (_, k) => layerOf(flags, k))
  const { tolerance, maxIterations, seed } = flags
  const begun = performance.now()
  const classifier = await trainOn(
    new CcnnClassifier({ shape, layers, tolerance, maxIterations, seed }),
    X,
    labels,
    flags,
  )
  const seconds = (performance.now() - begun) / 1000
  const scores = {
    train: classifier.score(X, labels),
    ...(test && { test: classifier.score(test.X, test.labels) }),
  }
  if (flags.out !== undefined) await writeWhole(flags.out, `${JSON.stringify(classifier)}\n`)
  if (flags.filters !== undefined) await writeWhole(flags.filters, await filterPlot(classifier.network.layers[0]!))
  const { status } = classifier
  if (flags.json)
    print(JSON.stringify({ data: path, images: X.rows, shape, status, layers: classifier.layers, scores, seconds }))
  else {
    print(
      `${basename(path)}: ${X.rows} images of ${shape.height} x ${shape.width} x ${shape.channels}, ${classifier.classes.length} classes`,
    )
    const rows: [string, string][] = [['status', `${status} in ${seconds.toFixed(1)} s`]]
    classifier.layers.forEach(({ certificate, lambda, rank, iterations }, k) => {
      rows.push([
        `layer ${k + 1}`,
        `${rank} filters at lambda ${brief(lambda)}, objective ${certificate.primal.toPrecision(6)}, and no lower than ${certificate.dual.toPrecision(6)}, ${iterations} iterations`,
      ])
    })
    rows.push(['train', `${percent(scores.train).trim()} right`])
    if (scores.test !== undefined) rows.push(['test', `${percent(scores.test).trim()} right of ${test!.X.rows}`])
    if (flags.out) rows.push(['model', flags.out])
    if (flags.filters) rows.push(['filters', flags.filters])
    for (const line of pairs(rows)) print(line)
  }
  return status === 'solved' ? 0 : 1
}

/** The first layer reads pixels; the others read what filters see, on patches of length one. */
function layerOf(flags: Flags, k: number): CcnnLayerOptions {
  const { patch, pool, landmarks, gamma, lambdaRatio, keep } = flags
  return {
    patch: { size: k === 0 ? patch : Math.min(patch, 3), normalize: k === 0 ? 'contrast' : 'l2' },
    pool: { size: pool },
    landmarks,
    gamma,
    lambdaRatio,
    filters: keep,
    whiten: k === 0 && flags.whiten,
  }
}

/** Trains with progress; Ctrl-C keeps the best network so far. */
async function trainOn(
  classifier: CcnnClassifier,
  X: Parameters<CcnnClassifier['train']>[0],
  labels: readonly number[],
  flags: Flags,
): Promise<CcnnClassifier> {
  const display = progressDisplay(flags)
  try {
    return await classifier.trainAsync(X, labels, {
      signal: interruptSignal(display),
      onProgress: ({ layer, iteration, certificate }) => {
        const gap = Math.max(certificate.relativeGap, flags.tolerance)
        const share = (layer - 1 + Math.min(1, Math.max(0, Math.log(gap) / Math.log(flags.tolerance)))) / flags.layers
        display.update(share, `layer ${layer}: iteration ${iteration}, gap ${percent(certificate.relativeGap).trim()}`)
      },
    })
  } finally {
    display.stop()
  }
}

function wholeOrZero(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected a whole number of at least 0.')
  return value
}
