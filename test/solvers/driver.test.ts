import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  coneNewton,
  etaNewton,
  explain,
  type GatedReluNetwork,
  gatedReluProgram,
  type Iterate,
  type Loss,
  type Progress,
  proximalGradient,
  reluProgram,
  ridge,
  type Solution,
  type SolveOptions,
  type Solver,
  type Status,
  sampleGates,
  solve,
  solveSync,
  squared,
  steps,
} from '../../src/index.ts'
import { bent } from '../support/planted.ts'

const { X, y } = bent(60)
const gates = sampleGates(X, { count: 30 })
const program = gatedReluProgram({ X, y, gates, lambda: 1e-3 })
/** Tighter than any solver gets, so that something else ends the work. */
const endless = { tolerance: 0, maxIterations: Number.POSITIVE_INFINITY } as const

/** What holds of every answer, however it ended. */
function expectHonest(solution: Solution<GatedReluNetwork>): void {
  const fresh = certify(program, { coefficients: solution.coefficients })
  const { certificate } = solution
  expect(Math.abs(certificate.primal - fresh.primal)).toBeLessThanOrEqual(1e-12 * fresh.primal)
  expect(certificate.dual).toBeGreaterThanOrEqual(fresh.dual - 1e-12 * fresh.primal)
  expect(certificate.dual).toBeLessThanOrEqual(optimum * (1 + 1e-9))
  expect(certificate.primal).toBeGreaterThanOrEqual(optimum * (1 - 1e-9))
  expect(certificate.gap).toBe(certificate.primal - certificate.dual)
  expect(solution.seconds).toBeGreaterThanOrEqual(0)
  expect(solution.model.predict(X).rows).toBe(X.rows)
}

const optimum = solveSync(program, { tolerance: 1e-10 }).certificate.primal

describe('a certificate', () => {
  it('is taken of a step whose gap its solver knows to be within the tolerance, and of no other that asks for none', () => {
    const optimal = solveSync(program, { tolerance: 1e-10 })
    const knowing = (gap: number): Solver => ({
      name: 'knowing',
      supports: () => true,
      *iterate() {
        yield { coefficients: new Float64Array(program.operator.columns), certify: false, gap: 1 }
        yield { coefficients: optimal.coefficients, certify: false, gap }
        yield { coefficients: optimal.coefficients, certify: false, gap }
      },
    })
    const seen: number[] = []
    const onProgress = ({ iteration }: Progress): void => void seen.push(iteration)
    const found = solveSync(program, { solver: knowing(1e-7), tolerance: 1e-6, onProgress })
    expect([found.status, found.iterations, seen]).toEqual(['solved', 2, [0, 2]])
    seen.length = 0
    // What it knows is no more than a hint: the certificate decides.
    solveSync(program, { solver: knowing(1e-5), tolerance: 1e-6, onProgress })
    expect(seen).toEqual([0])
    const wrong = solveSync(program, {
      solver: {
        ...knowing(0),
        *iterate() {
          yield { coefficients: new Float64Array(program.operator.columns), certify: false, gap: 0 }
        },
      },
    })
    expect(wrong.status).toBe('iteration-limit')
  })
})

