import { isBusError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { getTimeout } from './call-table.js'

test('getTimeout accepts whole milliseconds only', () => {
  expect(getTimeout({})).toBeUndefined()
  expect(getTimeout({ 'sallyport-timeout': '0' })).toBe(0)
  expect(getTimeout({ 'sallyport-timeout': '2147483647' })).toBe(2 ** 31 - 1)
  const refused = expect.toSatisfy(error => isBusError(error, 'InvalidParams')) as unknown
  for (const text of ['', '-1', 'NaN', '1.5', '1e3', '0x10', ' 1', '2147483648', '9'.repeat(1000), 'Infinity'])
    expect(() => getTimeout({ 'sallyport-timeout': text })).toThrow(refused as Error)
})
