import { describe, expect, it } from 'vitest'
import {
  fromRows,
  gatedReluProgram,
  proximalGradient,
  type Solver,
  sampleGates,
  solveSync,
  steps,
  sweep,
} from '../../src/index.ts'

const X = fromRows(Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]))
const y = Array.from({ length: 30 }, (_, i) => Math.sin(3 * i))
const program = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 20 }), lambda: 0.001 })

/** Proximal gradient that notes when it is told to clean up. */
function watched(): { solver: Solver; cleaned: () => boolean } {
  const inner = proximalGradient()
  let cleaned = false
  const solver: Solver = {
    ...inner,
    *iterate(given, start) {
      try {
        yield* inner.iterate(given, start)
      } finally {
        cleaned = true
      }
    },
  }
  return { solver, cleaned: () => cleaned }
}

describe('a loop that is left early', () => {
  it('over steps lets the solver clean up', async () => {
    const { solver, cleaned } = watched()
    for await (const { iteration } of steps(program, { solver, tolerance: 1e-14 })) if (iteration > 20) break
    expect(cleaned()).toBe(true)
  })

  it('over a sweep lets the solver clean up', async () => {
    const { solver, cleaned } = watched()
    for await (const { status } of sweep(program, { solver, count: 3 })) if (status === 'solved') break
    for await (const _ of sweep(program, { solver, lambdas: [0.1, 0.01] })) break
    expect(cleaned()).toBe(true)
  })

  it('costs no iteration when the signal had fired before', () => {
    const found = solveSync(program, { signal: AbortSignal.abort() })
    expect(found.status).toBe('aborted')
    expect(found.iterations).toBe(0)
    expect(found.certificate.dual).toBeLessThanOrEqual(found.certificate.primal)
  })
})
