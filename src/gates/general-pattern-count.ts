/**
 * How many activation patterns n rows of rank r have in general position:  2 sum_{k<r} C(n-1, k) , the pattern that is off on
 * every row included; rows that are not in general position have fewer. What `enumerateGates` would have to list.
 *
 * Cover 1965, IEEE Trans. Electron. Comput. EC-14(3).
 *
 * @throws RangeError when an argument is not a whole number of at least 1.
 */
export function generalPatternCount(rows: number, rank: number): number {
  for (const [name, value] of Object.entries({ rows, rank }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`generalPatternCount: ${name} is ${value}, expected a whole number of at least 1.`)
  let total = 0
  let choose = 1
  for (let k = 0; k < Math.min(rows, rank); k++) {
    total += choose
    choose = (choose * (rows - 1 - k)) / (k + 1)
  }
  return 2 * total
}
