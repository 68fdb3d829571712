import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkFile, jsonFiles } from './check-file.ts'
import type { Finding } from './reference.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const tiny = join(here, 'two-layer', 'gated_tiny_r0p5.json')

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cvxnn-golden-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('every reference optimum is met', () => {
  for (const path of jsonFiles([here]))
    it(`${basename(path)} is met in everything its family compares`, () => {
      const findings = [...checkFile(path)]
      expect(findings.filter(({ kind }) => kind === 'checked').length).toBeGreaterThan(0)
      for (const finding of findings) {
        expect(finding.kind).not.toBe('damaged')
        if (finding.kind === 'checked') expect(finding.misses, finding.name).toEqual([])
      }
    })
})

describe('what is wrong in a reference is noticed', () => {
  const spoilt: [string, (file: TwoLayerFile) => void, RegExp][] = [
    ['a shifted objective', (file) => (file.optimum.objective *= 1 + 1e-6), /error of the objective/],
    ['an objective below our bound', (file) => (file.optimum.objective *= 1 - 1e-6), /lower bound above the reference/],
    ['a shifted lambda_max', (file) => (file.lambdaMax *= 1 + 1e-6), /lambda_max/],
    ['a shifted fit', (file) => (file.solution.fitted[3]! += 1e-4), /error of the fit/],
    ['another number of active groups', (file) => file.optimum.activeGroups++, /groups are active/],
    ['a reference point that is not optimal', (file) => (file.solution.U[0]![0]![0]! += 1e-3), /own point/],
  ]
  for (const [what, spoil, sentence] of spoilt)
    it(`${what} is a miss that says so`, () => {
      const [finding] = check(spoiltCopy(spoil))
      expect(finding).toMatchObject({
        kind: 'checked',
        misses: expect.arrayContaining([expect.stringMatching(sentence)]),
      })
    })

  it('a tolerance in the file counts instead of the common one', () => {
    const [finding] = check(
      spoiltCopy((file) => {
        file.optimum.objective *= 1 + 1e-6
        file.tolerances = { objective: 1e-5 }
      }),
    )
    expect(finding).toMatchObject({ kind: 'checked', misses: [] })
  })

  it('a file cut short is damaged, and the sentence names it', () => {
    const path = join(folder, 'cut.json')
    writeFileSync(path, readFileSync(tiny, 'utf8').slice(0, 1000))
    expect(check(path)).toEqual([{ kind: 'damaged', name: 'cut', why: expect.stringContaining(path) }])
  })

  it('a file without a field that its family needs is damaged, and the sentence names the field', () => {
    const path = spoiltCopy((file) => {
      file.optimum = {} as TwoLayerFile['optimum']
    })
    expect(check(path)).toMatchObject([{ kind: 'damaged', why: expect.stringContaining('optimum.objective') }])
  })

  it('rows that do not fit together are damage, not a crash', () => {
    const path = spoiltCopy((file) => file.X.pop())
    expect(check(path)).toMatchObject([{ kind: 'damaged', why: expect.stringContaining('rows') }])
  })
})

describe('the runner', () => {
  it('exits with 0 when every optimum is met, skipped files beside it', () => {
    const place = fresh('good')
    copyFileSync(tiny, join(place, 'gated_tiny.json'))
    writeFileSync(join(place, 'other.json'), '{ "family": "not-known" }')
    writeFileSync(join(place, 'notes.json'), '{ "made": "by hand" }')
    const { status, stdout } = run(place)
    expect(stdout).toMatch(/gated_tiny .* ok/)
    expect(stdout).toContain('skipped: not-known')
    expect(stdout).toContain('1 met, 0 missed, 0 damaged, 2 skipped')
    expect(status).toBe(0)
  })

  it('exits with 1 on an objective that is not met, and prints which', () => {
    const place = fresh('corrupted')
    copyFileSync(
      spoiltCopy((file) => (file.optimum.objective *= 1 + 1e-6)),
      join(place, 'gated_tiny.json'),
    )
    const { status, stdout } = run(place)
    expect(stdout).toMatch(/gated_tiny .* MISS/)
    expect(status).toBe(1)
  })

  it('exits with 1 on a damaged file although others are met', () => {
    const place = fresh('damaged')
    copyFileSync(tiny, join(place, 'gated_tiny.json'))
    writeFileSync(join(place, 'broken.json'), '{')
    const { status, stdout } = run(place)
    expect(stdout).toContain('1 met, 0 missed, 1 damaged, 0 skipped')
    expect(status).toBe(1)
  })

  it('exits with 1 when all it finds is skipped', () => {
    const place = fresh('skipped')
    writeFileSync(join(place, 'other.json'), '{ "family": "not-known" }')
    const { status, stdout, stderr } = run(place)
    expect(stdout).toContain('skipped: not-known')
    expect(stderr).toContain('nothing was checked')
    expect(status).toBe(1)
  })

  it('exits with 1 on a folder that does not exist, and on none', () => {
    const missing = run(join(folder, 'nowhere'))
    expect(missing.stderr).toContain('does not exist')
    expect(missing.status).toBe(1)
    const none = run()
    expect(none.stderr).toContain('no folder was given')
    expect(none.status).toBe(1)
  })
})

interface TwoLayerFile {
  X: number[][]
  lambdaMax: number
  optimum: { objective: number; activeGroups: number }
  solution: { fitted: number[]; U: number[][][] }
  tolerances?: { objective: number }
}

/** A copy of a small reference with one thing changed. */
function spoiltCopy(spoil: (file: TwoLayerFile) => unknown): string {
  const file = JSON.parse(readFileSync(tiny, 'utf8')) as TwoLayerFile
  spoil(file)
  const path = join(folder, 'gated_spoilt.json')
  writeFileSync(path, JSON.stringify(file))
  return path
}

function check(path: string): Finding[] {
  return [...checkFile(path)]
}

function fresh(name: string): string {
  const place = join(folder, name, 'two-layer')
  mkdirSync(place, { recursive: true })
  return place
}

function run(...places: string[]): { status: number | null; stdout: string; stderr: string } {
  const args = ['--import', 'tsx', join(here, 'run.ts'), ...places]
  return spawnSync(process.execPath, args, { cwd: join(here, '..', '..'), encoding: 'utf8' })
}
