// What it costs that somebody looks at the bus.
import { inspectorArms } from '../arms/inspector.js'
import { usualCall } from '../payloads/greet.js'
import type { Scenario } from '../scenario.js'
import { alone, pipelined } from './calls.js'
import { LINK_SLOT } from './slot.js'

export const inspector: Scenario = {
  id: 'inspector',
  title: 'The inspector',
  about:
    'greet({ name, n, tags[3] }) over a ring, with the inspector’s server open, and with one page that it tells of the bus four times' +
    ' a second; in the reference there is none',
  arms: inspectorArms,
  cases: [alone(usualCall), pipelined(usualCall)],
  rows: 'arms',
  ...LINK_SLOT,
  // A page is told a few times in each: 0.9 s, 12 rounds.
  share: 30,
  roundsShare: 1,
}
