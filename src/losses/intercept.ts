/** @throws RangeError when an unpenalised intercept is asked for, which this loss does not have. */
export function refuseIntercept(options: { intercept?: boolean } | undefined, name: string): void {
  if (options?.intercept)
    throw new RangeError(`${name}: bias is 'unpenalised', which this loss does not take; pass bias: true.`)
}
