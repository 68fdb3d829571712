import type { Family } from '../reference.ts'
import { arrangements } from './arrangements.ts'
import { ccnn } from './ccnn.ts'
import { coneProjections } from './cone-projections.ts'
import { gatedJoint } from './gated-joint.ts'
import { global, globalOptima } from './global.ts'
import { lifted } from './lifted.ts'
import { path } from './path.ts'
import { twoLayer } from './two-layer.ts'

/** Every kind of reference file that can be checked: a new one is its file and one line here. */
export const families: readonly Family[] = [
  twoLayer,
  path,
  gatedJoint,
  coneProjections,
  lifted,
  ccnn,
  global,
  globalOptima,
  arrangements,
]
