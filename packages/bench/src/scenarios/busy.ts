// A machine that has a core less than it seems: another process takes one, and a thread that polls can only be in the way.
import { portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { takeOneCore } from '../run/busy-core.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'
import { callCases } from './calls.js'
import { LINK_SLOT } from './slot.js'

export const busy: Scenario = {
  id: 'busy',
  title: 'One core taken by another process',
  about: 'the same calls beside a process that takes a core; the benchmark starts it, and ends it',
  arms: [rawPort, portJson, ringJson],
  cases: callCases(usualCall, [latency('p50', 'p50')]),
  rows: 'arms',
  beside: takeOneCore,
  ...LINK_SLOT,
}
