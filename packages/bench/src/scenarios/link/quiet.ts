// The call itself on a quiet machine: each link and codec, the gate over them, and the libraries that others use.
import {
  isolationPortJson,
  isolationRingJson,
  isolationRingMsgpack,
  portJson,
  ringJson,
  ringMsgpack,
} from '../../arms/links.js'
import { peerArms } from '../../arms/peer.js'
import { rawPort } from '../../arms/raw-port.js'
import { usualCall } from '../../payloads/greet.js'
import { cpuTime, latency, rate, type Scenario } from '../../scenario.js'
import { LINK_SLOT } from './slot.js'

/** Looks for the versions of its peers when it is asked for. */
export const quiet = (): Scenario => ({
  id: 'link-quiet',
  title: 'Links: a call, the machine quiet',
  about:
    'greet({ name, n, tags[3] }) one at a time (p50) and 64 in flight, and the CPU time of the whole process for each',
  arms: [
    rawPort,
    ...peerArms(),
    portJson,
    ringJson,
    ringMsgpack,
    isolationPortJson,
    isolationRingJson,
    isolationRingMsgpack,
  ],
  cases: [
    {
      id: '1',
      title: 'one at a time',
      task: { loop: 'calls', inFlight: 1 },
      payload: usualCall,
      figures: [latency('p50', 'p50'), cpuTime],
    },
    {
      id: '64',
      title: '64 in flight',
      task: { loop: 'calls', inFlight: 64 },
      payload: usualCall,
      figures: [rate('rate', '64 calls'), cpuTime],
    },
  ],
  rows: 'arms',
  ...LINK_SLOT,
})
