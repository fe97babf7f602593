// What each file of tests runs first: `toEqual` would compare equal bytes one by one, a second for each mebibyte.
import { expect } from 'vitest'

/** Decides only about equal bytes, and leaves it to `expect` to show the difference of others. */
const areEqualBytes = (a, b) =>
  (a instanceof Uint8Array && b instanceof Uint8Array && a.constructor === b.constructor && !Buffer.compare(a, b)) ||
  undefined

expect.addEqualityTesters([areEqualBytes])
