// What stays taken while nobody calls: by the bus, by two silent workers with a port between them, and by the libraries that
// others use.
import { callArms } from '../arms/calls.js'
import { idle } from '../arms/idle.js'
import { usualCall } from '../payloads/greet.js'
import type { Scenario } from '../scenario.js'

const [raw, ...others] = callArms()

export const idleCost: Scenario = {
  id: 'idle',
  title: 'Open, and silent',
  about:
    'each alone in a process of its own, after some calls: CPU time while nothing is sent, in % of a core, and memory',
  arms: [idle(raw), ...others.map(idle)],
  cases: [
    {
      id: 'idle',
      title: 'idle',
      task: { loop: 'idle' },
      payload: usualCall,
      figures: [
        { id: 'cpu', title: 'idle CPU', unit: '%', better: 'lower' },
        { id: 'rss', title: 'memory', unit: 'B', better: 'lower' },
      ],
    },
  ],
  rows: 'arms',
  share: 25,
  settleShare: 1 / 3,
  roundsShare: 1 / 3,
  warmUpShare: 0,
}
