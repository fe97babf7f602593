// The sessions of a page over a WebSocket that the server never answers.
import { afterEach, expect, test, vi } from 'vitest'
import { CLOSE_UNAVAILABLE } from './contract/greeting.js'
import { createGreeting } from './page-socket.js'
import { PageSession } from './page-session.js'

class SilentSocket {
  static readonly OPEN = 1
  static opened = 0
  bufferedAmount = 0
  readyState = 0
  onclose: (event: object) => void = () => {}
  constructor() {
    SilentSocket.opened++
  }
  close(): void {
    this.onclose({ code: 1005, reason: '' })
  }
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const client = {
  label: 'main',
  codec: 'json',
  development: true,
  maxInFlight: 8,
  overflow: 'wait',
} as const
const heartbeat = 15_000
const expected = createGreeting(client, { heartbeat, maxMessageBytes: 2 ** 20 })
const url = new URL('ws://localhost/sallyport')

test('a page whose client is closed before the greeting is not connected', async () => {
  vi.stubGlobal('WebSocket', SilentSocket)
  const session = new PageSession({ url, expected })
  await session.client!.close()
  await expect(session.connected).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
})

test('a page without a client tries again for a while if the server has no place for it yet', async () => {
  vi.useFakeTimers()
  class BusySocket extends SilentSocket {
    constructor() {
      super()
      queueMicrotask(() => this.onclose({ code: CLOSE_UNAVAILABLE, reason: '' }))
    }
  }
  vi.stubGlobal('WebSocket', BusySocket)
  SilentSocket.opened = 0
  const { connected } = new PageSession({ url })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(SilentSocket.opened).toBe(11)
  await expect(connected).rejects.toMatchObject({ reason: 'Disconnected' })
})

test('a page that is not greeted for 30 s connects again', async () => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', SilentSocket)
  SilentSocket.opened = 0
  const session = new PageSession({ url, expected })
  await vi.advanceTimersByTimeAsync(29_000)
  expect(SilentSocket.opened).toBe(1)
  await vi.advanceTimersByTimeAsync(3000)
  expect(SilentSocket.opened).toBe(2)
  // A suspended page has had one check, of which none can be the last.
  vi.advanceTimersToNextTimer()
  expect(SilentSocket.opened).toBe(2)
  void session.client!.close()
})

test('a page whose thread was busy for long reads what has arrived before it takes the server for silent', async () => {
  vi.useFakeTimers()
  let greet = (): void => {}
  class GreetedSocket extends SilentSocket {
    onmessage: (event: object) => void = () => {}
    constructor() {
      super()
      greet = () => this.onmessage({ data: JSON.stringify(expected) })
    }
  }
  vi.stubGlobal('WebSocket', GreetedSocket)
  SilentSocket.opened = 0
  const session = new PageSession({ url, expected })
  greet()
  vi.stubGlobal('performance', { now: () => 600_000 })
  await vi.advanceTimersByTimeAsync(25_000)
  expect(SilentSocket.opened).toBe(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(SilentSocket.opened).toBe(2)
  void session.client!.close()
})

test('calls wait in the page while the buffer of its browser is full', async () => {
  vi.useFakeTimers()
  const sent: unknown[] = []
  let greet = (): void => {}
  let setBuffered = (_bytes: number): void => {}
  class OpenSocket extends SilentSocket {
    override readyState = 1
    OPEN = 1
    onmessage: (event: object) => void = () => {}
    constructor() {
      super()
      greet = () => this.onmessage({ data: JSON.stringify(expected) })
      setBuffered = bytes => void (this.bufferedAmount = bytes)
    }
    send(data: unknown): void {
      sent.push(data)
    }
  }
  vi.stubGlobal('WebSocket', OpenSocket)
  const session = new PageSession({ url, expected })
  greet()
  setBuffered(2 ** 18 + 1)
  session.client!.invoke('read').catch(() => {})
  await vi.advanceTimersByTimeAsync(100)
  expect(sent).toEqual([])
  setBuffered(0)
  await vi.advanceTimersByTimeAsync(100)
  expect(sent).toEqual([expect.stringContaining('"read"')])
  void session.client!.close()
})
