import * as v from 'valibot'
import {
  type ConvexProgram,
  certify,
  featureGroupL1,
  fromRows,
  gatedReluProgram,
  gatesFrom,
  groupL1,
  l1,
  type PenaltyChoice,
  type ReluNetwork,
  reluProgram,
  ridge,
  solveSync,
  type Vector,
  verify,
} from '../../../src/index.ts'
import { norm, scaled, squaredDistance } from '../../../src/numerics/vectors.ts'
import { activeGroups, compare, transposed } from '../compare.ts'
import { type Checked, type Family, numbers, partialTolerances, read, rowsOfNumbers } from '../reference.ts'
import { asked, tolerances } from '../tolerances.ts'

/** Gated ReLU and ReLU programs with given gates, loss |fit - Y|^2 / (2 n c): one problem and one lambda a file. */
export const twoLayer: Family = {
  family: 'two-layer',
  *check(reference) {
    const { name } = reference
    yield name.startsWith('relu_')
      ? checkRelu(name, read(reluFile, reference))
      : checkGated(name, read(gatedFile, reference))
  },
}

const common = {
  formulation: v.string(),
  d: v.number(),
  c: v.number(),
  X: rowsOfNumbers,
  y: v.union([numbers, rowsOfNumbers]),
  G: rowsOfNumbers,
  lambda: v.number(),
  lambdaMax: v.optional(v.number()),
  optimum: v.object({
    objective: v.number(),
    tolerance: v.optional(v.number()),
    activeGroups: v.optional(v.number()),
  }),
  tolerances: partialTolerances,
}
const fitted = v.union([numbers, rowsOfNumbers])
/** U, V and W are [output][gate][feature]. */
const gatedFile = v.object({ ...common, solution: v.optional(v.object({ U: v.array(rowsOfNumbers), fitted })) })
const reluFile = v.object({
  ...common,
  solution: v.optional(v.object({ V: v.array(rowsOfNumbers), W: v.array(rowsOfNumbers), fitted })),
})

function checkGated(name: string, file: v.InferOutput<typeof gatedFile>): Checked {
  const { d, optimum, solution } = file
  const X = fromRows(file.X)
  const { penalty, factor, finite } = penaltyOf(file.formulation, d)
  const program = gatedReluProgram({
    X,
    y: file.y,
    gates: gatesFrom(transposed(file.G), X),
    lambda: file.lambda * factor,
    penalty,
  })
  const found = solveSync(program, { tolerance: asked, maxIterations: 1_000_000 })
  const checked = compare(name, found, {
    objective: optimum.objective,
    accuracy: optimum.tolerance,
    ...(solution && { fit: Float64Array.from(solution.fitted.flat()) }),
    // A group here is one gate and output, whatever the penalty groups.
    ...(optimum.activeGroups !== undefined && { active: { size: d, expected: optimum.activeGroups } }),
    ...(finite && file.lambdaMax !== undefined && { lambdaMax: file.lambdaMax * factor }),
    tolerances: file.tolerances,
  })
  const own = solution ? certifiesReference(program, gateMajor(solution.U)) : []
  return { ...checked, misses: [...checked.misses, ...own] }
}

function checkRelu(name: string, file: v.InferOutput<typeof reluFile>): Checked {
  const { d, optimum, solution } = file
  const X = fromRows(file.X)
  const gates = gatesFrom(transposed(file.G), X)
  const program = reluProgram({ X, y: file.y, gates, lambda: file.lambda })
  const found = solveSync(program, { tolerance: asked, maxIterations: 1_000_000 })
  const checked = compare(name, found, {
    objective: optimum.objective,
    accuracy: optimum.tolerance,
    ...(solution && { fit: Float64Array.from(solution.fitted.flat()) }),
    ...(optimum.activeGroups !== undefined && !solution && { active: { size: d, expected: optimum.activeGroups } }),
    ...(file.lambdaMax !== undefined && { lambdaMax: file.lambdaMax }),
    tolerances: file.tolerances,
  })
  const pairs = solution?.V.map((gatesOfOutput, k) => gatesOfOutput.map((v, i) => [v, solution.W[k]![i]!]))
  const misses = [...checked.misses, ...agreesWithNetwork(program, found.model)]
  if (pairs) {
    const point = signMajor(pairs)
    misses.push(
      ...certifiesReference(program, point),
      ...sameNeurons(found.coefficients, point, d, optimum.activeGroups),
    )
  }
  return { ...checked, misses }
}

