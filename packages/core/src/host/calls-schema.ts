// The shape of `calls`: how long calls may take.
import * as v from 'valibot'
import type { CallLimits } from '../control.js'
import { whole } from './whole.js'

export interface CallsOptions {
  /**
   * The deadline in milliseconds of each call that has none of its own, whoever makes it: beyond it the call rejects with
   * `Timeout`. None by default. A stream may take longer: its `timeout` is its own.
   */
  timeout?: number
  /**
   * Milliseconds after which a call that still runs in core is in the log and told of (`bus.on('slow')`), once: 30 000 by
   * default. `false`: never.
   */
  slowAfter?: number | false
}

const DEFAULT_SLOW_AFTER = 30_000

const slowAfter = 'whole milliseconds, from 10, or false'

export const ofCalls: v.ObjectEntries = {
  timeout: v.optional(whole('whole milliseconds, from 1', 1)),
  slowAfter: v.optional(v.union([v.literal(false), whole(slowAfter, 10)], slowAfter), DEFAULT_SLOW_AFTER),
}

export const calls: v.OptionalSchema<v.GenericSchema<unknown, CallLimits>, object> = v.optional(
  v.strictObject(ofCalls, 'an object') as v.GenericSchema<unknown, CallLimits>,
  {},
)
