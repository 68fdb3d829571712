import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { movable } from '../../solvers/movable.ts'

const specimen = fc.integer({ min: 1, max: 300 }).chain((count) =>
  fc.record({
    weights: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true })), {
      minLength: count,
      maxLength: count,
    }),
    rows: fc.integer({ min: 1, max: 1000 }),
    lengths: fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: count, maxLength: count }),
  }),
)

describe('movable', () => {
  it('takes all active blocks, and of the violated ones those that are violated the most, in ascending order', () =>
    fc.assert(
      fc.property(specimen, ({ weights, lengths, rows }) => {
        const eta = Float64Array.from(weights)
        const chosen = movable(eta, Float64Array.from(lengths), 1, rows)
        expect([...chosen]).toEqual([...new Set(chosen)].sort((a, b) => a - b))
        const inside = new Set(chosen)
        const all = weights.map((_, b) => b)
        const active = all.filter((b) => weights[b]! > 0)
        const violated = all.filter((b) => !(weights[b]! > 0) && lengths[b]! > 1)
        for (const b of active) expect(inside.has(b)).toBe(true)
        const taken = violated.filter((b) => inside.has(b))
        expect(chosen.length).toBe(active.length + taken.length)
        expect(taken.length).toBe(
          Math.min(violated.length, Math.max(50, Math.min(active.length, Math.ceil(0.15 * rows)))),
        )
        const least = Math.min(...taken.map((b) => lengths[b]!))
        for (const b of violated) if (!inside.has(b)) expect(lengths[b]!).toBeLessThanOrEqual(least)
      }),
    ))
})
