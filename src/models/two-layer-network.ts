import type { GatedReluNetwork } from './gated-relu-network.ts'
import type { ReluNetwork } from './relu-network.ts'

/** What a two-layer program trains; `kind` tells them apart. */
export type TwoLayerNetwork = GatedReluNetwork | ReluNetwork
