// Polling takes turns of the event loop. Does the host's own HTTP server, in the same thread, feel it?
import { httpNotPolled, httpPolled } from '../arms/http.js'
import { usualCall } from '../payloads/greet.js'
import { latency, rate, type Case, type Scenario } from '../scenario.js'
import type { Pace } from '../task.js'
import { LINK_SLOT } from './slot.js'

const beside = (pace: Pace, title: string): Case => ({
  id: pace,
  title,
  task: { loop: 'http', pace },
  payload: usualCall,
  figures: [latency('p99', 'HTTP p99'), latency('p50', 'HTTP p50'), rate('rate', 'its calls')],
})

export const http: Scenario = {
  id: 'http',
  title: 'The host’s own HTTP server, beside its calls',
  about:
    'requests from another thread to a server in the host’s thread, which calls its bus meanwhile: 8 calls each' +
    ' millisecond (paced), then call after call (restless); the reference does not poll',
  arms: [httpNotPolled, httpPolled],
  cases: [beside('paced', 'paced'), beside('restless', 'restless')],
  rows: 'arms',
  ...LINK_SLOT,
}
