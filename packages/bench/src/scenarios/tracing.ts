// What it costs that diagnostics channels tell of a call, by who listens.
import { busArm } from '../arms/bus.js'
import { ringJson } from '../arms/links.js'
import { workerUrl } from '../arms/thread.js'
import { usualCall } from '../payloads/greet.js'
import type { Scenario } from '../scenario.js'
import { alone, pipelined } from './calls.js'
import { SHORT_SLOT } from './slot.js'

const HEARD = { codec: 'json', link: 'ring', core: 'traced-core' } as const

export const tracing: Scenario = {
  id: 'tracing',
  title: 'Diagnostics channels',
  about:
    'greet({ name, n, tags[3] }) over a ring, with subscribers that count, to all five channels of the call in core, or on both' +
    ' sides; in the reference nobody listens',
  arms: [
    { ...ringJson, id: 'off', title: 'nobody listens' },
    busArm('core', 'core listens', HEARD),
    busArm('both', 'both sides listen', { ...HEARD, module: workerUrl('traced-frontend') }),
  ],
  cases: [alone(usualCall), pipelined(usualCall)],
  rows: 'arms',
  ...SHORT_SLOT,
}
