/** A seeded source of numbers; the same seed gives the same draws on every machine. */
export interface Random {
  /** Uniform on [0, 1), 53 bits. */
  uniform(): number
  /** A whole number, uniform on 0 .. bound - 1. */
  below(bound: number): number
  /** Standard normal. */
  normal(): number
  /** 0 .. count - 1 in random order. */
  permutation(count: number): Int32Array
}

/**
 * xoshiro128** (Blackman and Vigna 2021, ACM TOMS 47(4)), seeded through splitmix32; normals by Marsaglia's polar method.
 *
 * @throws RangeError when the seed is not a whole number in 0 .. 2^53 - 1.
 */
export function random(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`seed is ${seed}, expected a whole number from 0 to 2^53 - 1; pass for example seed: 1.`)
  let mix = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1)
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) | 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return z ^ (z >>> 15)
  }
  // a, b, c, d: the 128 bits of state, never all zero
  let a = splitmix()
  let b = splitmix()
  let c = splitmix()
  let d = splitmix() | 1
  const next = (): number => {
    const rotated = Math.imul(b, 5)
    const result = Math.imul((rotated << 7) | (rotated >>> 25), 9)
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return result >>> 0
  }
  const uniform = (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992
  const below = (bound: number): number => Math.floor(uniform() * bound)
  let spare = Number.NaN
  return {
    uniform,
    below,
    normal() {
      if (!Number.isNaN(spare)) {
        const kept = spare
        spare = Number.NaN
        return kept
      }
      for (;;) {
        const x = 2 * uniform() - 1
        const y = 2 * uniform() - 1
        const s = x * x + y * y
        if (s > 0 && s < 1) {
          const factor = Math.sqrt((-2 * Math.log(s)) / s)
          spare = y * factor
          return x * factor
        }
      }
    },
    permutation(count) {
      const order = Int32Array.from({ length: count }, (_, k) => k)
      for (let k = count - 1; k > 0; k--) {
        const other = below(k + 1)
        const held = order[k]!
        order[k] = order[other]!
        order[other] = held
      }
      return order
    },
  }
}
