// What each file of tests runs first.
import { afterAll, afterEach, expect } from 'vitest'
import { afterTests } from './testing.ts'

/** The last first, as `afterEach` does. */
const runAll = async ends => {
  for (const end of ends.toReversed()) await end()
}
afterEach(() => runAll(afterTests.each))
afterAll(() => runAll(afterTests.all))

/**
 * `toEqual` would compare equal bytes one by one, a second for each mebibyte. Decides only about equal bytes, and leaves it to `expect` to show
 * the difference of others.
 */
const areEqualBytes = (a, b) =>
  (a instanceof Uint8Array && b instanceof Uint8Array && a.constructor === b.constructor && !Buffer.compare(a, b)) ||
  undefined

expect.addEqualityTesters([areEqualBytes])
