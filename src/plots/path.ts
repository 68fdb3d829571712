import { requireOptions } from '../numerics/options.ts'
import type { Model, Solution } from '../types.ts'
import { logPlaces, padded, short } from './axes.ts'
import { type Drawing, drawing, type Panel } from './drawing.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { blue, ink, muted, orange, paper, rule } from './palette.ts'

/** What a picture of a path shows of one of its points. */
export interface PathPoint {
  readonly lambda: number
  readonly neurons: number
  readonly relativeGap: number
  /** F(Au) + lambda R(u) and its lower bound. */
  readonly objective: number
  readonly bound: number
  /** |u_b|_2 of every group of weights, the same groups at every point. */
  readonly norms?: ArrayLike<number>
  readonly scores?: PathScores
}

/** How well the network of a point does, as one number each. */
export interface PathScores {
  readonly train?: number
  readonly test?: number
}

export interface PathPlotOptions extends FigureOptions {
  /** What `scores` are, for the axis (default `'score'`). */
  score?: string
  /** Whether the best score is the largest (default) or the smallest. */
  best?: 'largest' | 'smallest'
  /** The lambda that was chosen, drawn as a line through every panel. */
  selected?: number
  /** Drawn into the panel of gaps: what counted as solved. */
  tolerance?: number
}

/**
 * The point of a solution, with its groups' norms, without the solution itself: for paths that are too long to keep.
 *
 * ```ts
 * for await (const at of sweep(program)) points.push(pathPoint(at, { test: score(at.model) }))
 * ```
 */
export function pathPoint<M extends Model>(solution: Solution<M>, scores?: PathScores): PathPoint {
  const { program, certificate, coefficients, model } = solution
  const { penalty } = program
  const size = (penalty.groups ?? penalty.cones ?? penalty.blocks)?.size
  return {
    lambda: program.lambda,
    neurons: model.width,
    relativeGap: certificate.relativeGap,
    objective: certificate.primal,
    bound: certificate.dual,
    ...(size !== undefined && { norms: groupNorms(coefficients, size) }),
    ...(scores && { scores }),
  }
}

function groupNorms(u: Float64Array, size: number): Float64Array {
  const norms = new Float64Array(u.length / size)
  for (let k = 0; k < u.length; k++) norms[Math.floor(k / size)]! += u[k]! ** 2
  return norms.map(Math.sqrt)
}

/**
 * A regularisation path over lambda, from the strongest penalty on the left to the weakest: the norm of every neuron's
 * weights, how many there are, the certified gap, and the scores (where there are none, the objective and its bound).
 *
 * @returns SVG text.
 */
export async function pathPlot(points: readonly PathPoint[], options: PathPlotOptions = {}): Promise<string> {
  requireOptions(
    options,
    { ...figureOptionNames, score: true, best: true, selected: 'number', tolerance: 'number' },
    'pathPlot',
  )
  const drawn = await drawing()
  const shown = [...points].sort((a, b) => b.lambda - a.lambda)
  const size = { width: panelWidth(options, 2), height: 240 }
  const x = lambdaAxis(
    shown.map(({ lambda }) => lambda),
    options.selected,
  )
  const scored = shown.some(({ scores }) => Number.isFinite(scores?.train) || Number.isFinite(scores?.test))
  const first = shown.some(({ norms }) => norms) ? normPanel : objectivePanel
  const rows = [
    [first(drawn, shown, x, size), neuronPanel(drawn, shown, x, size)],
    [
      gapPanel(drawn, shown, x, size, options.tolerance),
      scored || first === objectivePanel
        ? scorePanel(drawn, shown, x, size, options)
        : objectivePanel(drawn, shown, x, size),
    ],
  ]
  const count = `${points.length} certified ${points.length === 1 ? 'point' : 'points'}`
  return figure(rows, { title: 'Regularisation path', ...options }, count)
}

interface Axis {
  readonly options: object
  /** Where the lambda that was chosen stands, if one was. */
  readonly selected: readonly number[]
  place(lambda: number): number
}

