// What the bus's own code costs: the only scenario in which no thread waits for another.
import { oneThreadJson, oneThreadMsgpack, oneThreadRaw } from '../arms/one-thread.js'
import { usualCall } from '../payloads/greet.js'
import { cpuTime, rate, type Scenario } from '../scenario.js'

export const oneThread: Scenario = {
  id: 'one-thread',
  title: 'Calls within one thread',
  about:
    'greet({ name, n, tags[3] }), 64 in flight, client and core in one thread with a port between them: the bus’s own code,' +
    ' without what threads add',
  arms: [oneThreadRaw, oneThreadJson, oneThreadMsgpack],
  cases: [
    {
      id: '64',
      title: '64 in flight',
      task: { loop: 'calls', inFlight: 64 },
      payload: usualCall,
      figures: [rate('rate', '64 calls'), cpuTime],
    },
  ],
  rows: 'arms',
  share: 4,
}
