// What a frontend's sandbox costs: its calls, its start, and its memory. A call is a part of every run; the others take their
// time, and are measured when they are asked for.
import { sandboxArms, sandboxMemory, sandboxStarts } from '../arms/sandboxes.js'
import { clockedCall, greet } from '../payloads/greet.js'
import { latency, rate, type Scenario } from '../scenario.js'

export const sandbox: Scenario = {
  id: 'sandbox',
  title: 'A call from each sandbox',
  about:
    'greet({ name, n, tags[3] }), one at a time and 64 in flight, by the clock of core; the reference has no sandbox',
  arms: sandboxArms,
  cases: [
    {
      id: '1',
      title: 'one at a time',
      task: { loop: 'calls', inFlight: 1 },
      payload: clockedCall,
      figures: [latency('p50', 'p50'), latency('p99', 'p99')],
    },
    {
      id: '64',
      title: '64 in flight',
      task: { loop: 'calls', inFlight: 64 },
      payload: clockedCall,
      figures: [rate('rate', '64 calls')],
    },
  ],
  rows: 'arms',
  share: 2,
  settleShare: 0.5,
  roundsShare: 0.5,
  warmUpShare: 0.5,
}

export const sandboxStart: Scenario = {
  id: 'sandbox-start',
  title: 'The start of each sandbox',
  about: 'from createBus to the first reply in the frontend; the reference has no sandbox',
  arms: sandboxStarts,
  cases: [
    {
      id: 'start',
      title: 'start to first reply',
      task: { loop: 'start' },
      payload: greet,
      figures: [latency('time', 'first reply')],
    },
  ],
  rows: 'cases',
  share: 5,
  warmUpShare: 0.15,
}

export const sandboxRss: Scenario = {
  id: 'sandbox-memory',
  title: 'The memory of each sandbox',
  about: 'the resident memory that one more frontend takes, of four, in all processes; the reference has no sandbox',
  arms: sandboxMemory,
  cases: [
    {
      id: 'memory',
      title: 'each frontend',
      task: { loop: 'memory' },
      payload: greet,
      figures: [{ id: 'rss', title: 'memory', unit: 'B', better: 'lower' }],
    },
  ],
  rows: 'cases',
  share: 40,
  roundsShare: 0.5,
  warmUpShare: 0,
}
