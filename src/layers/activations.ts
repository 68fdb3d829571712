import type { Activation, ActivationName } from './activation.ts'
import { clip } from './clip.ts'
import { elu } from './elu.ts'
import { identity } from './identity.ts'
import { leakyRelu } from './leaky-relu.ts'
import { relu } from './relu.ts'
import { sigmoid } from './sigmoid.ts'
import { softThreshold } from './soft-threshold.ts'
import { softplus } from './softplus.ts'
import { tanh } from './tanh.ts'

/** Activations by name: a new one is its file, its name and one line here. */
export const activations: Readonly<Record<ActivationName, (options?: Record<string, number>) => Activation>> = {
  relu,
  'leaky-relu': leakyRelu,
  identity,
  sigmoid,
  tanh,
  elu,
  softplus,
  clip,
  'soft-threshold': softThreshold,
}