describe('an abort', () => {
  it('before the call ends the work at the first step, with a valid certificate', async () => {
    for (const solution of [
      await solve(program, { ...endless, signal: AbortSignal.abort() }),
      solveSync(program, { ...endless, signal: AbortSignal.abort() }),
    ]) {
      expect(solution.status).toBe('aborted')
      expect(solution.iterations).toBeLessThanOrEqual(1)
      expectHonest(solution)
    }
  })

  it('during the work ends it, with the best point so far', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    const solution = await solve(program, { ...endless, signal: controller.signal })
    expect(solution.status).toBe('aborted')
    expect(solution.iterations).toBeGreaterThan(1)
    expectHonest(solution)
    expect(solution.certificate.primal).toBeLessThan(program.loss.value(new Float64Array(X.rows)))
  })

  it('from onProgress ends the work at once', () => {
    const controller = new AbortController()
    const solution = solveSync(program, {
      ...endless,
      signal: controller.signal,
      onProgress: ({ iteration }) => iteration >= 30 && controller.abort(),
    })
    expect([solution.status, solution.iterations]).toEqual(['aborted', 30])
    expectHonest(solution)
  })

  it('leaves an answer to go on from', () => {
    const controller = new AbortController()
    const onProgress = ({ iteration }: Progress): void => {
      if (iteration >= 50) controller.abort()
    }
    const first = solveSync(program, { ...endless, signal: controller.signal, onProgress })
    const second = solveSync(program, { start: first })
    expect(second.status).toBe('solved')
    expect(second.certificate.primal).toBeLessThanOrEqual(first.certificate.primal)
  })

  it('between two certificates loses nothing: the last iterate is certified', () => {
    const controller = new AbortController()
    const [bad, good] = [point(100), point(1e-3)]
    const solver: Solver = {
      name: 'aborting',
      supports: () => true,
      *iterate() {
        yield bad
        yield bad
        controller.abort()
        yield good
        throw new Error('walked on after an abort')
      },
    }
    const seen: number[] = []
    const solution = solveSync(program, {
      ...{ solver, signal: controller.signal },
      onProgress: ({ iteration }) => seen.push(iteration),
    })
    expect([solution.status, solution.iterations]).toEqual(['aborted', 3])
    expect(solution.coefficients).toEqual(good.coefficients)
    expect(seen).toEqual([0, 1, 3])
    expectHonest(solution)
  })

  it('that never fires changes nothing', () => {
    const plain = solveSync(program)
    expect(solveSync(program, { signal: new AbortController().signal }).coefficients).toEqual(plain.coefficients)
  })
})

describe('limits', () => {
  it('maxIterations is exact, and the last iterate is certified', () => {
    for (const maxIterations of [1, 7, 10, 23]) {
      const solution = solveSync(program, { tolerance: 0, maxIterations })
      expect([solution.status, solution.iterations]).toEqual(['iteration-limit', maxIterations])
      expectHonest(solution)
    }
  })

  it('timeLimit ends the work soon after it', async () => {
    const solution = await solve(program, { ...endless, timeLimit: 0.05 })
    expect(solution.status).toBe('time-limit')
    expect(solution.seconds).toBeGreaterThan(0.05)
    expect(solution.seconds).toBeLessThan(1)
    expectHonest(solution)
  })

  it('timeLimit between two certificates loses nothing', () => {
    const solver: Solver = {
      name: 'late',
      supports: () => true,
      *iterate() {
        yield point(100)
        const until = performance.now() + 20
        while (performance.now() < until);
        yield point(1e-3)
        throw new Error('walked on after the time limit')
      },
    }
    const solution = solveSync(program, { solver, timeLimit: 0.015 })
    expect([solution.status, solution.iterations]).toEqual(['time-limit', 2])
    expect(solution.coefficients).toEqual(point(1e-3).coefficients)
    expectHonest(solution)
  })

  it('tolerance decides what counts as solved', () => {
    let last = Number.POSITIVE_INFINITY
    for (const tolerance of [1e-1, 1e-3, 1e-6, 1e-9]) {
      const solution = solveSync(program, { tolerance })
      expect(solution.status).toBe('solved')
      expect(solution.certificate.relativeGap).toBeLessThanOrEqual(tolerance)
      expect(solution.certificate.gap).toBeLessThanOrEqual(last)
      last = solution.certificate.gap
    }
  })

  it('a solver that stops by itself has reached its own limit', () => {
    const solution = solveSync(program, { solver: walking([point(1e-3), point(2e-3)]) })
    expect([solution.status, solution.iterations]).toEqual(['iteration-limit', 2])
    expectHonest(solution)
  })
})

