import { expect, test } from 'vitest'
import { githubEvents, mebibyte, payloadBytes, usualCall } from './payloads.js'

test('the size of a payload is the mean of its arguments as JSON', () => {
  expect(payloadBytes(mebibyte())).toBe(2 ** 20)
  expect(payloadBytes(usualCall)).toBe(52)
  expect(payloadBytes({ ...usualCall, calls: [] })).toBe(0)
})

test('throws when there are no documents of an event', () => {
  expect(() => githubEvents('nonsense')).toThrow("no event 'nonsense'")
})
