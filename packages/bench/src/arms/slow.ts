// Arms that are each measured in a process of their own, so that the memory that grows is theirs.
import type { Arm } from '../arm.js'
import { measureApart } from './apart.js'
import { isolationRingJson, portJson, ringJson } from './links.js'
import { rawPort } from './raw-port.js'

export const SLOW_ARMS: readonly [Arm, ...Arm[]] = [rawPort, portJson, ringJson, isolationRingJson]

const apart = (arm: Arm): Arm => ({
  ...arm,
  open: async () => ({ measure: ({ ms }) => measureApart('slow-host', [arm.id, String(ms)]), close: async () => {} }),
})

const [reference, ...others] = SLOW_ARMS
export const slowArms: readonly [Arm, ...Arm[]] = [apart(reference), ...others.map(apart)]
