import { type Axis, drawChart, type Line, powers } from './chart.ts'
import type { Duel, PathPoint, PathStart } from './messages.ts'
import { short } from './words.ts'

/** The least gap that a logarithmic chart shows: rounding. */
const LEAST = 1e-12

/** The lambdas of a path from left to right: strong to weak. */
export function lambdaAxis({ lambdas }: PathStart): Axis {
  const [from, to] = [Math.log10(lambdas[0]!), Math.log10(lambdas.at(-1)!)]
  return { from, to, ticks: powers(from, to), title: '\u03bb, from strong to weak' }
}

/** Every neuron's weight |w1| |w2| over lambda, and below it how many there are. */
export function drawPath(parent: Element, start: PathStart, points: readonly PathPoint[], marked: number): void {
  const x = lambdaAxis(start)
  const marker = Math.log10(start.lambdas[marked]!)
  const most = points.reduce((top, { neurons }) => neurons.reduce((a, { weight }) => Math.max(a, weight), top), 0) || 1
  const [above, below] = panels(parent, 2)
  drawChart(above!, {
    label: `The weight of each neuron over lambda, ${points.length} of ${start.lambdas.length} lambdas so far.`,
    height: 170,
    x: { ...x, title: '' },
    y: linear(0, most, 'weight of a neuron'),
    lines: weightLines(points),
    marker,
  })
  const width = points.reduce((top, { neurons }) => Math.max(top, neurons.length), 1)
  drawChart(below!, {
    label: `The number of neurons over lambda, up to ${width}.`,
    height: 110,
    x,
    y: linear(0, width, 'neurons'),
    lines: [
      {
        className: 'line-ink',
        steps: true,
        points: points.map(({ lambda, neurons }) => [Math.log10(lambda), neurons.length]),
      },
    ],
    marker,
  })
}

/** One line per neuron, from the last zero before it to the first one after it. */
function weightLines(points: readonly PathPoint[]): Line[] {
  const lines = new Map<string, { className: string; points: [number, number][]; last: number }>()
  const all: Line[] = []
  points.forEach(({ lambda, neurons, index }, k) => {
    for (const { key, weight, sign } of neurons) {
      let line = lines.get(key)
      if (!line || line.last < k - 1) {
        line = { className: sign > 0 ? 'line-high' : 'line-low', points: [], last: k }
        if (k > 0) line.points.push([Math.log10(points[k - 1]!.lambda), 0])
        lines.set(key, line)
        all.push(line)
      }
      line.points.push([Math.log10(lambda), weight])
      line.last = k
    }
    const now = new Set(neurons.map(({ key }) => key))
    if (index > 0)
      for (const [key, line] of lines)
        if (!now.has(key) && line.last === k - 1) line.points.push([Math.log10(lambda), 0])
  })
  return all
}

/** From certificate to certificate at one lambda: the interval that the optimum lies in, and its relative length. */
export function drawClosing(parent: Element, point: PathPoint): void {
  const { certificate } = point
  // What the start of a lambda already solves has one certificate: it is drawn across.
  const moments = point.moments.length > 1 ? point.moments : [...point.moments, ...point.moments]
  const [above, below] = panels(parent, 2)
  // The start of the interval may be far below: what matters is how it closes.
  const low = Math.max(
    Math.min(...moments.map(({ dual }) => dual)),
    certificate.dual - 3 * spreadOf(moments, certificate.primal),
  )
  const high = Math.max(...moments.map(({ primal }) => primal), certificate.primal)
  const margin = 0.08 * (high - low) || Math.abs(high) * 1e-3 || 1
  const x: Axis = {
    from: 0,
    to: Math.max(1, moments.length - 1),
    ticks:
      moments.length > 1
        ? [
            { at: 0, text: 'start' },
            { at: moments.length - 1, text: String(moments.length - 1) },
          ]
        : [{ at: 0, text: 'start' }],
    title: '',
  }
  drawChart(above!, {
    label: `The interval of the optimum over ${moments.length} certificates.`,
    height: 118,
    x: { ...x, ticks: [] },
    y: linear(low - margin, high + margin, 'objective of the network, and the bound'),
    band: true,
    lines: [
      { className: 'line-high', dots: true, points: moments.map(({ primal }, k) => [k, primal]) },
      { className: 'line-low', dots: true, points: moments.map(({ dual }, k) => [k, Math.max(low - margin, dual)]) },
    ],
  })
  const gaps = moments.map(({ relativeGap }) => Math.log10(Math.max(LEAST, relativeGap)))
  drawChart(below!, {
    label: `The relative gap over ${moments.length} certificates, down to ${short(certificate.relativeGap)}.`,
    height: 130,
    x: { ...x, title: 'certificates' },
    y: {
      from: Math.min(-7, ...gaps),
      to: Math.max(0, ...gaps),
      ticks: powers(Math.min(-7, ...gaps), Math.max(0, ...gaps), 5),
      title: 'relative gap (dashed: solved)',
    },
    lines: [
      { className: 'line-ink', dots: true, points: gaps.map((gap, k) => [k, gap]) },
      {
        className: 'line-proved',
        points: [
          [x.from, -6],
          [x.to, -6],
        ],
      },
    ],
  })
}

function spreadOf(moments: PathPoint['moments'], primal: number): number {
  return Math.max(...moments.map((moment) => moment.primal - primal), Math.abs(primal) * 0.05)
}

/** How far gradient descent is above the lower bound. */
export function drawDuel(parent: Element, { best, steps, done }: Duel, dual: number): void {
  const excess = best.map(({ step, objective }): [number, number] => [
    step,
    Math.log10(Math.max(LEAST, (objective - dual) / dual)),
  ])
  const low = Math.min(-6, ...excess.map(([, value]) => value))
  const high = Math.max(0, ...excess.map(([, value]) => value))
  drawChart(parent, {
    label: 'How far above the lower bound gradient descent is, over its steps.',
    height: 130,
    x: {
      from: 0,
      to: done ? steps : Math.max(6000, steps),
      ticks: [0, 2000, 4000, 6000].map((at) => ({ at, text: String(at) })),
      title: 'steps of Adam',
    },
    y: { from: low, to: high, ticks: powers(low, high, 5), title: 'relative excess over the bound' },
    lines: [
      { className: 'line-ink', points: excess },
      {
        className: 'line-proved',
        points: [
          [0, -6],
          [done ? steps : Math.max(6000, steps), -6],
        ],
      },
    ],
  })
}

function linear(from: number, to: number, title: string): Axis {
  const digits = to - from < Math.abs(to) * 2e-5 ? 8 : to - from < Math.abs(to) * 0.02 ? 5 : 3
  const at = from === 0 ? [0, to / 2, to] : [from, (from + to) / 2, to]
  return {
    from,
    to,
    ticks: at.map((value) => ({
      at: value,
      text: title === 'neurons' ? String(Math.round(value)) : short(value, digits),
    })),
    title,
  }
}

/** So many elements inside the parent, made when they are not there yet. */
function panels(parent: Element, count: number): Element[] {
  while (parent.children.length < count) parent.append(document.createElement('div'))
  return [...parent.children]
}
