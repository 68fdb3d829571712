import { basename } from 'node:path'
import type { Command } from 'commander'
import { sweep } from '../../../solvers/index.ts'
import { isSolved } from '../../certificates/certify.ts'
import type { GlobalCertificate } from '../../certificates/global-certificate.ts'
import { lambdaMax } from '../../certificates/lambda-max.ts'
import { type Verification, verify } from '../../certificates/verify.ts'
import { decodeLabels } from '../../data/dataset.ts'
import { ReluClassifier } from '../../estimators/relu-classifier.ts'
import { ReluRegressor } from '../../estimators/relu-regressor.ts'
import { unstandardize } from '../../models/unstandardize.ts'
import { confusionPlot } from '../../plots/confusion.ts'
import { crossValidationPlot } from '../../plots/cross-validation.ts'
import { networkPlot } from '../../plots/network.ts'
import { type PathPoint, pathPlot, pathPoint } from '../../plots/path.ts'
import { predictionPlot } from '../../plots/predictions.ts'
import { residualPlot } from '../../plots/residuals.ts'
import type { Certificate, ConvexProgram } from '../../types.ts'
import { type Fitted, type ModelFile, readModelFile, requireWritable, writeWhole } from '../files.ts'
import { fittedRows } from '../fitted-rows.ts'
import { scoresOf } from '../fitted-table.ts'
import { type Metrics, metricsOf, metricsText } from '../metrics.ts'
import { addCellOptions, type CellFlags, whole } from '../options.ts'
import { type Fact, type Report, reportPage, type Section } from '../report-page.ts'
import type { Rows, SplitTable } from '../table-data.ts'
import { orStandardInput, tableArgument } from '../table-source.ts'
import { brief, interruptSignal, print, progressDisplay, remark } from '../terminal.ts'
import { certificateInWords, unboundedInWords } from '../words.ts'
import { problemOf } from './fit.ts'

interface Flags extends CellFlags {
  out?: string
  count: number
  path: boolean
  quiet: boolean
}

type TwoLayer = ReluRegressor | ReluClassifier

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Outputs beyond so many get no picture of their own. */
const MOST_OUTPUTS = 6

/** cvxnn report: a model and the table it was fitted on in, one page with everything that is known of it out. */
export function addReport(program: Command): void {
  const command = program
    .command('report')
    .description('write a page on a fitted model: its certificate, how lambda was chosen, pictures, predictions')
    .argument('<model.json>', 'model file that fit wrote')
    .argument('<data.csv>', `the table it was fitted on ${orStandardInput}`)
    .option('-o, --out <report.html>', 'write the page here instead of to stdout')
    .option('--count <number>', 'lambdas on the path from the zero network to this one', whole, 12)
    .option('--no-path', 'leave the path out, which has to be trained anew')
  addCellOptions(command)
    .option('-q, --quiet', 'no progress')
    .addHelpText(
      'after',
      `
The page needs nothing else: pictures and styles are in it, and no address of the network is asked.
Pictures need two optional parts: npm install @observablehq/plot linkedom@0.18.12

Examples:
  $ cvxnn report model.json houses.csv --out report.html

Exit code: 0 when the gap is within the tolerance it was fitted to, 1 when not, 2 when the input is wrong.`,
    )
    .action(async (model: string, data: string, flags: Flags) => {
      process.exitCode = await report(model, data, flags)
    })
}

async function report(modelPath: string, dataPath: string, flags: Flags): Promise<number> {
  if (flags.out !== undefined) await requireWritable(flags.out)
  const file = await readModelFile(modelPath)
  const split = await fittedRows(dataPath, file, flags)
  const { estimator } = file
  const convex = estimator instanceof ReluClassifier || estimator instanceof ReluRegressor
  const found = convex ? await ofConvex(estimator, split, flags) : ofLifted(estimator)
  const sections = [...found.sections, ...(await picturesOf(estimator, split)), ...(await answersOf(estimator, split))]
  const page = reportPage({
    title: `${basename(modelPath)}: ${split.dataset.target.join(', ')} from ${counted(split.dataset.features.length, 'feature')}`,
    within: found.within,
    verdict: found.verdict,
    facts: [...factsOf(file, split), ...found.facts],
    sections,
    check: convex ? `cvxnn verify ${basename(modelPath)} ${tableArgument(dataPath)}` : undefined,
  })
  if (flags.out === undefined) print(page.trimEnd())
  else {
    await writeWhole(flags.out, page)
    if (!flags.quiet) remark(`Written: ${flags.out}`)
  }
  return found.within ? 0 : 1
}

type Found = Pick<Report, 'within' | 'verdict' | 'facts' | 'sections'>

