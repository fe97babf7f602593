// A machine that has a core less than it seems: another process takes one, and a thread that polls can only be in the way.
import { portJson, ringJson } from '../../arms/links.js'
import { rawPort } from '../../arms/raw-port.js'
import { takeOneCore } from '../../busy-core.js'
import { usualCall } from '../../payloads/greet.js'
import { latency, rate, type Scenario } from '../../scenario.js'
import { LINK_SLOT } from './slot.js'

export const busy: Scenario = {
  id: 'link-busy',
  title: 'Links: one core taken by another process',
  about: 'the same calls beside a process that takes a core; the benchmark starts it, and ends it',
  arms: [rawPort, portJson, ringJson],
  cases: [
    {
      id: '1',
      title: 'one at a time',
      task: { loop: 'calls', inFlight: 1 },
      payload: usualCall,
      figures: [latency('p50', 'p50')],
    },
    {
      id: '64',
      title: '64 in flight',
      task: { loop: 'calls', inFlight: 64 },
      payload: usualCall,
      figures: [rate('rate', '64 calls')],
    },
  ],
  rows: 'arms',
  beside: takeOneCore,
  ...LINK_SLOT,
}
