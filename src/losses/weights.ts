import { given } from '../numerics/given.ts'
import type { OptionKinds } from '../numerics/options.ts'
import type { Matrix, Vector } from '../types.ts'
import { classesOf } from './labels.ts'

/** What rows count in a loss. */
export interface SampleWeights {
  /** What each row counts, one non-negative number per row, used as given; default 1. */
  sampleWeights?: ArrayLike<number>
}

/** What rows and classes count in a loss. */
export interface ClassWeights extends SampleWeights {
  /**
   * What the rows of each class count, used as given, times the row's own weight; default 1. For one column of -1 and 1:
   * [negative, positive]. For several: one per column, and a row counts by the column of its one positive entry.
   */
  classWeights?: readonly number[]
}

/** Every name of `SampleWeights`. */
export const sampleWeightNames: OptionKinds<SampleWeights> = { sampleWeights: true }

/** Every name of `ClassWeights`. */
export const classWeightNames: OptionKinds<ClassWeights> = { sampleWeights: true, classWeights: true }

/** One weight per row. */
export function rowWeights(rows: number, { sampleWeights }: SampleWeights, caller: string): Vector {
  if (sampleWeights === undefined) return new Float64Array(rows).fill(1)
  requireList(sampleWeights, 'sampleWeights', caller)
  if (sampleWeights.length !== rows)
    throw new RangeError(
      `${caller}: there are ${sampleWeights.length} sampleWeights and the targets have ${rows} rows; pass one per row.`,
    )
  return checked(sampleWeights, 'sampleWeights', caller)
}

/** One weight per row, times that of its class; `classes` holds the class of each row, of `count`. */
export function classRowWeights(
  classes: ArrayLike<number>,
  count: number,
  options: ClassWeights,
  caller: string,
): Vector {
  const weights = rowWeights(classes.length, options, caller)
  const { classWeights } = options
  if (classWeights === undefined) return weights
  requireList(classWeights, 'classWeights', caller)
  if (classWeights.length !== count)
    throw new RangeError(
      `${caller}: there are ${classWeights.length} classWeights and ${count} classes; pass one per class.`,
    )
  const perClass = checked(classWeights, 'classWeights', caller)
  return weights.map((weight, r) => weight * perClass[classes[r]!]!)
}

/** One weight per row of targets -1 and 1, by their sign in one column and by the positive column in several. */
export function signedRowWeights(targets: Matrix, options: ClassWeights, caller: string): Vector {
  const { rows, columns, data } = targets
  if (options.classWeights === undefined) return rowWeights(rows, options, caller)
  return columns === 1
    ? classRowWeights(
        data.map((target) => (target > 0 ? 1 : 0)),
        2,
        options,
        caller,
      )
    : classRowWeights(classesOf(targets, caller), columns, options, caller)
}

/** A weight per entry from one per row, divided by the `count` of a mean. */
export function entryWeights(weights: Vector, columns: number, count: number): Vector {
  return Float64Array.from({ length: weights.length * columns }, (_, k) => weights[Math.floor(k / columns)]! / count)
}

function requireList(weights: ArrayLike<number>, name: string, caller: string): void {
  if (typeof weights !== 'object' || typeof weights?.length !== 'number')
    throw new TypeError(
      `${caller}: ${name} is ${given(weights)}, expected an array of numbers; pass one, or leave it out.`,
    )
}

function checked(weights: ArrayLike<number>, name: string, caller: string): Vector {
  for (let r = 0; r < weights.length; r++)
    if (!(weights[r]! >= 0) || !Number.isFinite(weights[r]!))
      throw new RangeError(
        `${caller}: ${name}[${r}] is ${weights[r]}, expected a finite number of at least 0; pass 0 to leave it out.`,
      )
  return Float64Array.from(weights)
}
