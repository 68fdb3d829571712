import { requireOptions } from '../numerics/options.ts'
import type { Certificate } from '../types.ts'
import { logPlaces, short } from './axes.ts'
import { drawing } from './drawing.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { blue, ink, muted, orange, paper, rule } from './palette.ts'

export interface ResidualPlotOptions extends FigureOptions {
  /** Drawn as a line: what counts as solved (default 1e-6, the solvers' own). */
  tolerance?: number
}

type Residual = 'relativeGap' | 'stationarity' | 'primalFeasibility' | 'dualFeasibility' | 'complementarity'

/** The numbers of a certificate that are zero at an optimum, with what each says. */
const residuals: readonly (readonly [Residual, string, string])[] = [
  ['relativeGap', 'relative gap', 'how much better any network of the kind can be'],
  ['stationarity', 'stationarity', 'how far the gradient is from balancing the penalty'],
  ['primalFeasibility', 'primal feasibility', 'how far outside its constraints the point was'],
  ['dualFeasibility', 'dual feasibility', 'excess of the dual norm over lambda'],
  ['complementarity', 'complementarity', 'penalty paid beyond what the dual point accounts for'],
]

/**
 * The gap and the KKT residuals of a certificate on a logarithmic axis, beside the tolerance: at an optimum all are zero.
 *
 * @returns SVG text.
 */
export async function residualPlot(
  certificate: Pick<Certificate, Residual>,
  options: ResidualPlotOptions = {},
): Promise<string> {
  requireOptions(options, { ...figureOptionNames, tolerance: 'number' }, 'residualPlot')
  const { Plot, panel } = await drawing()
  const { tolerance = 1e-6 } = options
  const bars = residuals.map(([key, name, meaning]) => ({ name, meaning, value: certificate[key] }))
  const x = logPlaces([...bars.map(({ value }) => value), 1e-16], [tolerance, 1])
  const width = panelWidth(options)
  const chart = panel('', {
    width,
    height: 290,
    marginTop: 16,
    marginLeft: 124,
    marginRight: 92,
    x: {
      type: 'log',
      domain: x.domain,
      ticks: x.ticks,
      tickFormat: (tick: number) => (tick === x.domain[0] ? '0' : x.label(tick)),
      label: 'residual (relative, 0 at an optimum)',
    },
    y: { type: 'band', domain: bars.map(({ name }) => name), label: null, tickSize: 0, padding: 0.62 },
    marks: [
      Plot.gridX(x.ticks, { strokeOpacity: 0.1 }),
      Plot.barX(bars, {
        ...{ x1: x.domain[0], x2: ({ value }) => bounded(x.place(value), x.domain), y: 'name' },
        fill: ({ value }) => (value <= tolerance ? blue : orange),
      }),
      Plot.ruleX([tolerance], { stroke: rule, strokeWidth: 1.5, strokeDasharray: '5 4' }),
      Plot.text(bars, {
        ...{
          x: ({ value }) => bounded(x.place(value), x.domain),
          y: 'name',
          dx: 7,
          textAnchor: 'start',
          fill: ink,
          stroke: paper,
          strokeWidth: 4,
        },
        text: ({ value }) => short(value),
      }),
      Plot.text(bars, {
        ...{
          x: x.domain[0],
          y: 'name',
          text: 'meaning',
          dx: 2,
          dy: 16,
          textAnchor: 'start',
          fill: muted,
          fontSize: 11,
        },
      }),
      Plot.text([tolerance], {
        ...{
          x: (t: number) => t,
          frameAnchor: 'top',
          dy: -10,
          fill: muted,
          stroke: paper,
          strokeWidth: 4,
          text: () => `tolerance ${short(tolerance)}`,
        },
      }),
    ],
  })
  return figure([[chart]], { title: 'Gap and KKT residuals', ...options })
}

/** Infinity stands at the end of the axis. */
function bounded(value: number, [low, high]: readonly [number, number]): number {
  return Number.isNaN(value) ? high : Math.min(Math.max(value, low), high)
}
