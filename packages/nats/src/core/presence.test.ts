// What instances make of each other's words, where names are unlucky and instances go.
import type { NetworkCounts } from '@sallyport/core/network'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Connection } from '../connection/connection.js'
import { createBusSecret } from '../handshake/credential.js'
import { type Instances, trackPresence } from './presence.js'

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

/** Each hears all others. */
function meet(...names: string[]): { instances: Instances[]; faults: string[] } {
  const secret = createBusSecret()
  const hearers: ((message: { data: Uint8Array }) => void)[] = []
  const faults: string[] = []
  const instances = names.map((instance, self) => {
    const connection = {
      isUp: true,
      publish: (_subject: string, data: Uint8Array) =>
        hearers.forEach((hear, at) => at !== self && hear({ data: Uint8Array.from(data) })),
      subscribe: (_subject: string, take: (message: { data: Uint8Array }) => void) => hearers.push(take),
    } as unknown as Connection
    const told = { tell: (_label: string, error: Error) => void faults.push(error.message), flush: () => {} }
    return trackPresence({ hub: { counts: () => counts }, connection, faults: told, secret, bus: 'test', instance })
  })
  return { instances, faults }
}

test('two of one name are told of, and neither counts in the place of the other', () => {
  const { instances, faults } = meet('same', 'same')
  instances[0]!.tell()
  expect(faults[0]).toMatch('Another instance is named same too')
  expect(instances[1]!.stats()).toMatchObject({ instances: { same: counts }, total: { sessions: 1 } })
})

test('a name that objects have is one as any', () => {
  const { instances } = meet('__proto__', 'constructor')
  instances.forEach(each => each.tell())
  for (const each of instances) {
    const { instances: all, total } = each.stats()
    expect(Object.keys(all).toSorted()).toEqual(['__proto__', 'constructor'])
    expect(total.sessions).toBe(2)
  }
})

test('one that has left says no more, also where another comes', () => {
  const { instances } = meet('a', 'b', 'c')
  instances[0]!.tell()
  instances[0]!.leave()
  instances[2]!.tell()
  for (const at of [1, 2]) expect(Object.keys(instances[at]!.stats().instances).toSorted()).toEqual(['b', 'c'])
})
