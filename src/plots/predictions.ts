import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { requireOptions } from '../numerics/options.ts'
import { padded, short } from './axes.ts'
import { drawing } from './drawing.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { blue, muted, paper, rule } from './palette.ts'

/** Some rows: what was wanted and what the network said, in the same units. */
export interface Predictions {
  readonly wanted: MatrixLike | ArrayLike<number>
  readonly predicted: MatrixLike | ArrayLike<number>
}

export interface PredictionPlotOptions extends FigureOptions {
  /** What is predicted, with its unit, for the axes (default `'target'`). */
  target?: string
  /** The output that is shown (default 0). */
  output?: number
}

/** Dots beyond so many are thinned out evenly. */
const MOST_DOTS = 2000

/**
 * What a network says against what is true: on the diagonal it is right. Rows held out from training in front, rows that
 * it was trained on behind.
 *
 * @returns SVG text.
 */
export async function predictionPlot(
  rows: { readonly train?: Predictions; readonly test?: Predictions },
  options: PredictionPlotOptions = {},
): Promise<string> {
  requireOptions(options, { ...figureOptionNames, target: true, output: 'number' }, 'predictionPlot')
  const { Plot, panel } = await drawing()
  const { target = 'target', output = 0 } = options
  const kinds = [
    { kind: 'training rows', colour: muted, given: rows.train },
    { kind: 'held-out rows', colour: blue, given: rows.test },
  ].flatMap(({ given, ...rest }) => {
    if (!given) return []
    const every = pointsOf(given, output)
    const step = Math.ceil(every.length / MOST_DOTS) || 1
    return [{ ...rest, error: rootMeanSquare(every), points: every.filter((_, r) => r % step === 0) }]
  })
  const all = kinds.flatMap(({ points }) => points)
  const domain = padded(all.flatMap(({ wanted, predicted }) => [wanted, predicted]))
  const side = Math.min(panelWidth(options), 520)
  const axis = { domain, grid: true, ticks: 6, tickFormat: short }
  const chart = panel('', {
    width: side,
    height: side,
    marginLeft: 64,
    marginTop: 28,
    x: { ...axis, label: `true ${target}` },
    y: { ...axis, label: `predicted ${target}`, labelAnchor: 'center', labelOffset: 56 },
    marks: [
      Plot.line(
        domain.map((at) => [at, at]),
        { stroke: rule, strokeWidth: 1.5 },
      ),
      ...kinds.map(({ colour, points }) =>
        Plot.dot(points, {
          ...{ x: 'wanted', y: 'predicted', r: points.length > 400 ? 2 : 3, fill: colour, fillOpacity: 0.6 },
          ...(points.length <= 400 && { stroke: paper, strokeWidth: 0.6 }),
        }),
      ),
      ...kinds.map(({ kind, colour, error }, k) =>
        Plot.text([`● ${kind}: RMSE ${short(error)}`], {
          ...{ frameAnchor: 'top-left', dy: -20, dx: 4 + 200 * k, textAnchor: 'start', fill: colour },
        }),
      ),
    ],
  })
  return figure([[chart]], { title: 'Predicted against true', ...options, width: options.width ?? side + 24 })
}

interface Point {
  readonly wanted: number
  readonly predicted: number
}

function pointsOf({ wanted, predicted }: Predictions, output: number): Point[] {
  const [truth, answer] = [columnsOf(wanted, 'wanted'), columnsOf(predicted, 'predicted')]
  if (truth.rows !== answer.rows || truth.columns !== answer.columns)
    throw new RangeError(
      `predictionPlot: wanted is ${truth.rows} x ${truth.columns} and predicted ${answer.rows} x ${answer.columns}; pass one of each per row.`,
    )
  if (!Number.isInteger(output) || output < 0 || output >= Math.max(1, truth.columns))
    throw new RangeError(`predictionPlot: output is ${output} and there are ${truth.columns}; count from 0.`)
  const points: Point[] = []
  for (let r = 0; r < truth.rows; r++) {
    const at = r * truth.columns + output
    points.push({ wanted: truth.data[at]!, predicted: answer.data[at]! })
  }
  return points
}

function columnsOf(
  values: MatrixLike | ArrayLike<number>,
  name: string,
): { rows: number; columns: number; data: ArrayLike<number> } {
  const plain = values as ArrayLike<number>
  if (typeof plain.length === 'number' && (plain.length === 0 || typeof plain[0] === 'number'))
    return { rows: plain.length, columns: 1, data: plain }
  return asMatrix(values as MatrixLike, 'predictionPlot', name)
}

function rootMeanSquare(points: readonly Point[]): number {
  let total = 0
  for (const { wanted, predicted } of points) total += (wanted - predicted) ** 2
  return Math.sqrt(total / points.length)
}
