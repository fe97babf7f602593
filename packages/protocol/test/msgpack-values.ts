// Arbitrary values that MessagePack carries without a change, and the comparison for them.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect } from 'vitest'

/** Generates any value that has no members. */
export const msgpackScalar = (text: fc.Arbitrary<string>): fc.Arbitrary<unknown> =>
  fc.oneof(
    text,
    fc.double().map(n => (n === 0 ? 0 : n)),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('2200-01-01') }),
    fc.uint8Array(),
  )

/** Compares deeply. `toStrictEqual` would take a value's own member `constructor` for its class. */
export const expectSame = (actual: unknown, expected: unknown): void =>
  expect(isDeepStrictEqual(actual, expected)).toBe(true)
