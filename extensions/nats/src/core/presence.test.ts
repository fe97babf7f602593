import type { Hub, NetworkCounts } from '@sallyport/core/internal/network'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ProcessConnection } from '../connection/process-connection.js'
import { createFaultReporter } from '../connection/errors.js'
import { createBusSecret } from '../handshake/credential.js'
import { type Presence, trackPresence } from './presence.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const counts: NetworkCounts = {
  sessions: 1,
  calls: 2,
  failures: 0,
  denied: 0,
  inFlight: 0,
  eventsIn: 0,
  eventsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
}

/** Creates instances that receive each other's messages. */
function createInstances(...names: string[]): { instances: Presence[]; faults: string[] } {
  const secret = createBusSecret()
  const listeners: ((message: { data: Uint8Array }) => void)[] = []
  const faults: string[] = []
  const instances = names.map((instance, self) => {
    const connection = {
      isConnected: true,
      publish: (_subject: string, data: Uint8Array) =>
        listeners.forEach((listener, at) => at !== self && listener({ data: Uint8Array.from(data) })),
      subscribe: (_subject: string, listener: (message: { data: Uint8Array }) => void) => listeners.push(listener),
    } as unknown as ProcessConnection
    const hub = { counts: () => counts } as unknown as Hub
    const reporter = createFaultReporter((_label, error) => void faults.push(error.message))
    return trackPresence({ hub, connection, faults: reporter, secret, bus: 'test', instance })
  })
  return { instances, faults }
}

/** Creates instances whose messages are kept. The last one receives. */
function createSilent() {
  const secret = createBusSecret()
  const late: { data: Uint8Array }[] = []
  const faults: string[] = []
  let receive!: (message: { data: Uint8Array }) => void
  const start = (instance: string): Presence => {
    const connection = {
      isConnected: true,
      publish: (_subject: string, data: Uint8Array) => void late.push({ data }),
      subscribe: (_subject: string, listener: typeof receive) => void (receive = listener),
    } as unknown as ProcessConnection
    const reporter = createFaultReporter((_label, error) => void faults.push(error.message))
    const hub = { counts: () => counts } as unknown as Hub
    return trackPresence({ hub, connection, faults: reporter, secret, bus: 'test', instance })
  }
  return { start, late, faults, receive: (message: { data: Uint8Array }) => receive(message) }
}

test('reports two instances with one name, and counts neither in place of the other', () => {
  const { instances, faults } = createInstances('same', 'same')
  instances[0]!.announce()
  expect(faults[0]).toMatch('Another instance is named same too')
  expect(instances[1]!.stats()).toMatchObject({ instances: { same: counts }, total: { sessions: 1 } })
})

test('counts instances that are named like members of objects', () => {
  const { instances } = createInstances('__proto__', 'constructor')
  instances.forEach(each => each.announce())
  for (const each of instances) {
    const { instances: all, total } = each.stats()
    expect(Object.keys(all).toSorted()).toEqual(['__proto__', 'constructor'])
    expect(total.sessions).toBe(2)
  }
})

test('does not announce an instance that has left when another one joins', () => {
  const { instances } = createInstances('a', 'b', 'c')
  instances[0]!.announce()
  instances[0]!.leave()
  instances[2]!.announce()
  for (const at of [1, 2]) expect(Object.keys(instances[at]!.stats().instances).toSorted()).toEqual(['b', 'c'])
})

test('a message that another instance has sealed before this one has started is no fault, however late it arrives', () => {
  const { start, late, faults, receive } = createSilent()
  start('a').announce()
  vi.advanceTimersByTime(300)
  const second = start('b')
  receive(late[0]!)
  expect([faults, Object.keys(second.stats().instances)]).toEqual([[], ['b']])
  const forged = Uint8Array.from(late[0]!.data)
  forged[forged.length - 1]! ^= 1
  receive({ data: forged })
  expect(faults).toEqual(['A forged or replayed presence message was dropped'])
})

test('an instance is gone after four intervals without a message, of which a suspended process has had one', () => {
  const { start, late, receive } = createSilent()
  start('b').announce()
  vi.clearAllTimers()
  const { stats } = start('a')
  const getNames = (): string[] => Object.keys(stats().instances)
  receive(late[0]!)
  vi.setSystemTime(Date.now() + 60_000)
  for (let interval = 0; interval < 3; interval++) vi.advanceTimersToNextTimer()
  expect(getNames()).toEqual(['a', 'b'])
  vi.advanceTimersToNextTimer()
  expect(getNames()).toEqual(['a'])
})
