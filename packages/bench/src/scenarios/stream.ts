// One-way messages: events in both directions, and a channel that core fills.
import { brownfieldJson, isolationJson } from '../arms/bus.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { rate, type Case, type Scenario } from '../scenario.js'
import type { Loop } from '../task.js'

const oneWay = (id: string, loop: Loop, title: string): Case => ({
  id,
  title,
  task: { loop },
  payload: usualCall,
  figures: [rate('rate', 'messages')],
})

export const stream: Scenario = {
  id: 'stream',
  title: 'One-way messages',
  about: 'events (at most 1024 on their way) and messages of a channel, per second; every one is counted',
  arms: [rawPort, brownfieldJson, isolationJson],
  cases: [
    oneWay('events-in', 'events-in', 'events, core → frontend'),
    oneWay('events-out', 'events-out', 'events, frontend → core'),
    oneWay('channel', 'stream', 'channel, core → frontend'),
  ],
  rows: 'cases',
}
