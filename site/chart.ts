/** A line of a chart, by the class of its colour. */
export interface Line {
  readonly className: string
  readonly points: readonly (readonly [number, number])[]
  /** A dot at every point. */
  readonly dots?: boolean
  /** Stays level until the next point. */
  readonly steps?: boolean
}

export interface Chart {
  readonly label: string
  readonly height: number
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
  /** The area between the first two lines is filled. */
  readonly band?: boolean
  /** A vertical line at this x. */
  readonly marker?: number
}

export interface Axis {
  readonly from: number
  readonly to: number
  readonly ticks: readonly { readonly at: number; readonly text: string }[]
  readonly title: string
}

const MARGIN = { left: 58, right: 8, top: 18, bottom: 30 }

/** Draws a chart into an element, anew; `from` may be larger than `to`. */
export function drawChart(parent: Element, { label, height, x, y, lines, band, marker }: Chart): void {
  const width = Math.max(200, parent.clientWidth)
  const across = (value: number): number =>
    MARGIN.left + ((value - x.from) / (x.to - x.from)) * (width - MARGIN.left - MARGIN.right)
  const up = (value: number): number =>
    height - MARGIN.bottom - ((value - y.from) / (y.to - y.from)) * (height - MARGIN.top - MARGIN.bottom)
  const svg = element('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label })
  const add = (name: string, attributes: Attributes, text?: string): void => {
    const child = element(name, attributes)
    if (text !== undefined) child.textContent = text
    svg.append(child)
  }
  const [left, right, base] = [MARGIN.left, width - MARGIN.right, height - MARGIN.bottom]
  for (const { at, text } of y.ticks) {
    add('line', { class: 'tick', x1: left, x2: right, y1: up(at), y2: up(at) })
    add('text', { x: left - 5, y: up(at) + 4, 'text-anchor': 'end' }, text)
  }
  for (const { at, text } of x.ticks) add('text', { x: across(at), y: base + 13, 'text-anchor': 'middle' }, text)
  add('line', { class: 'axis', x1: left, x2: right, y1: base, y2: base })
  add('text', { x: left, y: 10 }, y.title)
  add('text', { x: right, y: height - 3, 'text-anchor': 'end' }, x.title)
  const drawn = lines.map(({ points, steps }) =>
    points.flatMap(([a, b], k) => {
      const here = `${across(a).toFixed(1)},${up(b).toFixed(1)}`
      return steps && k > 0 ? [`${across(a).toFixed(1)},${up(points[k - 1]![1]).toFixed(1)}`, here] : [here]
    }),
  )
  if (band && drawn.length > 1)
    add('polygon', { class: 'band', points: [...drawn[0]!, ...drawn[1]!.slice().reverse()].join(' ') })
  lines.forEach(({ className, points, dots }, k) => {
    add('polyline', { class: className, points: drawn[k]!.join(' ') })
    if (dots) for (const [a, b] of points) add('circle', { class: 'dot', cx: across(a), cy: up(b), r: 2.6 })
  })
  if (marker !== undefined)
    add('line', { class: 'marker', x1: across(marker), x2: across(marker), y1: MARGIN.top - 4, y2: base })
  parent.replaceChildren(svg)
}

/** Where a pointer is on the x axis of the chart in an element. */
export function pointedAt(parent: Element, clientX: number, { from, to }: Axis): number {
  const { left, width } = parent.getBoundingClientRect()
  const share = (clientX - left - MARGIN.left) / (width - MARGIN.left - MARGIN.right)
  return from + Math.min(1, Math.max(0, share)) * (to - from)
}

/** Whole powers of ten between two logarithms, thinned to about `most`. */
export function powers(from: number, to: number, most = 6): Axis['ticks'] {
  const [low, high] = [Math.ceil(Math.min(from, to) - 1e-9), Math.floor(Math.max(from, to) + 1e-9)]
  const step = Math.max(1, Math.ceil((high - low + 1) / most))
  const found: Axis['ticks'][number][] = []
  for (let at = high; at >= low; at -= step) found.push({ at, text: tenTo(at) })
  return found
}

function tenTo(exponent: number): string {
  if (exponent >= -3 && exponent <= 3) return String(Number((10 ** exponent).toPrecision(1)))
  const digits = [...String(exponent)].map((c) =>
    c === '-' ? '\u207b' : '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'[Number(c)],
  )
  return `10${digits.join('')}`
}

type Attributes = Readonly<Record<string, string | number>>

function element(name: string, attributes: Attributes): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, typeof value === 'number' ? String(Number(value.toFixed(2))) : value)
  return made
}