/** Lambda from large to small; zero stands at the right end. */
export function lambdaAxis(lambdas: readonly number[], selected?: number): Axis {
  const chosen = selected === undefined ? [] : [selected]
  const { domain, ticks, place, label } = logPlaces([...lambdas, ...chosen])
  return {
    options: {
      type: 'log',
      domain: [domain[1], domain[0]],
      ticks,
      tickFormat: (tick: number) => (label(tick) === '≤ 0' ? '0' : label(tick)),
      label: 'lambda (weaker penalty →)',
    },
    selected: chosen.map(place),
    place,
  }
}

type Size = { readonly width: number; readonly height: number }

function normPanel({ Plot, panel }: Drawing, points: readonly PathPoint[], x: Axis, size: Size): Panel {
  const count = Math.max(...points.map(({ norms }) => norms?.length ?? 0))
  const largest = Array.from({ length: count }, (_, b) => Math.max(...points.map(({ norms }) => norms?.[b] ?? 0)))
  // Beyond so many lines nobody sees more.
  const chosen = [...largest.keys()].filter((b) => largest[b]! > 0).sort((a, b) => largest[b]! - largest[a]!)
  const lines = chosen.slice(0, 150).flatMap((b) =>
    points.flatMap(({ lambda, norms }, k) => {
      const norm = norms?.[b] ?? Number.NaN
      // A line begins where its neuron does.
      const near = [points[k - 1], points[k + 1]].some((other) => (other?.norms?.[b] ?? 0) > 0)
      return norm > 0 || near ? [{ b, lambda: x.place(lambda), norm }] : []
    }),
  )
  const strokeOpacity = chosen.length > 40 ? 0.45 : 0.75
  return panel('Norm of every neuron’s weights', {
    ...size,
    x: x.options,
    y: { grid: true, label: null, ticks: 5, tickFormat: short, domain: [0, padded([0, ...largest])[1]] },
    marks: [
      Plot.ruleX(x.selected, { stroke: orange, strokeDasharray: '5 4' }),
      Plot.line(lines, { x: 'lambda', y: 'norm', z: 'b', stroke: blue, strokeWidth: 1.3, strokeOpacity }),
      Plot.ruleY([0], { stroke: rule }),
    ],
  })
}

function neuronPanel({ Plot, panel }: Drawing, points: readonly PathPoint[], x: Axis, size: Size): Panel {
  const data = points.map(({ lambda, neurons }) => ({ lambda: x.place(lambda), neurons }))
  const most = Math.max(1, ...points.map(({ neurons }) => neurons))
  return panel('Neurons', {
    ...size,
    x: x.options,
    y: {
      grid: true,
      label: null,
      domain: [0, most * 1.04],
      ticks: Math.min(5, most),
      tickFormat: (tick: number) => (Number.isInteger(tick) ? String(tick) : ''),
    },
    marks: [
      Plot.ruleX(x.selected, { stroke: orange, strokeDasharray: '5 4' }),
      Plot.line(data, { x: 'lambda', y: 'neurons', stroke: blue, strokeWidth: 1.8 }),
      Plot.dot(data, { x: 'lambda', y: 'neurons', fill: blue, r: 2.6 }),
      Plot.ruleY([0], { stroke: rule }),
    ],
  })
}

function gapPanel(
  { Plot, panel }: Drawing,
  points: readonly PathPoint[],
  x: Axis,
  size: Size,
  tolerance: number | undefined,
): Panel {
  const axis = logPlaces(
    points.map(({ relativeGap }) => relativeGap),
    tolerance === undefined ? [] : [tolerance],
  )
  const data = points.map(({ lambda, relativeGap }) => ({
    lambda: x.place(lambda),
    gap: axis.place(relativeGap),
    positive: relativeGap > 0,
  }))
  const tolerances = tolerance === undefined ? [] : [tolerance]
  return panel('Relative duality gap', {
    ...size,
    x: x.options,
    y: { type: 'log', grid: true, label: null, domain: axis.domain, ticks: axis.ticks, tickFormat: axis.label },
    marks: [
      Plot.ruleX(x.selected, { stroke: orange, strokeDasharray: '5 4' }),
      Plot.ruleY(tolerances, { stroke: muted, strokeDasharray: '5 4' }),
      Plot.text(tolerances, {
        ...{ y: (t: number) => t, text: () => 'tolerance', frameAnchor: 'left', textAnchor: 'start' },
        ...{ dx: 6, dy: -8, fill: muted, stroke: paper, strokeWidth: 3 },
      }),
      Plot.dot(data, { x: 'lambda', y: 'gap', r: 3, stroke: blue, fill: (d) => (d.positive ? blue : paper) }),
    ],
  })
}

