import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { escaped } from '../plots/figure.ts'
import type { Metrics } from './metrics.ts'
import { brief } from './terminal.ts'

/** One lambda of a path. */
export interface PathPoint {
  readonly lambda: number
  readonly status: string
  readonly objective: number
  readonly bound: number
  readonly relativeGap: number
  readonly neurons: number
  readonly seconds: number
  readonly train: Metrics
  readonly test?: Metrics
  /** Loss on held-out rows, over the folds of a cross-validation. */
  readonly heldOut?: { readonly mean: number; readonly standardError: number }
}

/**
 * A regularisation path as one HTML file that needs nothing else, light or dark as its reader's system is: charts over lambda
 * (drawn by uPlot, which is put into the page) and the table of the points.
 */
export function pathPage(title: string, points: readonly PathPoint[]): string {
  const asset = (name: string): string =>
    readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8')
  const metric = points[0] && 'accuracy' in points[0].train ? 'accuracy' : 'RMSE'
  const value = (metrics: PathPoint['test']): number | null =>
    metrics === undefined ? null : 'accuracy' in metrics ? metrics.accuracy : metrics.rmse
  // uPlot wants ascending x.
  const ascending = [...points].reverse()
  const data = {
    metric,
    lambda: ascending.map((point) => point.lambda),
    objective: ascending.map((point) => point.objective),
    bound: ascending.map((point) => point.bound),
    neurons: ascending.map((point) => point.neurons),
    train: ascending.map((point) => value(point.train)),
    test: ascending.map((point) => value(point.test)),
  }
  const best = bestPoint(points)
  const rows = points.map(
    (point) =>
      `<tr${point === best ? ' class="best"' : ''}><td>${brief(point.lambda)}</td><td>${point.objective.toPrecision(6)}</td>` +
      `<td>${point.relativeGap.toExponential(1)}</td><td>${point.neurons}</td><td>${brief(value(point.train)!)}</td>` +
      `<td>${point.test ? brief(value(point.test)!) : ''}</td><td>${point.status}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}: regularisation path</title>
<style>${asset('uPlot.min.css')}
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --muted: #5b636d; --rule: #d9dde2; --grid: #eceef1; --best: #eaf3ff; --select: #0000001a; --blue: #0b63ce; --red: #d1495b; --green: #2a7f62; --grey: #8a8a94; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #e8eaed; --muted: #a3acb6; --rule: #333a42; --grid: #262b32; --best: #16304f; --select: #ffffff26; --blue: #6cb0ff; --red: #ff8f9c; --green: #3dcb9f; --grey: #9aa3ad; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 860px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.05rem; margin: 1.6rem 0 0.2rem; }
p { margin: 0.3rem 0 1rem; color: var(--muted); }
table.points { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.points th, .points td { text-align: right; padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--rule); }
.points .best td { background: var(--best); font-weight: 600; }
.u-select { background: var(--select); }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${points.length} certified networks, lambda from ${brief(points[0]?.lambda ?? 0)} (the zero network) down.
${best ? `The best on the ${best.test ? 'test' : 'training'} rows is at lambda ${brief(best.lambda)}: ${metric} ${brief(value(best.test ?? best.train)!)} with ${best.neurons} neurons.` : ''}</p>
<h2>${metric}</h2><div id="metric"></div>
<h2>Objective and its lower bound</h2><div id="objective"></div>
<h2>Neurons</h2><div id="neurons"></div>
<h2>Points</h2>
<table class="points"><thead><tr><th>lambda</th><th>objective</th><th>relative gap</th><th>neurons</th><th>train ${metric}</th><th>test ${metric}</th><th>status</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
<script>${asset('uPlot.iife.min.js')}</script>
<script>
const path = ${JSON.stringify(data).replaceAll('<', '\\u003c')}
const short = (v) => v == null ? '' : String(Number(v.toPrecision(3)))
const charts = []
const draw = () => {
// Canvases keep the colours that they were drawn in.
for (const plot of charts.splice(0)) plot.destroy()
const style = getComputedStyle(document.documentElement)
const colour = (name) => style.getPropertyValue('--' + name).trim()
const lines = { stroke: colour('muted'), grid: { stroke: colour('grid'), width: 1 }, ticks: { stroke: colour('rule'), width: 1 } }
const chart = (id, series) => {
  const parent = document.getElementById(id)
  const shown = series.filter((one) => one.values.some((v) => v !== null))
  const plot = new uPlot({
    width: Math.min(820, parent.clientWidth || 820), height: 240,
    scales: { x: { distr: 3, time: false } },
    cursor: { points: { fill: (_, k) => colour(shown[k - 1].stroke) } },
    axes: [{ ...lines, label: 'lambda', labelSize: 20, values: (_, ticks) => ticks.map((v) => Math.abs(Math.log10(v) % 1) < 1e-9 ? String(v) : '') }, { ...lines, size: 64, values: (_, ticks) => ticks.map(short) }],
    series: [{ label: 'lambda', value: (_, v) => short(v) }, ...shown.map((one) => ({ label: one.label, stroke: colour(one.stroke), width: 2, points: { show: true, size: 5, fill: colour('paper') }, dash: one.dash, value: (_, v) => short(v) }))],
  }, [path.lambda, ...shown.map((one) => one.values)], parent)
  charts.push(plot)
}
chart('metric', [{ label: 'train', stroke: 'grey', values: path.train }, { label: 'test', stroke: 'blue', values: path.test }])
chart('objective', [{ label: 'objective', stroke: 'blue', values: path.objective }, { label: 'lower bound', stroke: 'red', dash: [6, 4], values: path.bound }])
chart('neurons', [{ label: 'neurons', stroke: 'green', values: path.neurons }])
}
draw()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
addEventListener('resize', () => {
  for (const plot of charts) plot.setSize({ width: Math.min(820, plot.root.parentNode.clientWidth), height: 240 })
})
</script>
</body>
</html>
`
}

/** The point of the best test metric (training metric where nothing is held out); the larger lambda of equals. */
function bestPoint(points: readonly PathPoint[]): PathPoint | undefined {
  const goodness = (point: PathPoint): number => {
    const metrics = point.test ?? point.train
    return 'accuracy' in metrics ? metrics.accuracy : -metrics.rmse
  }
  let best: PathPoint | undefined
  for (const point of points) if (!best || goodness(point) > goodness(best)) best = point
  return best
}
