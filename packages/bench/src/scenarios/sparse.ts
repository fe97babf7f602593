// Calls that come now and then, and find everything asleep.
import { portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'
import { LINK_SLOT } from './slot.js'

export const sparse: Scenario = {
  id: 'sparse',
  title: 'One call each 4 ms',
  about: 'the same call after a pause of 4 ms, in which threads fall asleep and code leaves the caches',
  arms: [rawPort, portJson, ringJson],
  cases: [
    {
      id: '4ms',
      title: 'one each 4 ms',
      task: { loop: 'sparse' },
      // Few calls as these are, their code would not be compiled within the run.
      warmUp: { loop: 'calls' },
      payload: usualCall,
      figures: [latency('p50', 'p50'), latency('p99', 'p99')],
    },
  ],
  rows: 'arms',
  ...LINK_SLOT,
  share: 16,
  warmUpShare: 1.5,
}
