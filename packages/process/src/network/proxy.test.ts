// What a program does with its connections to its proxy.
import { duplexPair } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { Broker } from './broker.js'
import { createProxy } from './proxy.js'

afterEach(() => void vi.useRealTimers().restoreAllMocks())

test('a request whose connection has ended waits for no turn', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  // The second is never over, however busy the machine is.
  vi.spyOn(performance, 'now').mockReturnValue(0)
  const proxy = createProxy(new Broker({ hosts: [], secrets: [] }, () => {}), { requestsPerSecond: 500 })
  // More than in a second, and fewer at a time than the connections that a program can have.
  for (let opened = 0; opened < 700; opened += 100) {
    const pairs = Array.from({ length: 100 }, () => duplexPair())
    for (const [inner, outer] of pairs) {
      proxy.accept(outer)
      inner.on('error', () => {}).write('CONNECT a.example:443 HTTP/1.1\r\nhost: x\r\n\r\n')
    }
    await new Promise(resolve => setImmediate(resolve))
    for (const [, outer] of pairs) outer.destroy()
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(vi.getTimerCount()).toBeGreaterThan(0)
  vi.advanceTimersByTime(1000)
  expect(vi.getTimerCount()).toBe(0)
  proxy.close()
})
