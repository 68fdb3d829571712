import type { Gates } from '../gates/gates.ts'
import { callOf, given } from '../numerics/given.ts'
import type { LossChoice, Model, Penalty, PenaltyChoice } from '../types.ts'

/** @throws TypeError when it is no set of gates. */
export function requireGates(gates: Gates, caller: string): void {
  if (typeof gates?.vectors !== 'object' || typeof gates.patterns !== 'object')
    throw new TypeError(`${caller}: gates is ${given(gates)}, expected gates; pass sampleGates(X, { count: 100 }).`)
}

/** @throws TypeError when it is no loss that can be put over targets. */
export function requireLoss(loss: LossChoice, caller: string): void {
  if (typeof loss?.over !== 'function')
    throw new TypeError(`${caller}: loss is ${given(loss)}, expected a loss; pass ${callOf(loss, 'squared()')}.`)
}

/** @throws TypeError when it is neither a penalty nor a choice of one. */
export function requirePenalty(penalty: PenaltyChoice | Penalty, caller: string): void {
  const { over, prox } = Object(penalty) as Partial<PenaltyChoice & Penalty>
  if (typeof over !== 'function' && typeof prox !== 'function')
    throw new TypeError(
      `${caller}: penalty is ${given(penalty)}, expected a penalty; pass ${callOf(penalty, 'groupL1()')}.`,
    )
}

/** @throws TypeError when the network is of another kind than the program's. */
export function requireKind(model: Model, kind: string, program: string): void {
  const found = model?.kind
  if (found !== kind)
    throw new TypeError(
      `embed: the network is ${typeof found === 'string' ? `a ${found}` : given(model)} and the program is ${program}; pass a ${kind}.`,
    )
}

/** @throws RangeError when it is none of the allowed ones, which may be few. */
export function requireBias(bias: unknown, allowed: readonly (boolean | 'unpenalised')[], caller: string): void {
  if (!(allowed as readonly unknown[]).includes(bias))
    throw new RangeError(
      `${caller}: bias is ${given(bias)}, expected one of ${allowed.map(given).join(', ')}; pass one of them, or nothing.`,
    )
}

/** @throws RangeError when it is no weight of a penalty. */
export function requireLambda(lambda: number, caller: string): void {
  if (!(lambda >= 0) || !Number.isFinite(lambda))
    throw new RangeError(
      `${caller}: lambda is ${given(lambda)}, expected a number of at least 0; pass for example 0.1 * lambdaMax(program).`,
    )
}
