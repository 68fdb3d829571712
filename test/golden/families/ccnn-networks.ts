import * as v from 'valibot'
import {
  circularCnnProgram,
  fromRows,
  gatedCnnProgram,
  gatesFrom,
  imagePatches,
  lambdaMax,
  type Matrix,
  type Model,
  matrix,
  nuclear,
  reluCnnProgram,
  type Solution,
  solveSync,
  verify,
} from '../../../src/index.ts'
import { type Checked, numbers, type Reference, read, rowsOfNumbers } from '../reference.ts'

/** Gated and ReLU convolutional networks and the linear circular one: the rest of the ccnn family. */
export const networks: Record<string, (reference: Reference) => Checked> = {
  gated_cnn_nuclear: checkGated,
  relu_cnn_gap: checkRelu,
  circular_linear: checkCircular,
}

const allowed = { objective: 1e-8, reluObjective: 1e-6, fit: 3e-5, reluFit: 1e-5, lambdaMax: 1e-9 }
const asked = { tolerance: 1e-11, maxIterations: 1_000_000 }

const gatedFile = v.object({
  patches: v.array(rowsOfNumbers),
  gates: rowsOfNumbers,
  pooling: rowsOfNumbers,
  targets: rowsOfNumbers,
  beta: v.number(),
  betaMax: v.number(),
  expected: v.object({
    primal: v.number(),
    dual: v.number(),
    ranks: numbers,
    nuclearNorms: numbers,
    alpha: rowsOfNumbers,
    fTrain: rowsOfNumbers,
  }),
})

/** Patches as images of one column: K pixels below each other with h channels each. */
function columnsOf(patches: number[][][]): { X: Matrix; shape: { height: number; width: number; channels: number } } {
  const shape = { height: patches[0]!.length, width: 1, channels: patches[0]![0]!.length }
  return { X: fromRows(patches.map((image) => image.flat())), shape }
}

function checkGated(reference: Reference): Checked {
  const { patches, gates, pooling, targets, beta, betaMax, expected } = read(gatedFile, reference)
  const { X, shape } = columnsOf(patches)
  const patch = { size: 1 }
  const size = shape.height / pooling.length
  const averages = pooling.every((row, w) =>
    row.every((weight, p) => weight === (Math.floor(p / size) === w ? 1 / size : 0)),
  )
  if (!averages) throw new TypeError('pooling is not an average over consecutive patches')
  const scale = targets.length * targets[0]!.length
  const made = gatesFrom(fromRows(gates), imagePatches({ X, shape, patch }))
  const program = gatedCnnProgram({ X, y: targets, shape, patch, pool: { size }, gates: made, lambda: beta / scale })
  const found = solveSync(program, asked)
  const [q, h] = [targets[0]!.length * pooling.length, shape.channels]
  const norms = gates.map((_, k) =>
    nuclear({ rows: q, columns: h }).value(found.coefficients.subarray(k * q * h, (k + 1) * q * h)),
  )
  const { filters } = found.model
  return finding(reference.name, found, expected.primal, scale, allowed.objective, [
    ['the fit', largest(found.fit!, expected.fTrain.flat()), allowed.fit],
    [
      'alpha',
      largest(
        found.dual!,
        expected.alpha.flat().map((value) => value / scale),
      ) * scale,
      allowed.fit,
    ],
    ['lambda_max', Math.abs(lambdaMax(program) * scale - betaMax) / betaMax, allowed.lambdaMax],
    ['the nuclear norms', largest(norms, expected.nuclearNorms), allowed.fit],
    ['the number of filters', Math.abs(filters.rows - expected.ranks.reduce((a, b) => a + b, 0)), 0],
    ['the network', Math.abs(verify(program, found.model).network! - found.certificate.primal) * scale, 1e-9],
  ])
}

const reluFile = v.object({
  patches: v.array(rowsOfNumbers),
  targets: numbers,
  beta: v.number(),
  patterns: rowsOfNumbers,
  patternDirections: rowsOfNumbers,
  expected: v.object({ primal: v.number(), dual: v.number(), networkObjective: v.number(), fTrain: numbers }),
})

/** The file sums over patches where we average: filters are as many times as large, and lambda as many times less. */
function checkRelu(reference: Reference): Checked {
  const { patches, targets, beta, patterns, patternDirections, expected } = read(reluFile, reference)
  const { X, shape } = columnsOf(patches)
  const patch = { size: 1 }
  const all = imagePatches({ X, shape, patch })
  const gates = gatesFrom(fromRows(patternDirections), all)
  const scale = targets.length
  const program = reluCnnProgram({ X, y: targets, shape, patch, gates, lambda: beta / scale / shape.height })
  const found = solveSync(program, { ...asked, tolerance: 1e-9 })
  const differs = patterns.reduce(
    (count, pattern, k) =>
      count +
      pattern.filter(
        (on, row) => on !== Number((gates.patterns.words[k * gates.patterns.stride + (row >> 5)]! >>> (row & 31)) & 1),
      ).length,
    0,
  )
  return finding(reference.name, found, expected.primal, scale, allowed.reluObjective, [
    ['the patterns', differs, 0],
    ['the fit', largest(found.fit!, expected.fTrain), allowed.reluFit],
    ['the network', Math.abs(verify(program, found.model).network! * scale - expected.networkObjective), 1e-6],
  ])
}

const circularFile = v.object({
  X: rowsOfNumbers,
  y: numbers,
  beta: v.number(),
  expected: v.object({ convex: v.number(), nonconvexBest: v.number(), z: numbers, zhatAbs: numbers }),
})

function checkCircular(reference: Reference): Checked {
  const { X, y, beta, expected } = read(circularFile, reference)
  const scale = y.length
  const program = circularCnnProgram({ X: fromRows(X), y, lambda: beta / scale })
  const found = solveSync(program, asked)
  const d = X[0]!.length
  // What the network does to the unit rows is z.
  const unit = matrix(d, d)
  for (let k = 0; k < d; k++) unit.data[k * d + k] = 1
  return finding(reference.name, found, expected.convex, scale, allowed.objective, [
    ['z', largest(found.model.predict(unit).data, expected.z), allowed.fit],
    ['the network', Math.abs(verify(program, found.model).network! * scale - expected.nonconvexBest), 1e-8],
  ])
}

function finding(
  name: string,
  { certificate, status, seconds }: Solution<Model>,
  expected: number,
  scale: number,
  objective: number,
  measured: readonly (readonly [string, number, number])[],
): Checked {
  const got = certificate.primal * scale
  const error = Math.abs(got - expected) / (1 + Math.abs(expected))
  const above = (certificate.dual * scale - expected) / (1 + Math.abs(expected))
  const all = [
    ['the objective', error, objective],
    ['the bound above the optimum', above, objective],
    ...measured,
  ] as const
  const misses = all.flatMap(([what, value, most]) =>
    value <= most ? [] : [`the error of ${what} is ${value.toExponential(2)}, allowed is ${most.toExponential(0)}`],
  )
  if (status !== 'solved') misses.unshift(`the solver ended with status ${status}`)
  return { kind: 'checked', name, expected, got, error, gap: certificate.relativeGap, seconds, misses }
}

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN
  let most = 0
  for (let k = 0; k < a.length; k++) most = Math.max(most, Math.abs(a[k]! - b[k]!))
  return most
}
