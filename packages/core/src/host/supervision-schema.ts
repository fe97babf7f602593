// The shape of `supervision`, wherever it may be given.
import * as v from 'valibot'
import type { SupervisionOptions } from './supervision.js'
import { whole } from './whole.js'

const milliseconds = v.optional(whole('whole milliseconds, from 1', 1))
const beats = 'whole milliseconds, from 50, or false'
const delays = 'whole milliseconds, from 0'

export const ofSupervision: v.ObjectEntries = {
  restart: v.optional(v.picklist(['permanent', 'transient', 'temporary'], '"permanent", "transient" or "temporary"')),
  intensity: v.optional(whole('a whole number, from 0', 0)),
  period: milliseconds,
  delay: v.optional(
    v.strictObject({ min: v.optional(whole(delays, 0)), max: v.optional(whole(delays, 0)) }, 'an object'),
  ),
  heartbeat: v.optional(v.union([v.literal(false), whole(beats, 50)], beats)),
}

export const supervision = v.optional(v.strictObject(ofSupervision, 'an object')) as v.OptionalSchema<
  v.GenericSchema<SupervisionOptions>,
  undefined
>
