import { requireOptions } from '../numerics/options.ts'
import type { Certificate, Progress } from '../types.ts'
import { padded, short } from './axes.ts'
import { type Drawing, drawing, type Panel } from './drawing.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { linesPanel } from './lines.ts'
import { blue, ink, orange, paper, rule, tint } from './palette.ts'

/** One reading of a solver's walk, as `onProgress` reports it. */
export type Reading = Pick<Progress, 'iteration' | 'seconds'> & {
  readonly certificate: Pick<Certificate, 'primal' | 'dual' | 'relativeGap'>
}

export interface ConvergencePlotOptions extends FigureOptions {
  /** What runs along the axis (default `'seconds'`). */
  over?: 'seconds' | 'iterations'
  /** Drawn as a line: what counts as solved. */
  tolerance?: number
}

/**
 * How the certified relative gap falls, of one walk or of several by name; of one also its two bounds closing in on the
 * optimum.
 *
 * ```ts
 * const readings: Progress[] = []
 * solveSync(program, { onProgress: (at) => readings.push(at) })
 * await convergencePlot(readings)
 * ```
 *
 * @returns SVG text.
 */
export async function convergencePlot(
  walks: readonly Reading[] | Readonly<Record<string, readonly Reading[]>>,
  options: ConvergencePlotOptions = {},
): Promise<string> {
  requireOptions(options, { ...figureOptionNames, over: true, tolerance: 'number' }, 'convergencePlot')
  const drawn = await drawing()
  const named = Array.isArray(walks)
    ? { '': walks as readonly Reading[] }
    : (walks as Readonly<Record<string, readonly Reading[]>>)
  const entries = Object.entries(named).map(([name, readings]) => [name, thinned(readings)] as const)
  const alone = entries.length === 1
  const size = { width: panelWidth(options, alone ? 2 : 1), height: alone ? 260 : 320 }
  const lines = entries.map(([name, readings]) => {
    const x = readings.map((reading) => along(reading, options))
    return [name, { x, y: readings.map(({ certificate }) => certificate.relativeGap) }] as const
  })
  const { over = 'seconds', tolerance } = options
  const gaps = linesPanel(drawn, lines, size, {
    ...{ x: label(over), y: 'Relative duality gap', log: true },
    ...(tolerance !== undefined && { level: { value: tolerance, name: 'tolerance' } }),
  })
  return figure(
    [alone ? [boundsPanel(drawn, entries[0]![1], size, options), gaps] : [gaps]],
    { title: 'Convergence', ...options },
    alone ? endOf(entries[0]![1]) : undefined,
  )
}

/** Readings beyond so many cannot be told apart; the first and the last stay. */
const MOST_READINGS = 1000

function thinned(readings: readonly Reading[]): readonly Reading[] {
  const step = Math.ceil(readings.length / MOST_READINGS) || 1
  return step === 1 ? readings : readings.filter((_, k) => k % step === 0 || k === readings.length - 1)
}

function endOf(readings: readonly Reading[]): string {
  const last = readings.at(-1)
  if (!last) return 'no certificate was computed'
  const { iteration, seconds, certificate } = last
  return `${iteration} iterations, ${short(seconds)} s: a relative gap of ${short(certificate.relativeGap)}`
}

type Size = { readonly width: number; readonly height: number }

function along(reading: Reading, { over = 'seconds' }: ConvergencePlotOptions): number {
  return over === 'seconds' ? reading.seconds : reading.iteration
}

function label(over: 'seconds' | 'iterations'): string {
  return over === 'seconds' ? 'time (seconds)' : 'iterations'
}

function axis({ over = 'seconds' }: ConvergencePlotOptions, values: readonly number[]): object {
  const most = values.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, b) : a), 0)
  return {
    label: label(over),
    domain: [0, most || 1],
    ticks: 5,
    tickFormat: short,
    nice: false,
  }
}

/** The two bounds, from where they first are of the optimum's own size. */
function boundsPanel(
  { Plot, panel }: Drawing,
  readings: readonly Reading[],
  size: Size,
  options: ConvergencePlotOptions,
): Panel {
  const points = readings.map((reading) => ({
    x: along(reading, options),
    primal: reading.certificate.primal,
    dual: Number.isFinite(reading.certificate.dual) ? reading.certificate.dual : Number.NaN,
  }))
  const end = points.at(-1)
  // Beyond a gap of a thousandth the two cannot be told apart.
  const met = readings.findIndex(({ certificate }) => certificate.relativeGap < 1e-3)
  const seen = points.slice(0, met < 0 ? undefined : Math.max(2, Math.ceil(1.15 * (met + 1))))
  const [low, high] = padded(seen.flatMap(({ primal, dual }) => [primal, dual]))
  // A first bound may lie far below everything worth seeing.
  const top = end ? Math.max(Math.min(high, end.primal + 4 * Math.abs(end.primal)), end.primal) : high
  const bottom = end ? Math.max(low, end.primal - 1.2 * Math.abs(end.primal)) : low
  return panel('The optimum lies between', {
    ...size,
    clip: true,
    x: axis(
      options,
      seen.map(({ x }) => x),
    ),
    y: { grid: true, label: null, domain: [Math.min(bottom, top - 1e-12), top], ticks: 5, tickFormat: short },
    marks: [
      Plot.areaY(points, { x: 'x', y1: 'dual', y2: 'primal', fill: tint(blue, 0.14) }),
      Plot.line(points, { x: 'x', y: 'primal', stroke: blue, strokeWidth: 2 }),
      Plot.line(points, { x: 'x', y: 'dual', stroke: orange, strokeWidth: 2, strokeDasharray: '6 4' }),
      ...(end
        ? [
            Plot.ruleY([end.primal], { stroke: rule }),
            Plot.text(['objective of the network'], {
              ...{ frameAnchor: 'top-right', fill: blue, dy: 4, dx: -4, stroke: paper, strokeWidth: 3 },
            }),
            Plot.text(['lower bound'], {
              ...{ frameAnchor: 'bottom-right', fill: orange, dy: -6, dx: -4, stroke: paper, strokeWidth: 3 },
            }),
          ]
        : [Plot.text(['nothing to show'], { frameAnchor: 'middle', fill: ink })]),
    ],
  })
}
