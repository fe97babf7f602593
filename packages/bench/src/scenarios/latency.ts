// How long one call takes: over each link and codec, through the gate, and with the libraries that others use.
import { callArms } from '../arms/calls.js'
import { usualCall } from '../payloads/greet.js'
import { cpuTime, latency as time, rate, type Scenario } from '../scenario.js'
import { LINK_SLOT } from './slot.js'

/** Looks for the versions of its peers when it is asked for. */
export const latency = (): Scenario => ({
  id: 'latency',
  title: 'Latency of a call',
  about:
    'greet({ name, n, tags[3] }) one at a time, with the CPU time of the whole process for each; and coming all the time, at' +
    ' half the rate that the arm was just seen to answer, each timed from when it was due',
  arms: callArms(),
  cases: [
    {
      id: '1',
      title: 'one at a time',
      task: { loop: 'calls', inFlight: 1 },
      payload: usualCall,
      figures: [time('p50', 'p50'), time('p99', 'p99'), cpuTime],
    },
    {
      id: 'open',
      title: 'open loop, half of its capacity',
      task: { loop: 'open' },
      payload: usualCall,
      figures: [
        time('p50', 'open, p50'),
        time('p99', 'open, p99'),
        time('p999', 'open, p99.9'),
        { ...rate('rate', 'offered'), aside: true },
      ],
    },
  ],
  rows: 'arms',
  ...LINK_SLOT,
})
