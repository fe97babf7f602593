// What each file of tests runs first.
import { afterAll, afterEach, expect, vi } from 'vitest'
import { afterTests } from './testing.ts'

/** The last first, as `afterEach` does, and each: what stays open would be in the way of the next file. */
const runAll = async ends => {
  const errors = []
  for (const end of ends.toReversed()) {
    try {
      await end()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors.length > 1 ? new AggregateError(errors) : errors[0]
}
afterEach(() => runAll(afterTests.each))
afterAll(() => runAll([...afterTests.all, () => void vi.restoreAllMocks().useRealTimers()]))

/**
 * `toEqual` would compare equal bytes one by one, a second for each mebibyte. Decides only about equal bytes, and leaves it to `expect` to show
 * the difference of others.
 */
const areEqualBytes = (a, b) =>
  (a instanceof Uint8Array && b instanceof Uint8Array && a.constructor === b.constructor && !Buffer.compare(a, b)) ||
  undefined

expect.addEqualityTesters([areEqualBytes])
