import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { fromHash, toHash } from '../../site/link.ts'
import type { Sample } from '../../site/messages.ts'
import { readSample } from '../../site/read-sample.ts'
import { tableOf } from '../../site/table.ts'
import { ticks } from '../../site/view.ts'
import { agreement, percent } from '../../site/words.ts'

const coordinate = fc.integer({ min: -10_000, max: 10_000 }).map((k) => k / 10_000)
const curve = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 60 }).map(
  (points): Sample => ({
    task: 'regression',
    features: ['x'],
    target: 'y',
    rows: points.map(([x]) => [x]),
    y: points.map(([, y]) => y),
  }),
)
const colours = fc.array(fc.tuple(coordinate, coordinate, fc.constantFrom(-1, 1)), { minLength: 1, maxLength: 60 }).map(
  (points): Sample => ({
    task: 'classification',
    features: ['x1', 'x2'],
    target: 'colour',
    classes: ['blue', 'orange'],
    rows: points.map(([a, b]) => [a, b]),
    y: points.map(([, , colour]) => colour),
  }),
)

describe('percent', () => {
  it.each([
    [8.3e-7, '0.000083\u00a0%'],
    [0.021, '2.1\u00a0%'],
    [0.0211, '2.2\u00a0%'],
    [0.5, '50\u00a0%'],
    [3.4, '340\u00a0%'],
    [0, '0.00000010\u00a0%'],
    [7e-13, '0.00000010\u00a0%'],
  ])('of %d is %s', (share, said) => {
    expect(percent(share)).toBe(said)
  })

  test.prop([fc.double({ min: 1e-9, max: 100, noNaN: true })])(
    'never says less than it is, nor more than a tenth above',
    (share) => {
      const said = Number(percent(share).slice(0, -2))
      expect(said).toBeGreaterThanOrEqual(100 * share * (1 - 1e-9))
      expect(said).toBeLessThanOrEqual(100 * share * 1.11)
    },
  )
})

describe('agreement', () => {
  test.prop([fc.double({ min: 1e-5, max: 1e5, noNaN: true }), fc.double({ min: -1e-3, max: 1e-3, noNaN: true })])(
    'splits two numbers at their first different digit',
    (a, difference) => {
      const b = a * (1 + difference)
      const [same, one, other] = agreement(a, b)
      expect(Number(same + one) / a).toBeCloseTo(1, 7)
      expect(Number(same + other) / b).toBeCloseTo(1, 7)
      if (one !== '' && same !== '') expect(one[0]).not.toBe(other[0])
    },
  )
})

describe('a link', () => {
  test.prop([fc.oneof(curve, colours), fc.integer({ min: 0, max: 49 })])(
    'opens to the drawing it was made of',
    (sample, index) => {
      expect(fromHash(`#${toHash({ sample, index })}`)).toEqual({ sample, index })
    },
  )

  test.prop([fc.oneof(fc.string(), fc.stringMatching(/^(curve|colours)=[-0-9.,;e]{0,40}&at=[0-9]{1,3}$/))])(
    'that is none opens to nothing, or to finite points',
    (text) => {
      const linked = fromHash(text)
      if (!linked) return
      for (const value of [...linked.sample.rows.flat(), ...linked.sample.y])
        expect(Math.abs(value)).toBeLessThanOrEqual(1.5)
      expect(linked.sample.rows).toHaveLength(linked.sample.y.length)
    },
  )

  it('holds no table, nothing, and not too much', () => {
    const row = { task: 'regression', target: 'y', index: 0 } as const
    const sample = (features: string[], count: number): Sample => ({
      ...row,
      features,
      rows: Array.from({ length: count }, () => features.map(() => 0)),
      y: Array.from({ length: count }, () => 0),
    })
    expect(toHash({ sample: sample(['a', 'b', 'c'], 3), index: 0 })).toBeUndefined()
    expect(toHash({ sample: sample(['x'], 0), index: 0 })).toBeUndefined()
    expect(toHash({ sample: sample(['x'], 401), index: 0 })).toBeUndefined()
  })
})

describe('the table of a sample', () => {
  test.prop([
    fc.oneof(curve, colours).filter(({ y }) => new Set(y).size > 2 || (new Set(y).size === 2 && Math.abs(y[0]!) === 1)),
  ])('is read back as the same sample', async (sample) => {
    if (sample.task === 'regression' && new Set(sample.y).size < 3) return
    expect((await readSample(tableOf(sample))).sample).toEqual(sample)
  })

  it('gives names to columns that have none, and predicts the last', async () => {
    const { sample, columns } = await readSample('1,2,5\n3,4,7\n5,6,8')
    expect(columns).toEqual(['x1', 'x2', 'y'])
    expect(sample).toMatchObject({ features: ['x1', 'x2'], target: 'y', y: [5, 7, 8] })
  })

  it('takes two values for two classes', async () => {
    const { sample } = await readSample('a,b\n1,0\n2,1\n3,1')
    expect(sample).toMatchObject({ task: 'classification', classes: ['0', '1'], y: [-1, 1, 1] })
  })
})

describe('ticks', () => {
  test.prop([fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-3, max: 1e6, noNaN: true })])(
    'lie inside, evenly, and are few',
    (from, length) => {
      const found = ticks(from, from + length, 5)
      expect(found.length).toBeGreaterThanOrEqual(2)
      expect(found.length).toBeLessThanOrEqual(7)
      for (const value of found) {
        expect(value).toBeGreaterThanOrEqual(from - 1e-6 * length)
        expect(value).toBeLessThanOrEqual(from + length * (1 + 1e-6))
      }
    },
  )
})
