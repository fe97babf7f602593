// What it costs that core checks arguments, by the library that checks them.
import { busArm } from '../arms/bus.js'
import { ringJson } from '../arms/links.js'
import { usualCall } from '../payloads/greet.js'
import type { Scenario } from '../scenario.js'
import { alone, pipelined } from './calls.js'
import { SHORT_SLOT } from './slot.js'

export const validation: Scenario = {
  id: 'validation',
  title: 'A schema for the arguments',
  about:
    'greet({ name, n, tags[3] }) over a ring, with a schema of its three members that zod or valibot checks in core; the' +
    ' reference checks nothing',
  arms: [
    { ...ringJson, title: 'no schema' },
    busArm('zod', 'zod', { codec: 'json', link: 'ring', core: 'zod-core' }),
    busArm('valibot', 'valibot', { codec: 'json', link: 'ring', core: 'valibot-core' }),
  ],
  cases: [alone(usualCall), pipelined(usualCall)],
  rows: 'arms',
  ...SHORT_SLOT,
}
