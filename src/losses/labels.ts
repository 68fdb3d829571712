import type { Matrix, Vector } from '../types.ts'

/** @throws RangeError naming the first target that is not -1 or 1. */
export function requireSigns({ data, columns }: Matrix, caller: string): void {
  for (let k = 0; k < data.length; k++)
    if (data[k] !== 1 && data[k] !== -1)
      throw new RangeError(
        `${caller}: the target in row ${Math.floor(k / columns)}, column ${k % columns} (counted from 0) is ${data[k]}, expected -1 or 1; code the two classes as -1 and 1.`,
      )
}

/**
 * Without one of the classes an intercept could fall for ever.
 *
 * @throws RangeError naming a column in which -1 or 1 has no weight; `weights` are one per entry.
 */
export function requireBothSigns({ data, columns }: Matrix, weights: Vector, caller: string): void {
  for (let column = 0; column < columns; column++)
    for (const sign of [-1, 1])
      if (!data.some((target, k) => k % columns === column && target === sign && weights[k]! > 0))
        throw new RangeError(
          `${caller}: column ${column} of the targets (counted from 0) has no ${sign} with a positive weight, and an unpenalised intercept needs both classes; pass both, or bias: true.`,
        )
}

/**
 * @throws RangeError naming a class that has no weight; `weights` are one per row.
 */
export function requireEveryClass(classes: Int32Array, count: number, weights: Vector, caller: string): void {
  for (let k = 0; k < count; k++)
    if (!classes.some((own, r) => own === k && weights[r]! > 0))
      throw new RangeError(
        `${caller}: class ${k} (counted from 0) has no row with a positive weight, and an unpenalised intercept needs every class; leave its column out, or pass bias: true.`,
      )
}

/**
 * The column of each row's one positive entry.
 *
 * @throws RangeError naming the first entry that is not -1, 0 or 1, and the first row with none or several that are 1.
 */
export function classesOf({ rows, columns, data }: Matrix, caller: string): Int32Array {
  const classes = new Int32Array(rows)
  for (let r = 0; r < rows; r++) {
    let positive = 0
    for (let k = 0; k < columns; k++) {
      const target = data[r * columns + k]!
      if (target !== 1 && target !== 0 && target !== -1)
        throw new RangeError(
          `${caller}: the target in row ${r}, column ${k} (counted from 0) is ${target}, expected 1 for the row's class and 0 or -1 elsewhere; code one column per class.`,
        )
      if (target !== 1) continue
      classes[r] = k
      positive++
    }
    if (positive !== 1)
      throw new RangeError(
        `${caller}: row ${r} (counted from 0) has ${positive} entries that are 1, expected exactly one; code one column per class.`,
      )
  }
  return classes
}
