// What the isolation pattern costs, one thing at a time: the way through the gate, the hook, the cipher. The report makes its
// decomposition of these arms.
import { hookRingJson, passRingJson } from '../arms/bus.js'
import { isolationRingJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'
import { callCases } from './calls.js'
import { SHORT_SLOT } from './slot.js'

export const isolation: Scenario = {
  id: 'isolation',
  title: 'What isolation adds to a call',
  about: 'greet({ name, n, tags[3] }) over rings with JSON, one at a time and 64 in flight; each arm adds one thing',
  main: true,
  arms: [rawPort, ringJson, passRingJson, hookRingJson, isolationRingJson],
  cases: callCases(usualCall, [latency('p50', 'p50'), latency('p99', 'p99')]),
  rows: 'arms',
  ...SHORT_SLOT,
}
