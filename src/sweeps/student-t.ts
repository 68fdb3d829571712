/** Student's t distribution. */
export interface StudentT {
  /** P(T <= t) */
  cdf(t: number, degreesOfFreedom: number): number
  /** The t below which a share p lies. */
  quantile(p: number, degreesOfFreedom: number): number
}

/**
 * The distribution, from two packages that are optional peers.
 *
 * @throws Error naming them where they are not installed.
 */
export async function studentT(caller: string): Promise<StudentT> {
  try {
    const [{ default: cdf }, { default: quantile }] = await Promise.all([
      import('@stdlib/stats-base-dists-t-cdf'),
      import('@stdlib/stats-base-dists-t-quantile'),
    ])
    return { cdf, quantile }
  } catch (cause) {
    const packages = '@stdlib/stats-base-dists-t-cdf @stdlib/stats-base-dists-t-quantile'
    throw new Error(`${caller}: Student's t distribution is not installed; run npm install ${packages}.`, { cause })
  }
}
