import { afterEach, expect, test, vi } from 'vitest'
import { createBusSecret, issueCredential } from '../handshake/credential.js'
import { NatsSessionDialer } from './session-dialer.js'

afterEach(() => void vi.useRealTimers())

test('a function that never returns a credential fails the dial, so that another one follows', async () => {
  vi.useFakeTimers()
  const dialer = new NatsSessionDialer({} as never, () => new Promise(() => {}))
  const { signal } = new AbortController()
  const dialed = dialer.dial({ label: 'main', codec: 'json', instance: undefined, signal }).catch(String)
  await vi.advanceTimersByTimeAsync(10_001)
  expect(await dialed).toMatch(/"main": the function did not return one within 10000 ms$/)
})

test('an answer that this process has not read yet, because it was suspended, is waited for', async () => {
  vi.useFakeTimers()
  const connection = { isConnected: true, publish() {} }
  const inbox = { open: (id: string) => id, close() {} }
  const context = { connection, inbox, bus: 'b', client: 'c', pattern: 'brownfield', links: new Set() }
  const credential = issueCredential(createBusSecret(), { label: 'main', expires: new Date(Date.now() + 3_600_000) })
  const dialer = new NatsSessionDialer(context as never, () => Promise.resolve(credential))
  const { signal } = new AbortController()
  const ended = vi.fn<(error: unknown) => void>()
  void dialer.dial({ label: 'main', codec: 'json', instance: undefined, signal }).catch(ended)
  await vi.advanceTimersByTimeAsync(0)
  // Each timer is late, and runs once before anything is read.
  for (let timers = vi.getTimerCount(); timers > 0; timers--) await vi.advanceTimersToNextTimerAsync()
  expect([ended.mock.calls, vi.getTimerCount()]).toEqual([[], 1])
  await vi.advanceTimersByTimeAsync(5001)
  expect(String(ended.mock.calls)).toMatch('No core of bus "b" answered')
})