describe('the answer', () => {
  it('is the iterate of lowest objective, not the last one', () => {
    const [good, bad] = [point(1e-3), point(100)]
    const values = [good, bad].map((at) => certify(program, at).primal)
    expect(values[0]).toBeLessThan(values[1]!)
    const solution = solveSync(program, { solver: walking([bad, good, bad, bad]), checkEvery: 1 })
    expect(solution.coefficients).toEqual(good.coefficients)
    expect(solution.certificate.primal).toBe(values[0])
  })

  it('is a copy of what the solver lends', () => {
    const lent = point(1e-3)
    const expected = lent.coefficients.slice()
    const solver: Solver = {
      name: 'reuses-its-buffer',
      supports: () => true,
      *iterate() {
        yield lent
        lent.coefficients.fill(7)
        yield lent
      },
    }
    expect(solveSync(program, { solver, checkEvery: 1 }).coefficients).toEqual(expected)
  })

  it('has the best bound seen, from whichever iterate', () => {
    const near = solveSync(program, { tolerance: 1e-4 })
    const far = point(100)
    const solution = solveSync(program, {
      solver: walking([{ coefficients: near.coefficients }, far]),
      checkEvery: 1,
      tolerance: 0,
      start: far,
    })
    expect(solution.certificate.dual).toBe(certify(program, { coefficients: near.coefficients }).dual)
    expectHonest(solution)
  })

  it('is recovered once, on first read', () => {
    let calls = 0
    const counting: ConvexProgram = {
      ...program,
      recover: (at) => {
        calls++
        return program.recover(at)
      },
    }
    const solution = solveSync(counting)
    expect(calls).toBe(0)
    expect(solution.model).toBe(solution.model)
    expect(calls).toBe(1)
  })

  it('is the start where that is solved already', () => {
    const best = solveSync(program, { tolerance: 1e-9 })
    const again = solveSync(program, { start: best })
    expect([again.status, again.iterations]).toEqual(['solved', 0])
    expect(again.coefficients).toEqual(best.coefficients)
  })
})

describe('divergence', () => {
  /** The squared loss that answers NaN from its calls on. */
  const failing = (calls: number, what: 'value' | 'gradient', answer = Number.NaN): typeof program => {
    let left = calls
    const { quadratic: _, ...loss } = squared().over({ rows: X.rows, columns: 1, data: Float64Array.from(y) })
    const broken: Loss = {
      ...loss,
      value: (fit) => (what === 'value' && left-- <= 0 ? answer : loss.value(fit)),
      gradient(fit, out) {
        const slope = loss.gradient(fit, out)
        return what === 'gradient' && left-- <= 0 ? slope.fill(answer) : slope
      },
    }
    return gatedReluProgram({ X, y, gates, lambda: 1e-3, loss: { name: 'failing', over: () => broken } })
  }

  it.each([
    ['value', Number.NaN],
    ['value', Number.POSITIVE_INFINITY],
    ['gradient', Number.NaN],
  ] as const)('a %s that becomes %s after some calls is a status, with the last good point', (what, answer) => {
    for (const calls of [5, 8, 20, 33]) {
      const solution = solveSync(failing(calls, what, answer), { ...endless, maxIterations: 1000, checkEvery: 1 })
      expect(solution.status).toBe('diverged')
      expect(solution.coefficients.every(Number.isFinite)).toBe(true)
      expectHonest(solution)
    }
  })

  it('an iterate with NaN in it is a status and never the answer', () => {
    const solver = walking([point(1e-3), point(Number.NaN)])
    const solution = solveSync(program, { solver, checkEvery: 1 })
    expect([solution.status, solution.iterations]).toEqual(['diverged', 2])
    expectHonest(solution)
  })
})