/** The certificate, computed anew from the data, and the ways to this lambda. */
async function ofConvex(estimator: TwoLayer, split: SplitTable, flags: Flags): Promise<Found> {
  const { train } = split
  const { settings } = estimator.toJSON()
  const program =
    estimator instanceof ReluClassifier
      ? estimator.program(train.X, train.labels!)
      : estimator.program(train.X, train.y)
  const seen = verify(program, estimator.preparedNetwork)
  const within = isSolved(seen.program, estimator.selectedLambda, settings.tolerance)
  const { count } = problemOf(estimator, train).gates
  const { crossValidation } = estimator
  const loss = split.dataset.task === 'classification' ? 'error rate' : 'squared error'
  const chosen: Section[] = crossValidation
    ? [
        {
          heading: 'How lambda was chosen',
          text: `By ${crossValidation.points[0]?.folds.length ?? 0}-fold cross-validation: each lambda was tried on rows left out of its training, and the one with the least ${loss} was taken.${loss === 'squared error' ? ' The error is a share of the targets’ variance.' : ''}`,
          figures: [await crossValidationPlot(crossValidation, { loss, title: `Held-out ${loss}` })],
        },
      ]
    : []
  return {
    within,
    verdict: [
      ...certificateInWords(seen, {
        program: settings.program,
        patterns: count,
        tolerance: settings.tolerance,
        within,
      }),
      ...globalWords(estimator.certificate),
    ],
    facts: convexFacts(estimator, seen, count),
    sections: [
      {
        heading: 'The certificate',
        text: 'Recomputed for this page from the table and the weights alone. Bars that end left of the dashed line are within the tolerance.',
        figures: [await residualPlot(seen.program, { tolerance: settings.tolerance })],
      },
      ...chosen,
      ...(flags.path ? await pathSection(program, estimator, split, flags) : []),
    ],
  }
}

/** What training over all networks proved, which this page does not prove again. */
function globalWords(certificate: Certificate): string[] {
  const { statement } = certificate as Partial<GlobalCertificate>
  return statement ? [`It was trained over all networks of any width, and then: ${statement}.`] : []
}

/** From the zero network down to this lambda, or to the least that was tried. */
async function pathSection(
  program: ConvexProgram<TwoLayer['preparedNetwork']>,
  estimator: TwoLayer,
  split: SplitTable,
  flags: Flags,
): Promise<Section[]> {
  const { settings, prepared } = estimator.toJSON()
  const { selectedLambda, crossValidation } = estimator
  const top = lambdaMax(program)
  const least = Math.min(selectedLambda, ...(crossValidation?.points ?? []).map(({ lambda }) => lambda))
  // Ridge penalties have no largest lambda, and a path to zero no end on a logarithmic axis.
  if (!Number.isFinite(top) || !(least > 0) || !(least < top)) return []
  const display = progressDisplay({ json: false, quiet: flags.quiet })
  const signal = interruptSignal(display)
  const points: PathPoint[] = []
  const score = (metrics: Metrics): number => ('accuracy' in metrics ? metrics.accuracy : metrics.rmse)
  const { tolerance, maxIterations } = settings
  try {
    for await (const at of sweep(program, {
      count: flags.count,
      ratio: least / top,
      tolerance,
      maxIterations,
      signal,
    })) {
      const network = unstandardize(at.model, prepared.inputs, prepared.targets)
      const { train, test } = scoresOf(network, split)
      points.push(pathPoint(at, { train: score(train), ...(test && { test: score(test) }) }))
      display.update(points.length / flags.count, `path: lambda ${brief(at.program.lambda)}`)
    }
  } finally {
    display.stop()
  }
  const classes = split.dataset.task === 'classification'
  return [
    {
      heading: 'The way there',
      text: `${points.length} networks with these activation patterns, from the zero network (lambda ${brief(top)}) down, each with its own certificate; the dashed line is this model’s lambda.`,
      figures: [
        await pathPlot(points, {
          ...{ score: classes ? 'accuracy' : 'RMSE', best: classes ? 'largest' : 'smallest' },
          ...{ tolerance, selected: selectedLambda },
        }),
      ],
    },
  ]
}

function ofLifted(estimator: Exclude<Fitted, TwoLayer>): Found {
  const { settings, status } = estimator.toJSON()
  const { measure, sweeps, certificate, network } = estimator
  return {
    within: status === 'solved',
    verdict: unboundedInWords({ status, sweeps, residual: certificate.stationarity }),
    facts: [
      ['method', `${settings.method}, lifted: one block of weights or activations at a time`],
      ['hidden layers', settings.hidden.join(', ')],
      ['activation', settings.activation],
      ['neurons', String(network.width)],
      [
        'objective',
        `${certificate.primal.toPrecision(8)}; of the network itself ${measure.networkLoss.toPrecision(8)}`,
      ],
      ['ended', `${status} after ${sweeps} sweeps`],
    ],
    sections: [],
  }
}

