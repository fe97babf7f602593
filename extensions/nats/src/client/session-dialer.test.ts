import { afterEach, expect, test, vi } from 'vitest'
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
