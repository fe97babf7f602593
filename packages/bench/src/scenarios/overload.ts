// More than can be done. What refuses nothing answers ever later; what refuses some answers the rest in time.
import { busArm } from '../arms/bus.js'
import { isolationRingJson, portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { workingCall } from '../payloads/greet.js'
import { latency, rate, type Scenario } from '../scenario.js'
import { LINK_SLOT } from './slot.js'

const REFUSES = { window: 256, overflow: 'reject' } as const

export const overload: Scenario = {
  id: 'overload',
  title: 'Twice as many calls as can be answered',
  about:
    'calls of 20 µs of work in core, offered at twice the rate that the arm was just seen to answer, each timed from when' +
    ' it was due; by default a client lets 65 536 calls wait, and with a window of 256 that rejects it refuses what is more',
  arms: [
    rawPort,
    portJson,
    ringJson,
    busArm('ring-json-rejects', 'ring JSON, rejects', { codec: 'json', link: 'ring', ...REFUSES }),
    isolationRingJson,
    busArm('isolation-ring-json-rejects', 'isolation, rejects', {
      codec: 'json',
      link: 'ring',
      hook: 'check',
      ...REFUSES,
    }),
  ],
  cases: [
    {
      id: 'twice',
      title: 'twice',
      task: { loop: 'overload' },
      payload: workingCall,
      figures: [
        rate('rate', 'answered'),
        { id: 'refused', title: 'refused', unit: '%', better: 'lower' },
        latency('p99', 'answered, p99'),
      ],
    },
  ],
  rows: 'arms',
  ...LINK_SLOT,
}