describe('progress', () => {
  it('comes at the start, at the first iterate, at every checkEvery-th and at the last', () => {
    const seen: number[] = []
    solveSync(program, {
      ...{ solver: proximalGradient(), tolerance: 0, maxIterations: 25, checkEvery: 10 },
      onProgress: (at) => seen.push(at.iteration),
    })
    expect(seen).toEqual([0, 1, 10, 20, 25])
  })

  it('tells of a gap that never grows and of time that never goes back', () => {
    const seen: Progress[] = []
    const solution = solveSync(program, { tolerance: 1e-8, onProgress: (at) => seen.push(at) })
    expect(seen.length).toBeGreaterThan(3)
    for (let k = 1; k < seen.length; k++) {
      expect(seen[k]!.certificate.gap).toBeLessThanOrEqual(seen[k - 1]!.certificate.gap)
      expect(seen[k]!.seconds).toBeGreaterThanOrEqual(seen[k - 1]!.seconds)
    }
    expect(seen.at(-1)!.certificate).toEqual(solution.certificate)
  })

  it('comes where the gap that a solver reckons with may be enough, or is overdue, and everywhere for whoever watches', () => {
    // Gaps are 1 / k^2.
    const solver: Solver = {
      name: 'reckoning',
      supports: () => true,
      *iterate() {
        for (let k = 1; ; k++) yield { ...point(1e-3 / k), gap: 1 / (k * k) }
      },
    }
    const certified = (tolerance: number, watched: boolean, maxIterations: number): number => {
      let made = 0
      const adjoint: typeof program.operator.adjoint = (r, out) => {
        made++
        return program.operator.adjoint(r, out)
      }
      const counted = { ...program, operator: { ...program.operator, adjoint } }
      solveSync(counted, { solver, tolerance, maxIterations, ...(watched && { onProgress: () => undefined }) })
      return made
    }
    const atZero = certified(1e-12, false, 1) - 1
    // The last one, however the work ends.
    expect(certified(1e-12, false, 20)).toBe(atZero + 1)
    expect(certified(1e-12, true, 20)).toBe(atZero + 20)
    // From 1 / k^2 <= 0.011 on, at k = 10, as the solver is wrong.
    expect(certified(0.011, false, 20)).toBe(atZero + 11)
    expect(certified(1e-12, false, 120)).toBe(atZero + 3)
  })

  it('comes when the solver says so, whatever checkEvery is, and never without a certificate at the end', () => {
    const solver: Solver = {
      name: 'advising',
      supports: () => true,
      *iterate() {
        for (let k = 1; ; k++) yield { ...point(1e-3 / k), certify: k % 4 === 0 }
      },
    }
    for (const checkEvery of [1, 10]) {
      const seen: number[] = []
      solveSync(program, {
        ...{ solver, checkEvery, tolerance: 0, maxIterations: 14 },
        onProgress: (at) => seen.push(at.iteration),
      })
      expect(seen).toEqual([0, 4, 8, 12, 14])
    }
  })

  it('steps yields it and returns the solution', async () => {
    const walk = steps(program, { solver: proximalGradient(), maxIterations: 25, tolerance: 0 })
    const seen: number[] = []
    for (;;) {
      const at = await walk.next()
      if (at.done) {
        expect(at.value.status).toBe('iteration-limit')
        expectHonest(at.value)
        break
      }
      seen.push(at.value.iteration)
    }
    expect(seen).toEqual([0, 1, 10, 20, 25])
  })

  it('leaving a loop over steps ends the work', async () => {
    let walked = 0
    const inner = proximalGradient()
    const solver: Solver = {
      ...inner,
      *iterate(at, start) {
        for (const iterate of inner.iterate(at, start)) {
          walked++
          yield iterate
        }
      },
    }
    for await (const { iteration } of steps(program, { ...endless, solver })) if (iteration === 30) break
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(walked).toBe(30)
  })
})

