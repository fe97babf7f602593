// What an arm takes while it does nothing: opened in a process of its own, used for a moment, and left alone.
import type { Arm } from '../arm.js'
import { measureApart } from './apart.js'

/** The same arm, measured while it is silent: CPU in % of a core, and resident memory. */
export const idle = (arm: Arm): Arm => ({
  ...arm,
  open: async () => ({
    measure: ({ ms, settleMs = 0 }) => measureApart('idle-host', [arm.id, String(ms), String(settleMs)]),
    close: async () => {},
  }),
})
