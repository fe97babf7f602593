import { isBusError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { type CallOwner, getTimeout, IncomingCall, isLongLived } from './call-table.js'
import type { CallChannel } from './channels.js'

test('getTimeout accepts whole milliseconds only', () => {
  expect(getTimeout({})).toBeUndefined()
  expect(getTimeout({ 'sallyport-timeout': '0' })).toBe(0)
  expect(getTimeout({ 'sallyport-timeout': '2147483647' })).toBe(2 ** 31 - 1)
  const refused = expect.toSatisfy(error => isBusError(error, 'InvalidParams')) as unknown
  for (const text of ['', '-1', 'NaN', '1.5', '1e3', '0x10', ' 1', '2147483648', '9'.repeat(1000), 'Infinity'])
    expect(() => getTimeout({ 'sallyport-timeout': text })).toThrow(refused as Error)
})

test('a call is long-lived as long as one of its channels is open', () => {
  const [ended, channel] = [{ isOpen: false }, { isOpen: true }]
  const command = { method: 'watch', owner: 'app', allow: '', deny: '' } as const
  const channels = [ended, channel] as unknown as CallChannel[]
  const call = new IncomingCall({} as CallOwner, 1, command, { headers: {}, body: {} }, channels)
  expect(isLongLived(call)).toBe(true)
  channel.isOpen = false
  expect(isLongLived(call)).toBe(false)
})
