// The shape of `calls`: how long calls may take, and how many there may be.
import { MAX_IN_FLIGHT } from '@sallyport/protocol'
import * as v from 'valibot'
import { labelMatcher } from '../authority/label-glob.js'
import type { CallLimits } from '../control.js'
import { whole } from './whole.js'

const DEFAULT_SLOW_AFTER = 30_000

const slowAfter = 'whole milliseconds, from 10, or false'

const globs = v.optional(
  v.pipe(
    v.array(v.pipe(v.string('a text'), v.check(isGlob, 'a glob as capabilities have them')), 'a list'),
    v.minLength(1, 'a list that is not empty'),
  ),
)
const rate = v.pipe(
  v.number('calls in a second'),
  v.finite('calls in a second'),
  v.gtValue(0, 'more than 0 calls in a second'),
)
/** @internal */
export const ofQuota: v.ObjectEntries = {
  windows: globs,
  commands: globs,
  rate: v.optional(rate),
  concurrency: v.optional(whole(`a whole number from 1 to ${MAX_IN_FLIGHT}`, 1, MAX_IN_FLIGHT)),
}
const limits = 'an object with a rate, a concurrency, or both'
const quota = v.pipe(
  v.strictObject(ofQuota, limits),
  v.check(given => given['rate'] !== undefined || given['concurrency'] !== undefined, limits),
)

/** @internal */
export const ofCalls: v.ObjectEntries = {
  timeout: v.optional(whole('whole milliseconds, from 1', 1)),
  slowAfter: v.optional(v.union([v.literal(false), whole(slowAfter, 10)], slowAfter), DEFAULT_SLOW_AFTER),
  quotas: v.optional(v.array(quota, 'a list')),
}

/** @internal */
export const calls: v.OptionalSchema<v.GenericSchema<unknown, CallLimits>, object> = v.optional(
  v.strictObject(ofCalls, 'an object') as v.GenericSchema<unknown, CallLimits>,
  {},
)

function isGlob(given: string): boolean {
  try {
    labelMatcher(given)
    return true
  } catch {
    return false
  }
}
