import type { ConvexCnn } from '../models/convex-cnn.ts'
import { filterPatches } from '../models/filter-patches.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Matrix } from '../types.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { diverging, muted, rule } from './palette.ts'

export interface FilterPlotOptions extends FigureOptions {
  /** The strongest filters that are shown (default 36). */
  count?: number
}

/** Patches of side x side x channels numbers, one a row, the most important first. */
export interface Filters {
  readonly patches: Matrix
  readonly side: number
  readonly channels: number
  /** How much of the network each is; written below it as a share of the first. */
  readonly strengths?: ArrayLike<number>
}

/** Steps of colour on either side of zero. */
const STEPS = 12

/**
 * The filters of a convolutional network, the strongest first: of one channel in blue where they are positive and orange
 * where they are negative, each in its own range; of three channels in their colours.
 *
 * Below each stands |w_j| |a_j|, what it is of the network, as a share of the strongest. The filters of kernels are no
 * patches themselves: the patch they answer to most is shown (`filterPatches`).
 *
 * @returns SVG text. Needs no optional part.
 */
export async function filterPlot(network: ConvexCnn | Filters, options: FilterPlotOptions = {}): Promise<string> {
  requireOptions(options, { ...figureOptionNames, count: 'number' }, 'filterPlot')
  const { patches, side, channels, strengths } = 'patches' in network ? network : filtersOf(network)
  if (patches.columns !== side * side * channels)
    throw new RangeError(
      `filterPlot: patches have ${patches.columns} entries, expected ${side} x ${side} x ${channels} = ${side * side * channels}.`,
    )
  const { count = 36 } = options
  const shown = Math.min(count, patches.rows)
  const width = panelWidth(options)
  const across = Math.max(1, Math.min(shown, Math.max(4, Math.ceil(Math.sqrt(2 * shown)))))
  const gap = 14
  // Whole pixels a pixel, so that edges are sharp.
  const pixel = Math.max(1, Math.min(16, Math.floor(((width + gap) / across - gap) / side)))
  const below = strengths ? 20 : 8
  const cell = { width: side * pixel + gap, height: side * pixel + below }
  const drawn = Array.from({ length: shown }, (_, j) => {
    const patch = patches.data.subarray(j * patches.columns, (j + 1) * patches.columns)
    const label = strengths
      ? `<text x="${(side * pixel) / 2}" y="${side * pixel + 14}" fill="${muted}" font-size="11">${percent(strengths[j]! / strengths[0]!)}</text>`
      : ''
    const frame = `<rect width="${side * pixel}" height="${side * pixel}" fill="none" stroke="${rule}"/>`
    const [left, top] = [(j % across) * cell.width, Math.floor(j / across) * cell.height]
    return `<g transform="translate(${left},${top})">${pixels(patch, side, channels, pixel)}${frame}${label}</g>`
  })
  const height = Math.ceil(shown / across) * cell.height
  const all = patches.rows === shown ? `${shown} filters` : `the ${shown} strongest of ${patches.rows} filters`
  return figure(
    [[{ title: '', width, height: Math.max(height, 20), content: drawn.join('') }]],
    { title: 'Filters', ...options, width: options.width ?? Math.min(720, Math.max(360, across * cell.width + 24)) },
    `${all} of ${side} × ${side}${channels === 1 ? '' : ` × ${channels}`} pixels`,
  )
}

/** Squares of one colour in one path. */
function pixels(patch: ArrayLike<number>, side: number, channels: number, pixel: number): string {
  const paths = new Map<string, string>()
  const size = Math.max(Number.MIN_VALUE, ...Array.from(patch, Math.abs))
  const [low, high] = [Math.min(...Array.from(patch)), Math.max(...Array.from(patch))]
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = (y * side + x) * channels
      let mean = 0
      for (let c = 0; c < channels; c++) mean += patch[at + c]! / channels
      const level = (c: number): number => Math.round((15 * (patch[at + c]! - low)) / (high - low || 1)) * 17
      const colour =
        channels === 3
          ? // Written otherwise than the figure's own colours, which turn dark on dark pages.
            `rgb(${[0, 1, 2].map(level).join()})`
          : diverging(Math.round((mean / size) * STEPS) / STEPS)
      paths.set(colour, `${paths.get(colour) ?? ''}M${x * pixel},${y * pixel}h${pixel}v${pixel}h-${pixel}z`)
    }
  return [...paths].map(([colour, d]) => `<path fill="${colour}" d="${d}"/>`).join('')
}

function filtersOf(network: ConvexCnn): Filters {
  const patches = filterPatches(network)
  const { filters, linear, width } = network
  const strengths = Array.from({ length: width }, (_, j) => {
    let own = 0
    let given = 0
    for (let f = 0; f < filters.rows; f++) own += filters.data[f * width + j]! ** 2
    for (let k = 0; k < linear.columns; k++) given += linear.data[j * linear.columns + k]! ** 2
    return Math.sqrt(own * given)
  })
  const order = strengths.map((_, j) => j).sort((a, b) => strengths[b]! - strengths[a]!)
  const sorted = new Float64Array(patches.data.length)
  order.forEach((j, k) => {
    sorted.set(patches.data.subarray(j * patches.columns, (j + 1) * patches.columns), k * patches.columns)
  })
  return {
    patches: { ...patches, data: sorted },
    side: network.patch.size,
    channels: network.shape.channels,
    strengths: order.map((j) => strengths[j]!),
  }
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %` : ''
}
