import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logPlaces, logTick, logTicks, padded, short } from '../../src/plots/axes.ts'
import { confusionPlot, linePlot, residualPlot, toPng } from '../../src/plots/index.ts'
import { fonts, seen } from './svg.ts'

const certificate = {
  relativeGap: 1e-8,
  stationarity: 0,
  primalFeasibility: 0,
  dualFeasibility: 0,
  complementarity: 1e-3,
}

describe('a figure', () => {
  it('is the same text each time, with names that no other figure has', async () => {
    const [once, again, other] = await Promise.all([
      residualPlot(certificate),
      residualPlot(certificate),
      residualPlot({ ...certificate, stationarity: 1e-5 }),
    ])
    expect(again).toBe(once)
    // Whatever was drawn before, in whatever colours.
    await confusionPlot(['a', 'b', 'a'], ['a', 'a', 'b'])
    expect(await residualPlot(certificate)).toBe(once)
    const name = (svg: string): string => /class="(cvxnn-\w+)"/.exec(svg)![1]!
    expect(name(once)).not.toBe(name(other))
    // Its rules are for itself alone.
    const rules = /dark\)\{([\s\S]*?)\}<\/style>/.exec(once)![1]!.split('}').filter(Boolean)
    expect(rules.length).toBeGreaterThan(3)
    for (const rule of rules) expect(rule.startsWith(`.${name(once)} [`)).toBe(true)
  })

  it('is dark where the reader asks, always, or never', async () => {
    const [auto, dark, light] = await Promise.all(
      (['auto', 'dark', 'light'] as const).map((theme) => residualPlot(certificate, { theme })),
    )
    expect(auto).toContain('<style>@media (prefers-color-scheme: dark){')
    expect(dark).toMatch(/<style>\.cvxnn-/)
    expect(light).not.toContain('<style>')
  })

  it('leaves the words of its reader alone', async () => {
    const name = 'currentColor x="0.123456" plot-clip-1'
    const { texts } = await seen(await linePlot({ [name]: { x: [0, 1], y: [0, 1] } }, { x: name, y: `<${name}>` }))
    expect(texts).toEqual(expect.arrayContaining([`${name.slice(0, 29)}…`, name, `<${name}>`]))
  })

  it('escapes its title', async () => {
    expect(await residualPlot(certificate, { title: '<b> & "c"' })).toContain('&lt;b&gt; &amp; &quot;c&quot;')
  })
})

describe('toPng', () => {
  it('draws the same file each time, larger with scale, and other colours for dark pages', async () => {
    const svg = await residualPlot(certificate)
    const options = { fonts, scale: 1 }
    const png = await toPng(svg, options)
    expect(Array.from(png.subarray(0, 8))).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    expect(await toPng(svg, options)).toEqual(png)
    const width = (file: Uint8Array): number => new DataView(file.buffer, file.byteOffset).getUint32(16)
    expect(width(png)).toBe(720)
    expect(width(await toPng(svg, { fonts }))).toBe(1440)
    const dark = await toPng(svg, { ...options, dark: true })
    expect(dark).not.toEqual(png)
    expect(dark).toEqual(await toPng(await residualPlot(certificate, { theme: 'dark' }), options))
    expect(png).toEqual(await toPng(await residualPlot(certificate, { theme: 'light' }), options))
  })

  it('refuses fonts that are none, and what is no SVG', async () => {
    const svg = await residualPlot(certificate)
    await expect(toPng(svg, { fonts: [] })).rejects.toThrow(/no font to write the text with; check the paths/)
    await expect(toPng('{}')).rejects.toThrow(/the text is no SVG/)
    await expect(toPng(svg, { scale: 0 })).rejects.toThrow(/scale is 0/)
  })
})

describe('axes', () => {
  it('write numbers as people do', () => {
    expect([0, 0.5, 1234.5, -2, 1e-7, 3.21e9, Number.POSITIVE_INFINITY].map(short)).toEqual([
      '0',
      '0.5',
      '1230',
      '−2',
      '10⁻⁷',
      '3.2 × 10⁹',
      '∞',
    ])
    expect(short(-1.5e-12)).toBe('−1.5 × 10⁻¹²')
  })

  const positive = fc.double({ min: 1e-300, max: 1e300, noNaN: true })

  it('of logarithms have ticks inside, in order, at least one and not too many', () => {
    fc.assert(
      fc.property(positive, fc.double({ min: 1.5, max: 1e200, noNaN: true }), (low, ratio) => {
        const ticks = logTicks([low, Math.min(low * ratio, 1e305)])
        expect(ticks.length).toBeGreaterThan(0)
        expect(ticks.length).toBeLessThan(12)
        ticks.forEach((tick, k) => {
          expect(tick).toBeGreaterThanOrEqual(low * 0.9)
          if (k > 0) expect(tick).toBeGreaterThan(ticks[k - 1]!)
        })
      }),
    )
  })

  it('of logarithms have a label at every tick, over few decades and many', async () => {
    for (const decades of [0.4, 0.9, 1.5, 1.9, 2, 2.5, 2.9, 3, 5, 12, 40]) {
      const low = 2e-3
      const line = { x: [0, 1], y: [low, low * 10 ** decades] }
      const figure = await seen(await linePlot({ '': line }, { log: true }))
      const labels = figure.marks('y-axis tick label').map((text) => text.textContent)
      expect(labels).toEqual(logPlaces(line.y).ticks.map(logTick))
      expect(labels.length).toBeGreaterThan(1)
    }
  })

  it('of logarithms keep the order of positive numbers and place what is not above zero at the bottom', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.double(), positive), { minLength: 1, maxLength: 6 }), (values) => {
        const { domain, place } = logPlaces(values)
        expect(domain[0]).toBeGreaterThan(0)
        expect(domain[1] / domain[0]).toBeGreaterThan(1.4)
        for (const value of values) {
          if (!Number.isFinite(value)) expect(place(value)).toBeNaN()
          else if (value <= 0) expect(place(value)).toBe(domain[0])
          else {
            expect(place(value)).toBeGreaterThanOrEqual(domain[0])
            expect(place(value)).toBeLessThanOrEqual(domain[1])
          }
        }
      }),
    )
  })

  it('have length around whatever is finite', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        const [low, high] = padded(values)
        expect(Number.isFinite(low) && Number.isFinite(high)).toBe(true)
        expect(high).toBeGreaterThan(low)
      }),
    )
  })
})
