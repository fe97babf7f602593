// The same arm twice (A/A): what differs here is the machine and the moment, and the report believes no more than that.
import { ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import type { Arm } from '../arm.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'
import { callCases } from './calls.js'

export const NOISE = 'noise'

const again = (arm: Arm): Arm => ({ ...arm, id: `${arm.id}-again`, title: `${arm.title}, again` })

/** What is called `…-again` is compared with the arm that it is again. */
export const noise: Scenario = {
  id: NOISE,
  title: 'Noise: the same thing twice (A/A)',
  about:
    'greet({ name, n, tags[3] }) by two arms that are the same: as far as they differ, nothing else can be told apart',
  main: true,
  arms: [rawPort, ringJson, again(ringJson)],
  cases: callCases(usualCall, [latency('p50', 'p50')]),
  rows: 'arms',
  // A ring that slept while others had their turns has to begin to poll.
  settleShare: 1 / 2,
}