describe('the event loop', () => {
  it('breathes while solve works: timers fire all along', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await solve(program, { ...endless, timeLimit: 0.5 })
    clearInterval(timer)
    // One turn every 16 ms would be 31.
    expect(ticks).toBeGreaterThan(10)
  })

  it('lets two solves share the time', async () => {
    const order: string[] = []
    const watch = (name: string): SolveOptions => ({
      ...endless,
      timeLimit: 0.5,
      onProgress: () => order.at(-1) !== name && order.push(name),
    })
    await Promise.all([solve(program, watch('a')), solve(program, watch('b'))])
    expect(order.length).toBeGreaterThan(4)
  })
})

describe('options that are refused', () => {
  const start: Iterate = { coefficients: new Float64Array(program.operator.columns) }

  it.each<[SolveOptions, string]>([
    [{ tolerance: -1 }, 'solve: tolerance is -1, expected at least 0; pass for example 1e-6.'],
    [{ tolerance: Number.NaN }, 'solve: tolerance is NaN, expected at least 0; pass for example 1e-6.'],
    [{ maxIterations: 0 }, 'solve: maxIterations is 0, expected at least 1; pass for example 10000.'],
    [{ maxIterations: Number.NaN }, 'solve: maxIterations is NaN, expected at least 1; pass for example 10000.'],
    [{ checkEvery: 0 }, 'solve: checkEvery is 0, expected a positive whole number; pass for example 10.'],
    [{ checkEvery: 2.5 }, 'solve: checkEvery is 2.5, expected a positive whole number; pass for example 10.'],
    [{ timeLimit: 0 }, 'solve: timeLimit is 0, expected seconds above 0; pass for example 60.'],
    [{ timeLimit: Number.NaN }, 'solve: timeLimit is NaN, expected seconds above 0; pass for example 60.'],
    [
      { start: { coefficients: new Float64Array(3) } },
      'solve: start has 3 coefficients and gated-relu has 90; pass a point of this program.',
    ],
    [
      { start: { coefficients: start.coefficients.map(() => Number.NaN) } },
      'solve: start has entries that are not finite; pass a finite start or none.',
    ],
    [
      { solver: { ...proximalGradient(), supports: () => 'this solver takes nothing.' } },
      'solve: this solver takes nothing.',
    ],
    ...[{ max_iter: 2 }, { lambda: 1 }, { count: 5 }].map((options): [SolveOptions, string] => [
      options as SolveOptions,
      `solve: there is no option ${Object.keys(options)}; the options are solver, tolerance, maxIterations, timeLimit, checkEvery, start, signal, checkpoint, onProgress.`,
    ]),
    [{ tolerence: 1e-3 } as SolveOptions, 'solve: there is no option tolerence; did you mean tolerance?'],
  ])('%o: in a sentence', async (options, sentence) => {
    expect(solveSync(program, { start }).status).toBe('solved')
    const expected = new RangeError(sentence)
    expect(() => solveSync(program, { start, ...options })).toThrow(expected)
    await expect(solve(program, { start, ...options })).rejects.toThrow(expected)
    await expect(steps(program, { start, ...options }).next()).rejects.toThrow(expected)
  })

  it.each<[string, unknown, unknown, string]>([
    [
      'a solver by name',
      program,
      { solver: 'etaNewton' },
      'solve: solver is "etaNewton", expected a solver; pass for example proximalGradient(), or nothing.',
    ],
    [
      'a solver that was not called',
      program,
      { solver: etaNewton },
      'solve: solver is the function etaNewton, expected a solver; pass what it returns, etaNewton(), or nothing.',
    ],
    [
      'numbers to start from',
      program,
      { start: new Float64Array(90) },
      'solve: start is an object (Float64Array), expected a point; pass { coefficients } with a Float64Array, or an earlier solution.',
    ],
    [
      'no program',
      undefined,
      {},
      'solve: the program is undefined, expected a convex program; pass what one of the program functions returns.',
    ],
    [
      'a number of iterations',
      program,
      1000,
      'solve: the options are 1000, expected an object; pass one with solver, tolerance, maxIterations, timeLimit, checkEvery, start, signal, checkpoint, onProgress.',
    ],
  ])('%s: by what was given', async (_, given, options, sentence) => {
    const call = [given as typeof program, options as SolveOptions] as const
    expect(() => solveSync(...call)).toThrow(new TypeError(sentence))
    await expect(solve(...call)).rejects.toThrow(new TypeError(sentence))
  })
})

