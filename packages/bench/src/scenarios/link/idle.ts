// An open bus that nobody uses, against as many silent workers.
import { idle } from '../../arms/idle.js'
import { ringJson } from '../../arms/links.js'
import { rawPort } from '../../arms/raw-port.js'
import { usualCall } from '../../payloads/greet.js'
import type { Scenario } from '../../scenario.js'

export const idleCost: Scenario = {
  id: 'link-idle',
  title: 'Links: open, and silent',
  about: 'CPU time of the whole process while nothing is sent, in % of a core; nothing else is open',
  arms: [idle(rawPort), idle(ringJson)],
  cases: [
    {
      id: 'idle',
      title: 'idle',
      task: { loop: 'idle' },
      payload: usualCall,
      figures: [{ id: 'cpu', title: 'idle CPU', unit: '%', better: 'lower' }],
    },
  ],
  rows: 'arms',
  share: 45,
  settleShare: 1 / 3,
  roundsShare: 1 / 3,
  warmUpShare: 0,
}
