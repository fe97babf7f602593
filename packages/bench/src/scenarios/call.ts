// The call itself: what JSON-RPC, msgpack, the hook and the cipher add to a bare MessagePort, one thing at a time.
import { brownfieldJson, brownfieldMsgpack, hookJson, isolationJson, isolationMsgpack, passJson } from '../arms/bus.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { latency, rate, type Case, type Scenario } from '../scenario.js'

const inFlight = (count: number): Case => ({
  id: String(count),
  title: `${count} in flight`,
  task: { loop: 'calls', inFlight: count },
  payload: usualCall,
  figures: [rate('rate', `${count} calls`)],
})

const alone: Case = {
  ...inFlight(1),
  title: 'one at a time',
  figures: [latency('p50', 'p50'), latency('p99', 'p99'), rate('rate', '1 call')],
}

export const call: Scenario = {
  id: 'call',
  title: 'A call and its answer',
  about: 'greet({ name, n, tags[3] }), one at a time (latency) and with more in flight (calls per second)',
  arms: [rawPort, brownfieldJson, brownfieldMsgpack, passJson, hookJson, isolationJson, isolationMsgpack],
  cases: [alone, inFlight(8), inFlight(64), inFlight(512)],
  rows: 'arms',
}
