// The memory that a frontend takes, in a host of its own.
import type { Arm } from '../arm.js'
import { measureApart } from './apart.js'

/** @param sandbox a name of `SANDBOXES`, or `isolation` */
export const memoryArm = (sandbox: string, title: string): Arm => ({
  id: sandbox,
  title,
  open: async () => ({ measure: () => measureApart('memory-host', [sandbox]), close: async () => {} }),
})
