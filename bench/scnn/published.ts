/**
 * Processor seconds of scnn (commit 9150402, NumPy, one thread of an AMD EPYC Zen 4) to a relative distance of 1e-3 and
 * of 1e-6 from the certified optimum, for where scnn itself is not at hand; null is never.
 */
export const published: Readonly<Record<string, Readonly<Record<string, Readonly<Record<Dtype, Pair>>>>>> = {
  planted_s: {
    '0.1': { float64: [0.65, 1.54], float32: [0.3, 0.76] },
    '0.01': { float64: [3.25, 6.64], float32: [1.23, null] },
    '0.001': { float64: [11.12, 24.69], float32: [5.01, null] },
  },
  breast_cancer: {
    '0.1': { float64: [0.37, 0.86], float32: [0.2, null] },
    '0.01': { float64: [3.11, 6.75], float32: [1.46, null] },
    '0.001': { float64: [12.36, 28.91], float32: [null, null] },
  },
  planted_m: {
    '0.1': { float64: [7.89, 17.4], float32: [3.39, 11.09] },
    '0.01': { float64: [24.02, 54.63], float32: [12.42, null] },
    '0.001': { float64: [103.51, null], float32: [44.55, null] },
  },
}

type Dtype = 'float64' | 'float32'
type Pair = readonly [number | null, number | null]
