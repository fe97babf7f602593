// Where the arms of a scenario open: in a fresh process for each part of the rounds, or, in tests, here.
import type { Arm, OpenArm } from '../arm.js'
import type { Scenario } from '../scenario.js'

export interface Launched {
  open(scenario: Scenario, arm: Arm): Promise<OpenArm>
  /** Ends whatever is still open. */
  end(): Promise<void>
}

/** Starts a place of its own for the arms of one scenario. */
export type Launch = () => Promise<Launched>

/** In this process: nothing is fresh but what an arm starts itself. */
export const launchHere: Launch = async () => ({ open: (_, arm) => arm.open(), end: async () => {} })