/**
 * As many neurons as the reference has. One on a face that two patterns share may be split between them, so what is compared is
 * the number of directions; the file's count of groups is that of its own point.
 */
function sameNeurons(ours: Vector, reference: Vector, d: number, groups: number | undefined): string[] {
  const misses: string[] = []
  const counted = activeGroups(reference, d).length
  if (groups !== undefined && counted !== groups)
    misses.push(`${counted} groups of the reference's own point are active, the file says ${groups}`)
  const [found, wanted] = [directions(ours, d), directions(reference, d)]
  if (found !== wanted) misses.push(`${found} directions are active, expected ${wanted}`)
  return misses
}

/** The directions of the active groups, those that are the same counted once. */
function directions(u: Vector, d: number): number {
  const found: Vector[] = []
  for (const group of activeGroups(u, d)) {
    const part = u.subarray(group * d, (group + 1) * d)
    const unit = scaled(part, 1 / norm(part))
    if (!found.some((other) => squaredDistance(unit, other) < 1e-8)) found.push(unit)
  }
  return found.length
}

/** The recovered network pays what the convex program says, and no neuron leaves its cone. */
function agreesWithNetwork(program: ConvexProgram<ReluNetwork>, network: ReluNetwork): string[] {
  const { difference, program: at } = verify(program, network)
  const misses: string[] = []
  if (!(Math.abs(difference!) <= 1e-10 * at.primal))
    misses.push(`the network's objective differs by ${difference!.toExponential(2)}`)
  if (!(at.primalFeasibility <= tolerances.feasibility))
    misses.push(`the network is outside its cones by ${at.primalFeasibility.toExponential(2)}`)
  return misses
}

/** [output][gate][feature] as our coefficients: gate, output, feature. */
function gateMajor(U: readonly (readonly (readonly number[])[])[]): Float64Array {
  const gates = U[0]?.length ?? 0
  return Float64Array.from(Array.from({ length: gates }, (_, i) => U.map((gate) => gate[i]!)).flat(2))
}

/** [output][gate][sign][feature] as our coefficients: gate, sign, output, feature. */
function signMajor(pairs: readonly (readonly (readonly (readonly number[])[])[])[]): Float64Array {
  const gates = pairs[0]?.length ?? 0
  return Float64Array.from(
    Array.from({ length: gates }, (_, i) => [0, 1].map((sign) => pairs.map((gate) => gate[i]![sign]!))).flat(3),
  )
}

/** The certificate of the reference's own point, which no solver of ours has touched, must close too. */
function certifiesReference(program: ConvexProgram, coefficients: Float64Array): string[] {
  const { relativeGap, stationarity } = certify(program, { coefficients })
  const off = program.lambda > 0 ? relativeGap : stationarity
  return off <= tolerances.gap ? [] : [`the reference's own point is certified only to ${off.toExponential(2)}`]
}

/** The penalty that the file's formula states, and what its lambda is multiplied by to be ours. */
function penaltyOf(formulation: string, d: number): { penalty: PenaltyChoice; factor: number; finite: boolean } {
  const has = (text: string): boolean => formulation.includes(text)
  const norm = { factor: 1, finite: true }
  if (has('lambda * sqrt(d) * sum_{j=1..d} || U_{:,j,:} ||_F'))
    return { ...norm, penalty: featureGroupL1(), factor: Math.sqrt(d) }
  if (has('lambda * ||U||_1')) return { ...norm, penalty: l1() }
  // The zero network is optimal at no finite lambda.
  if (has('(lambda/2) * ||U||_F^2')) return { penalty: ridge(), factor: 1, finite: false }
  if (has('lambda * sum_{i=1..P} || U_i ||_F')) return { ...norm, penalty: groupL1({ joint: true }) }
  if (has('lambda * sum_{k=1..c} sum_{i=1..P} || U_{i,:,k} ||_2')) return { ...norm, penalty: groupL1() }
  throw new RangeError(`formulation is "${formulation}", expected one of the five penalties of gated programs`)
}
