// What it costs that core asks who may call what: it should not depend on how much there is to ask.
import { authorityArms } from '../arms/authority.js'
import { scopedCall, usualCall } from '../payloads/greet.js'
import type { Scenario } from '../scenario.js'
import { alone, pipelined } from './calls.js'
import { SHORT_SLOT } from './slot.js'

export const authority: Scenario = {
  id: 'authority',
  title: 'Capabilities and scopes',
  about:
    'greet({ name, n, tags[3] }) over a ring, allowed by 1 or 100 capabilities of twenty commands each, and a handler that' +
    ' looks for the name in its scope, of 100 entries where there are any; the reference has no capability, and all is open',
  arms: authorityArms,
  cases: [alone(usualCall), pipelined(usualCall), pipelined(scopedCall, 'scope-64', '64 with scope')],
  rows: 'arms',
  ...SHORT_SLOT,
}
