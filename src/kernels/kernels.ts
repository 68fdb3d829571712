import { requireOptions } from '../numerics/options.ts'
/** A positive definite function of two patches that depends on <a, b>, |a|^2 and |b|^2 only. */
export interface PatchKernel {
  readonly name: string
  /** k(a, b) from the inner product and the two squared lengths. */
  of(product: number, left: number, right: number): number
  /** What a network's file keeps of it. */
  toJSON(): PatchKernelJson
}

/** A kernel, as a network's file keeps it. */
export type PatchKernelJson = { name: 'linear' } | { name: 'rbf'; gamma: number } | { name: 'inverse-polynomial' }

/** k(a, b) = <a, b>: filters are ordinary ones, on the pixels. */
export function linearKernel(): PatchKernel {
  return { name: 'linear', of: (product) => product, toJSON: () => ({ name: 'linear' }) }
}

/**
 * k(a, b) = exp(-gamma |a - b|^2). Its filters contain sinusoid-like activations of <w, a>.
 *
 * @throws RangeError when gamma is not a positive number.
 */
export function rbf(options: { gamma?: number } = {}): PatchKernel {
  requireOptions(options, { gamma: 'number' }, 'rbf')
  const { gamma = 1 } = options
  if (!(gamma > 0) || !Number.isFinite(gamma))
    throw new RangeError(`rbf: gamma is ${gamma}, expected a positive number; for patches of length 1 pass about 1.`)
  return {
    name: 'rbf',
    of: (product, left, right) => Math.exp(-gamma * Math.max(0, left + right - 2 * product)),
    toJSON: () => ({ name: 'rbf', gamma }),
  }
}

/**
 * k(a, b) = 1 / (2 - <a, b>) for |a|, |b| <= 1. Its filters contain sigma(<w, a>) for polynomials, sinusoids, the error
 * function and smoothed hinges (Zhang, Liang and Wainwright, ICML 2017); normalise the patches.
 */
export function inversePolynomial(): PatchKernel {
  return {
    name: 'inverse-polynomial',
    of(product, left, right) {
      // Rounding leaves the length of a unit patch a hair above 1.
      if (left > 1 + 1e-12 || right > 1 + 1e-12)
        throw new RangeError(
          `inversePolynomial: a patch has length ${Math.sqrt(Math.max(left, right))}, expected at most 1; cut patches with normalize: 'l2'.`,
        )
      return 1 / (2 - product)
    },
    toJSON: () => ({ name: 'inverse-polynomial' }),
  }
}

/** The kernel that `toJSON` wrote. */
export function kernelFromJson(json: PatchKernelJson): PatchKernel {
  switch (json.name) {
    case 'linear':
      return linearKernel()
    case 'rbf':
      return rbf({ gamma: json.gamma })
    case 'inverse-polynomial':
      return inversePolynomial()
  }
}
