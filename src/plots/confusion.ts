import { requireOptions } from '../numerics/options.ts'
import { drawing } from './drawing.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { blue, ink, orange, paper, tint } from './palette.ts'

type Label = string | number

/**
 * How often each class was taken for each: a row is a true class, a column what the network said. What is right stands on
 * the diagonal, in blue; errors in orange. Shades are shares of the row.
 *
 * @returns SVG text.
 */
export async function confusionPlot(
  wanted: readonly Label[],
  predicted: readonly Label[],
  options: FigureOptions & { classes?: readonly Label[] } = {},
): Promise<string> {
  requireOptions(options, { ...figureOptionNames, classes: true }, 'confusionPlot')
  if (wanted.length !== predicted.length)
    throw new RangeError(
      `confusionPlot: there are ${wanted.length} true labels and ${predicted.length} predicted ones; pass one of each per row.`,
    )
  const { Plot, panel } = await drawing()
  const seen = [...new Set([...wanted, ...predicted].map(String))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  const classes = [...new Set([...(options.classes ?? []).map(String), ...seen])]
  const counts = new Map<string, number>()
  const totals = new Map<string, number>()
  wanted.forEach((label, r) => {
    const cell = JSON.stringify([String(label), String(predicted[r])])
    counts.set(cell, (counts.get(cell) ?? 0) + 1)
    totals.set(String(label), (totals.get(String(label)) ?? 0) + 1)
  })
  const cells = classes.flatMap((truth) =>
    classes.map((answer) => {
      const count = counts.get(JSON.stringify([truth, answer])) ?? 0
      const share = count / (totals.get(truth) || 1)
      const colour = truth === answer ? blue : orange
      return { truth, answer, count, share, fill: count === 0 ? tint(ink, 0.04) : tint(colour, shade(share)) }
    }),
  )
  const right = wanted.filter((label, r) => String(label) === String(predicted[r])).length
  const longest = Math.min(24, Math.max(1, ...classes.map((name) => name.length)))
  const margin = 34 + 7 * longest
  const side = Math.min(
    panelWidth(options),
    Math.max(280, margin + Math.max(44, 7 * longest + 12) * Math.min(12, classes.length)),
  )
  const named = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name)
  const chart = panel('', {
    width: side,
    height: side - margin + 64,
    marginLeft: margin,
    marginTop: 44,
    marginBottom: 12,
    marginRight: 8,
    x: {
      ...{ type: 'band', domain: classes, label: 'predicted', axis: 'top', tickSize: 0, tickFormat: named },
      ...{ labelOffset: 36, padding: 0.04 },
    },
    y: {
      ...{ type: 'band', domain: classes, label: 'true', tickSize: 0, tickFormat: named, labelAnchor: 'center' },
      ...{ labelOffset: margin - 10, padding: 0.04 },
    },
    marks: [
      Plot.cell(cells, { x: 'answer', y: 'truth', fill: 'fill' }),
      Plot.text(
        cells.filter(({ count }) => count > 0),
        {
          ...{ x: 'answer', y: 'truth', text: ({ count }: { count: number }) => String(count), fontWeight: 600 },
          fill: ({ share }) => (share > 0.55 ? paper : ink),
        },
      ),
    ],
  })
  const percent = wanted.length === 0 ? '' : `, ${((100 * right) / wanted.length).toFixed(1)} % right`
  return figure(
    [[chart]],
    { title: 'Confusion matrix', ...options, width: options.width ?? Math.max(side + 24, 300) },
    `${wanted.length} rows${percent}`,
  )
}

/** Shares in steps of a twentieth, so that a figure uses few colours. */
function shade(share: number): number {
  return 0.12 + 0.84 * (Math.round(20 * share) / 20)
}
