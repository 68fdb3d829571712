import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import { asMatrix } from '../numerics/interchange.ts'
import { selectRows } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import type { Matrix, Model } from '../types.ts'
import { figureOptionNames } from './figure.ts'
import { networkLine } from './network-line.ts'
import { networkPlane } from './network-plane.ts'
import type { NetworkPlotOptions } from './neurons.ts'

/**
 * A network of one feature as a curve, with its neurons as hinges below; of two as a map, with the lines where neurons
 * switch: they bound the activation regions, on each of which the network is linear.
 *
 * Of networks other than two-layer ones the function alone is shown.
 *
 * @returns SVG text.
 */
export async function networkPlot(model: Model, options: NetworkPlotOptions = {}): Promise<string> {
  requireOptions(options, optionNames, 'networkPlot')
  const known = (model as Partial<TwoLayerNetwork>).features
  const X = options.X === undefined ? undefined : asMatrix(options.X, 'networkPlot', 'X')
  const features = known ?? X?.columns
  if (features === undefined)
    throw new TypeError(
      `networkPlot: a ${model.kind} does not say how many features it reads; pass X, some of its rows.`,
    )
  if (X && X.columns !== features)
    throw new RangeError(
      `networkPlot: X has ${X.columns} columns and the network reads ${features}; pass its own rows.`,
    )
  if (features !== 1 && features !== 2)
    throw new RangeError(
      `networkPlot: the network reads ${features} features and a picture shows one or two; use predictionPlot or residualPlot.`,
    )
  const { y, output = 0 } = options
  const outputs = (model as Partial<TwoLayerNetwork>).outputs
  if (!Number.isInteger(output) || output < 0 || output >= (outputs ?? Number.POSITIVE_INFINITY))
    throw new RangeError(`networkPlot: output is ${output} and the network has ${outputs}; count from 0.`)
  if (y && y.length !== (X?.rows ?? 0))
    throw new RangeError(`networkPlot: y has ${y.length} entries and X ${X?.rows ?? 0} rows; pass one target per row.`)
  const { rows, targets } = thinned(X, y)
  const shown = {
    model,
    X: rows ?? { rows: 0, columns: features, data: new Float64Array(0) },
    output,
    ...(targets && { y: targets }),
  }
  return features === 1 ? networkLine(shown, options) : networkPlane(shown, options)
}

/** Rows beyond so many are drawn thinned out evenly. */
const MOST_ROWS = 2000

function thinned(
  X: Matrix | undefined,
  y: NetworkPlotOptions['y'],
): { rows: Matrix | undefined; targets: NetworkPlotOptions['y'] } {
  const step = Math.ceil((X?.rows ?? 0) / MOST_ROWS)
  if (!X || step <= 1) return { rows: X, targets: y }
  const chosen = Int32Array.from({ length: Math.ceil(X.rows / step) }, (_, k) => k * step)
  return { rows: selectRows(X, chosen), targets: y && Array.from(chosen, (r) => y[r]!) }
}

const optionNames: OptionKinds<NetworkPlotOptions> = {
  ...figureOptionNames,
  X: true,
  y: true,
  output: 'number',
  features: true,
  target: true,
  classes: true,
}