function objectivePanel({ Plot, panel }: Drawing, points: readonly PathPoint[], x: Axis, size: Size): Panel {
  const data = points.map(({ lambda, objective, bound }) => ({ lambda: x.place(lambda), objective, bound }))
  const domain = padded(data.flatMap(({ objective, bound }) => [objective, bound]))
  return panel('Objective, and its lower bound', {
    ...size,
    x: x.options,
    y: { grid: true, label: null, domain: [Math.min(0, domain[0]), domain[1]], ticks: 5, tickFormat: short },
    marks: [
      Plot.ruleX(x.selected, { stroke: orange, strokeDasharray: '5 4' }),
      Plot.line(data, { x: 'lambda', y: 'objective', stroke: blue, strokeWidth: 2 }),
      Plot.line(data, { x: 'lambda', y: 'bound', stroke: orange, strokeWidth: 2, strokeDasharray: '6 4' }),
    ],
  })
}

function scorePanel(
  { Plot, panel }: Drawing,
  points: readonly PathPoint[],
  x: Axis,
  size: Size,
  { score = 'score', best = 'largest' }: PathPlotOptions,
): Panel {
  const kinds = [
    { kind: 'train', colour: muted },
    { kind: 'test', colour: blue },
  ] as const
  const data = kinds.flatMap(({ kind, colour }) =>
    points.flatMap(({ lambda, scores }) => {
      const value = scores?.[kind]
      return value !== undefined && Number.isFinite(value) ? [{ lambda: x.place(lambda), value, kind, colour }] : []
    }),
  )
  const judged = data.some(({ kind }) => kind === 'test') ? data.filter(({ kind }) => kind === 'test') : data
  const sign = best === 'largest' ? 1 : -1
  const top = judged.reduce<(typeof data)[number][]>(
    (found, point) => (found[0] && sign * found[0].value >= sign * point.value ? found : [point]),
    [],
  )
  // The name of a line stands at its end; where the two meet, apart.
  const ends = kinds.flatMap(({ kind }) => data.filter((point) => point.kind === kind).slice(-1))
  const domain = padded(
    data.map(({ value }) => value),
    0.08,
  )
  const crowded = ends.length === 2 && Math.abs(ends[0]!.value - ends[1]!.value) < 0.07 * (domain[1] - domain[0])
  const apart = ends.length === 2 && ends[0]!.value < ends[1]!.value ? 1 : -1
  return panel(score.charAt(0).toUpperCase() + score.slice(1), {
    ...size,
    marginRight: 40,
    x: x.options,
    y: { grid: true, label: null, domain, ticks: 5, tickFormat: short },
    marks: [
      Plot.ruleX(x.selected, { stroke: orange, strokeDasharray: '5 4' }),
      ...kinds.map(({ kind, colour }) =>
        Plot.line(
          data.filter((point) => point.kind === kind),
          {
            x: 'lambda',
            y: 'value',
            stroke: colour,
            strokeWidth: 1.8,
            ...(kind === 'train' && { strokeDasharray: '5 3' }),
          },
        ),
      ),
      Plot.dot(top, { x: 'lambda', y: 'value', fill: 'colour', stroke: paper, strokeWidth: 1.5, r: 5 }),
      Plot.text(top, {
        ...{ x: 'lambda', y: 'value', text: ({ value }) => short(value), fill: ink, stroke: paper, strokeWidth: 3 },
        ...{ dy: sign * 14, textAnchor: 'end', dx: 4, fontWeight: 600 },
      }),
      ...ends.map((end, k) =>
        Plot.text([end], {
          ...{ x: 'lambda', y: 'value', text: 'kind', fill: end.colour, textAnchor: 'start', dx: 7 },
          dy: crowded ? (k === 0 ? apart : -apart) * 7 : 0,
        }),
      ),
    ],
  })
}
