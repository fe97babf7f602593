import { expect, test } from 'vitest'
import { mebibyte, payloadBytes, usualCall } from './payloads.js'

test('the size of a payload is the mean of its arguments as JSON', () => {
  expect(payloadBytes(mebibyte())).toBe(2 ** 20)
  expect(payloadBytes(usualCall)).toBe(52)
  expect(payloadBytes({ ...usualCall, calls: [] })).toBe(0)
})
