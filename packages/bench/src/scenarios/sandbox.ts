// What a frontend's sandbox costs: its calls, its start, and its memory.
import { frontendMemory, sandboxArms, sandboxStarts } from '../arms/sandboxes.js'
import { clockedCall, greet } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'
import { callCases } from './calls.js'

export const sandbox: Scenario = {
  id: 'sandbox',
  title: 'A call from each sandbox',
  about:
    'greet({ name, n, tags[3] }), one at a time and 64 in flight, by the clock of core; the reference has no sandbox',
  arms: sandboxArms,
  cases: callCases(clockedCall, [latency('p50', 'p50'), latency('p99', 'p99')]),
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

export const memory: Scenario = {
  id: 'memory',
  title: 'The memory of a frontend',
  about:
    'the resident memory that one more frontend takes, of four, in all processes, in each sandbox and with a gate; the' +
    ' reference has neither',
  arms: frontendMemory,
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
