import type { CrossValidation } from '../estimators/cross-validate.ts'
import { requireOptions } from '../numerics/options.ts'
import { padded, short } from './axes.ts'
import { drawing } from './drawing.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { blue, muted, orange, rule, tint } from './palette.ts'
import { lambdaAxis } from './path.ts'

/**
 * The held-out loss at every lambda that cross-validation tried, with its standard error over the folds, and the lambda
 * that was chosen: `crossValidation` of an estimator.
 *
 * @returns SVG text.
 */
export async function crossValidationPlot(
  { points, selectedLambda }: CrossValidation,
  options: FigureOptions & { loss?: string } = {},
): Promise<string> {
  requireOptions(options, { ...figureOptionNames, loss: true }, 'crossValidationPlot')
  const { Plot, panel } = await drawing()
  const x = lambdaAxis(
    points.map(({ lambda }) => lambda),
    selectedLambda,
  )
  const data = points.map(({ lambda, mean, standardError, folds }) => ({
    lambda: x.place(lambda),
    ...{ mean, folds, low: mean - standardError, high: mean + standardError },
  }))
  const folds = data.flatMap(({ lambda, folds }) => folds.map((loss) => ({ lambda, loss })))
  const chosen = data.filter((_, k) => points[k]!.lambda === selectedLambda)
  const chart = panel('', {
    width: panelWidth(options),
    height: 280,
    x: x.options,
    y: {
      ...{ grid: true, label: null, tickFormat: short, ticks: 6 },
      domain: padded([...folds.map(({ loss }) => loss), ...data.flatMap(({ low, high }) => [low, high])]),
    },
    marks: [
      Plot.dot(folds, { x: 'lambda', y: 'loss', r: 1.8, fill: muted, fillOpacity: 0.45 }),
      Plot.areaY(data, { x: 'lambda', y1: 'low', y2: 'high', fill: tint(blue, 0.16) }),
      Plot.line(data, { x: 'lambda', y: 'mean', stroke: blue, strokeWidth: 2 }),
      Plot.dot(data, { x: 'lambda', y: 'mean', fill: blue, r: 2.6 }),
      Plot.ruleX(x.selected, { stroke: orange, strokeDasharray: '5 4' }),
      Plot.dot(chosen, { x: 'lambda', y: 'mean', fill: orange, r: 4.5 }),
      Plot.ruleY(data.length === 0 ? [0] : [], { stroke: rule }),
    ],
  })
  const { loss = 'loss' } = options
  const found = chosen[0] ? `; least ${loss} ${short(chosen[0].mean)} at lambda ${short(selectedLambda)}` : ''
  return figure(
    [[chart]],
    { title: 'Cross-validation', ...options },
    `Mean and standard error over the folds, which are the dots${found}`,
  )
}
