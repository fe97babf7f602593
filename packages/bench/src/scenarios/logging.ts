// What a log costs, by its level: a call that has nothing to say, and one whose handler writes two lines.
import { logArms } from '../arms/logging.js'
import { loggedCall, usualCall } from '../payloads/greet.js'
import type { Scenario } from '../scenario.js'
import { alone, pipelined } from './calls.js'
import { SHORT_SLOT } from './slot.js'

export const logging: Scenario = {
  id: 'logging',
  title: 'The log',
  about:
    'greet({ name, n, tags[3] }) over a ring, and the same with a handler that writes a line at level debug and one at info,' +
    ' which core sends to the host’s pino; the reference has no log',
  arms: logArms,
  cases: [
    alone(usualCall),
    pipelined(usualCall),
    alone(loggedCall, 'lines', 'two lines'),
    pipelined(loggedCall, 'lines-64', '64 of two lines'),
  ],
  rows: 'arms',
  ...SHORT_SLOT,
}
