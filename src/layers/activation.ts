/**
 * An activation phi as the argmin of a convex problem,
 *
 *     phi(u) = argmax_v u v - Phi(v),    Phi(v) + Phi*(u) >= u v, with equality exactly where v = phi(u),
 *
 * so phi is non-decreasing, phi = (dPhi)^-1 = (Phi*)', and with f = Phi - v^2/2 it is prox_f wherever phi is
 * 1-Lipschitz. Everything is of one number; a layer applies it entry by entry.
 */
export interface Activation {
  readonly name: ActivationName
  /** What `name` leaves open, such as the slope of a leaky ReLU: the options its factory takes. */
  readonly options?: Readonly<Record<string, number>>
  /** Smallest L with |phi(u) - phi(w)| <= L |u - w|; Phi is then (1/L)-strongly convex. */
  readonly lipschitz: number
  /** phi(u) */
  value(u: number): number
  /** One s with phi(s) = v, a subgradient of Phi at v; at the ends of an open range the largest that is finite. */
  inverse(v: number): number
  /** Phi(v), Infinity outside the closure of phi's range. */
  potential(v: number): number
  /** Phi*(u) = sup_v u v - Phi(v) */
  conjugate(u: number): number
  /** phi'(u), one of its one-sided values at a kink. */
  slope(u: number): number
  /**
   * argmin_v share f(v) + (v - x)^2 / 2 for a share in [0, 1], f = Phi - v^2/2: phi itself at share 1. Present where
   * there is a closed form; node problems are then solved with momentum, and free outputs at once.
   */
  shrink?(x: number, share: number): number
}

/** The activations by the names that models, files and the command line use. */
export type ActivationName =
  | 'relu'
  | 'leaky-relu'
  | 'identity'
  | 'sigmoid'
  | 'tanh'
  | 'elu'
  | 'softplus'
  | 'clip'
  | 'soft-threshold'