describe('explain', () => {
  const { certificate } = solveSync(program)
  const said = (status: Status, change: object = {}): string =>
    explain({ status, solver: 'proximal-gradient', iterations: 12, certificate: { ...certificate, ...change } })

  it.each<[Status, RegExp]>([
    ['solved', /^Solved by proximal-gradient in 12 iterations: .+ % above the optimum\.$/],
    ['iteration-limit', /^Stopped after 12 iterations: .+; raise maxIterations, loosen tolerance, or start from this/],
    ['time-limit', /^Stopped at the time limit after 12 iterations: .+; raise timeLimit/],
    ['aborted', /^Aborted after 12 iterations: .+; pass this solution as start to go on\.$/],
    ['diverged', /^Diverged after 12 iterations: .+; standardise the data/],
  ])('says of %s what it means and what to try', (status, sentence) => {
    expect(said(status)).toMatch(sentence)
  })

  it('turns the gap into how far above the optimum the objective can be', () => {
    // primal 1.25 and dual 1: a quarter above.
    expect(said('solved', { relativeGap: 0.2 })).toContain('at most 25 % above the optimum')
  })

  it('speaks of the KKT conditions where there is no bound', () => {
    const without = { relativeGap: 1, stationarity: 3e-8, complementarity: 1e-9 }
    expect(said('solved', without)).toContain('the KKT conditions hold to 3.0e-8')
  })

  it('fits a solution as solve returns it', () => {
    expect(explain(solveSync(gatedReluProgram({ X, y, gates, lambda: 1, penalty: ridge() })))).toMatch(
      /^Solved by least-squares in \d+ iterations/,
    )
  })
})

/** A point along a fixed direction. */
function point(size: number): Iterate {
  return { coefficients: Float64Array.from({ length: program.operator.columns }, (_, k) => size * Math.cos(k)) }
}

/** A solver that yields these points and stops. */
function walking(points: Iterate[]): Solver {
  return {
    name: 'walking',
    supports: () => true,
    *iterate() {
      yield* points
    },
  }
}

describe('stationarity on cones, which takes a projection for every block', () => {
  const made = () => reluProgram({ X, y, gates, lambda: 1e-3 })

  it('is measured of the answer, whether anybody looked on the way or not', () => {
    for (const lambda of [1e-3, 1e3])
      for (const solver of [coneNewton(), proximalGradient()]) {
        const options = { solver, maxIterations: 30 }
        const at = { ...made(), lambda }
        const alone = solveSync(at, options)
        const fresh = certify(made(), { coefficients: alone.coefficients })
        if (lambda === 1e-3)
          expect(Math.abs(alone.certificate.stationarity - fresh.stationarity)).toBeLessThanOrEqual(1e-9)
        const seen: Progress[] = []
        const watched = solveSync({ ...made(), lambda }, { ...options, onProgress: (one) => seen.push(one) })
        expect(watched.certificate.stationarity).toBeCloseTo(alone.certificate.stationarity, 9)
        expect(seen.length).toBeGreaterThan(0)
        for (const { certificate } of seen) expect(certificate.stationarity).toBeGreaterThanOrEqual(0)
      }
  })

  it('is in every progress that is iterated over', async () => {
    for await (const { certificate } of steps(made(), { maxIterations: 10 }))
      expect(certificate.stationarity).toBeGreaterThanOrEqual(0)
  })
})