function factsOf({ extras }: ModelFile, { dataset, train, test }: SplitTable): Fact[] {
  const { source, missing, fingerprint } = extras.data
  return [
    ['table', `${source}, ${train.X.rows} rows to train on, ${test?.X.rows ?? 0} held out`],
    ['task', dataset.classes ? `classification, ${dataset.classes.length} classes` : 'regression'],
    ['features', dataset.features.slice(0, 12).join(', ') + (dataset.features.length > 12 ? ', …' : '')],
    ...(missing === 'error' ? [] : [['missing cells', missing] as const]),
    ['training rows', `SHA-256 ${fingerprint.slice(0, 16)}…`],
  ]
}

function convexFacts(estimator: TwoLayer, { program: certificate, network }: Verification, patterns: number): Fact[] {
  const { settings } = estimator.toJSON()
  const { selectedLambda, selectedGateOrder, solver, iterations } = estimator
  const how = estimator.crossValidation ? ', cross-validated' : ''
  const order = selectedGateOrder === 0 ? '' : `, each of ${counted(selectedGateOrder, 'feature')}`
  return [
    ['program', `${settings.program === 'relu' ? 'two-layer ReLU' : 'two-layer gated ReLU'}, ${settings.loss} loss`],
    ['penalty', `${settings.penalty}, lambda ${brief(selectedLambda)}${how}`],
    ['activation patterns', `${patterns}${order}`],
    ['preparation', settings.standardize ? 'columns standardised; undone in the model' : 'columns as they are'],
    ['neurons', String(estimator.network.width)],
    ['objective', certificate.primal.toPrecision(10)],
    ...(network === undefined ? [] : [['of the network itself', network.toPrecision(10)] as const]),
    ['lower bound', certificate.dual.toPrecision(10)],
    ['solver', `${solver}, ${iterations} iterations`],
  ]
}

/** The network itself, where it can be drawn. */
async function picturesOf(estimator: Fitted, { dataset, train, test }: SplitTable): Promise<Section[]> {
  const { features, target, classes } = dataset
  if (features.length > 2) return []
  const shown = test ?? train
  const outputs = classes ? 1 : Math.min(MOST_OUTPUTS, shown.y.columns)
  const figures: string[] = []
  for (let output = 0; output < outputs; output++) {
    const numbers = Array.from({ length: shown.y.rows }, (_, r) => shown.y.data[r * shown.y.columns + output]!)
    figures.push(
      await networkPlot(estimator.network, {
        ...{ X: shown.X, y: shown.labels ?? numbers, features, output },
        ...(classes ? { classes } : { target: target[output]! }),
        title: outputs === 1 ? 'What it says where' : target[output]!,
      }),
    )
  }
  const rows = test ? 'the held-out rows' : 'the rows it was trained on'
  const text =
    features.length === 1
      ? `What it predicts, with ${rows}.`
      : `What it predicts over the two features, with ${rows}; where its neurons switch on or off it may bend.`
  return [{ heading: 'The network', text, figures }]
}

/** Its answers against the truth, on rows it has not seen where there are any. */
async function answersOf(estimator: Fitted, split: SplitTable): Promise<Section[]> {
  const { dataset, train, test } = split
  const { network } = estimator
  const { classes, target } = dataset
  const said = (rows: Rows, kind: string): string => `On ${kind}: ${metricsText(metricsOf(network, rows, classes))}.`
  const text = [said(train, 'the rows it was trained on'), ...(test ? [said(test, 'held-out rows')] : [])].join(' ')
  if (classes) {
    const rows = test ?? train
    const title = test ? 'Held-out rows' : 'Training rows'
    const predicted = decodeLabels(network.predict(rows.X), classes)
    return [
      { heading: 'Its answers', text, figures: [await confusionPlot(rows.labels!, predicted, { classes, title })] },
    ]
  }
  const pair = (rows: Rows): { wanted: Rows['y']; predicted: Rows['y'] } => ({
    wanted: rows.y,
    predicted: network.predict(rows.X),
  })
  const answers = { train: pair(train), ...(test && { test: pair(test) }) }
  const figures: string[] = []
  for (const [output, name] of target.slice(0, MOST_OUTPUTS).entries())
    figures.push(await predictionPlot(answers, { output, target: name, title: name }))
  return [{ heading: 'Its answers', text, figures }]
}
