import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { fromRows, gatedReluProgram, proximalGradient, sampleGates, solveSync } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'cvxnn-checkpoint-'))
afterAll(() => rmSync(folder, { recursive: true }))

const X = fromRows(Array.from({ length: 80 }, (_, i) => [Math.sin(i), Math.cos(3 * i), Math.sin(i * i)]))
const y = Array.from({ length: 80 }, (_, i) => Math.abs(Math.sin(i)))
const gates = sampleGates(X, { count: 30, seed: 1 })
const program = gatedReluProgram({ X, y, gates, lambda: 1e-4 })
const solver = proximalGradient()

describe('solve with a checkpoint', () => {
  it('goes on from where the last run ended, and keeps no other file', () => {
    const file = join(folder, 'a.checkpoint')
    const checkpoint = { file, everySeconds: 0 }
    const first = solveSync(program, { solver, checkpoint, maxIterations: 200, tolerance: 1e-12 })
    const second = solveSync(program, { solver, checkpoint, maxIterations: 200, tolerance: 1e-12 })
    const same = solveSync(program, { solver, start: first, maxIterations: 200, tolerance: 1e-12 })
    expect(first.status).toBe('iteration-limit')
    expect(second.coefficients).toEqual(same.coefficients)
    expect(second.certificate.primal).toBeLessThan(first.certificate.primal)
    // Its bound is at least the first one's, whose dual point is in the file.
    expect(second.certificate.dual).toBeGreaterThanOrEqual(first.certificate.dual * (1 - 1e-14))
    expect(readdirSync(folder)).toEqual(['a.checkpoint'])
  })

  it('answers at once from the file of a run that was solved, unless asked not to', () => {
    const file = join(folder, 'b.checkpoint')
    const first = solveSync(program, { checkpoint: { file }, tolerance: 1e-6 })
    const again = solveSync(program, { checkpoint: { file }, tolerance: 1e-6 })
    expect([again.status, again.iterations]).toEqual(['solved', 0])
    expect(again.coefficients).toEqual(first.coefficients)
    const fresh = solveSync(program, { checkpoint: { file, resume: false }, tolerance: 1e-6 })
    expect(fresh.iterations).toBe(first.iterations)
  })

  it('refuses the file of another program, of other data, and what is no whole checkpoint', () => {
    const file = join(folder, 'c.checkpoint')
    solveSync(program, { checkpoint: { file }, maxIterations: 3 })
    const at = (other: typeof program) => () => solveSync(other, { checkpoint: { file } })
    expect(at({ ...program, lambda: 1e-3 })).toThrow(/is of a program whose lambda is 0.0001 and not 0.001/)
    expect(at(gatedReluProgram({ X, y: y.map((value) => 2 * value), gates, lambda: 1e-4 }))).toThrow(/on other data/)
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.subarray(0, bytes.length - 8))
    expect(at(program)).toThrow(/bytes of numbers and needs/)
    writeFileSync(file, 'nothing')
    expect(at(program)).toThrow(/is no checkpoint of this version; delete it/)
    expect(() => solveSync(program, { checkpoint: { file: '' } })).toThrow(/checkpoint.file is empty/)
    expect(() => solveSync(program, { checkpoint: { file: join(folder, 'none', 'x') }, maxIterations: 1 })).toThrow(
      /cannot be written/,
    )
  })

  it('leaves a whole file behind when it is killed', async () => {
    const file = join(folder, 'd.checkpoint')
    const source = new URL('../../src/index.ts', import.meta.url).href
    const script = `
      import { fromRows, gatedReluProgram, proximalGradient, sampleGates, solveSync } from ${JSON.stringify(source)}
      const X = fromRows(${JSON.stringify(Array.from({ length: 80 }, (_, i) => Array.from(X.data.subarray(3 * i, 3 * i + 3))))})
      const program = gatedReluProgram({ X, y: ${JSON.stringify(y)}, gates: sampleGates(X, { count: 30, seed: 1 }), lambda: 1e-4 })
      solveSync(program, { solver: proximalGradient(), checkpoint: { file: ${JSON.stringify(file)}, everySeconds: 0 }, tolerance: 0 })`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'ignore' })
    while (!existsSync(file)) await wait(20)
    await wait(100)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const resumed = solveSync(program, { solver, checkpoint: { file }, tolerance: 1e-6 })
    expect(resumed.status).toBe('solved')
  }, 60_000)
})
