// Events in both directions. Nobody answers one, so both sides count.
import { isolationRingJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { rate, type Case, type Scenario } from '../scenario.js'

export const oneWay = (id: 'in' | 'out', title: string): Case => ({
  id,
  title,
  task: { loop: `events-${id}` },
  payload: usualCall,
  figures: [rate('rate', 'events')],
})

export const events: Scenario = {
  id: 'events',
  title: 'Events',
  about: 'events a second (at most 1024 on their way), every one counted; the reference is one postMessage for each',
  main: true,
  arms: [rawPort, ringJson, isolationRingJson],
  cases: [oneWay('in', 'core → frontend'), oneWay('out', 'frontend → core')],
  rows: 'cases',
}
