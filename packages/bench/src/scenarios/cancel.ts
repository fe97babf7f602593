// How long it takes to give up: until the caller goes on, and until the handler can stop.
import { isolationRingJson, portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'
import { SHORT_SLOT } from './slot.js'

export const cancel: Scenario = {
  id: 'cancel',
  title: 'A call that is cancelled',
  about:
    'from `abort()` until the call has rejected, and until its handler’s signal aborts; the reference rejects by itself,' +
    ' and posts a message that aborts a controller',
  arms: [rawPort, portJson, ringJson, isolationRingJson],
  cases: [
    {
      id: 'cancel',
      title: 'cancel',
      task: { loop: 'cancel' },
      payload: usualCall,
      figures: [latency('settled', 'rejected'), latency('signal', 'handler’s signal')],
    },
  ],
  rows: 'arms',
  ...SHORT_SLOT,
}
