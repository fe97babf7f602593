// When spares start and end, on a clock of the test.
import { EventEmitter } from 'node:events'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ProcessLog, ProcessMember as HostRelay } from './contract.js'
import { type PoolRequest, ProcessPool } from './process-pool.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A relay without a process. */
class ProcessMember extends EventEmitter {
  isRef = true
  isTerminated = false
  ref = (): void => void (this.isRef = true)
  unref = (): void => void (this.isRef = false)
  terminate = async (): Promise<void> => void (this.isTerminated = true)
}

function createSpares() {
  const warn = vi.fn<(fields: object, text: string) => void>()
  const spares = new ProcessPool({ warn } as unknown as ProcessLog)
  const relays: ProcessMember[] = []
  const request = (more: Partial<PoolRequest> = {}): PoolRequest => ({
    ...{ key: 'a', spares: 1, reads: [tmpdir()] },
    open: () => relays[relays.push(new ProcessMember()) - 1] as unknown as HostRelay,
    ...more,
  })
  return { spares, relays, request, warn }
}

test('spares start one after the other, and each is taken once, in their order', () => {
  const { spares, relays, request } = createSpares()
  expect(spares.take(request({ spares: 2 }))).toBeUndefined()
  expect(relays).toEqual([])
  vi.advanceTimersByTime(100)
  expect(spares.count).toBe(1)
  vi.advanceTimersByTime(10_000)
  expect(spares.count).toBe(2)
  expect(relays.map(({ isRef }) => isRef)).toEqual([false, false])
  expect([0, 1].map(() => spares.take(request({ spares: 0 })))).toEqual(relays)
  expect(relays.map(({ isRef }) => isRef)).toEqual([true, true])
  expect(spares.take(request({ spares: 0 }))).toBeUndefined()
  // What happens to one that was taken is for its frontend.
  expect(relays.flatMap(relay => relay.eventNames())).toEqual([])
})

test('spares that end at once are replaced ever more slowly, and each time the log says why', () => {
  const { spares, relays, request, warn } = createSpares()
  spares.take(request())
  const started: number[] = []
  for (let second = 0; second < 600; second++) {
    for (const relay of relays.splice(0)) {
      started.push(second)
      relay.emit('message', { type: 'state', state: 'failed', error: { message: 'broken' } })
      relay.emit('exit', 1)
    }
    vi.advanceTimersByTime(1000)
  }
  expect(started).toHaveLength(15)
  expect(warn).toHaveBeenCalledTimes(15)
  expect(warn.mock.calls[0]![0]).toEqual({ err: { message: 'broken' } })
  vi.advanceTimersByTime(60_000)
  expect(spares.take(request())).toBe(relays[0])
  vi.advanceTimersByTime(100)
  expect(relays).toHaveLength(2)
})

test('a script starts a new process if the one before has failed, and the log does not warn', () => {
  const { spares, relays, request, warn } = createSpares()
  const share = (): unknown => spares.share(request(), () => new ProcessMember() as unknown as HostRelay)
  share()
  relays[0]!.emit('exit', 1)
  share()
  expect(relays).toHaveLength(2)
  expect(warn).not.toHaveBeenCalled()
})

test('a spare that cannot be started is tried again, and closing ends the attempts', async () => {
  const { spares, request, warn } = createSpares()
  const open = vi.fn<() => never>(() => {
    throw new Error('no')
  })
  spares.take(request({ open }))
  vi.advanceTimersByTime(2000)
  expect(open).toHaveBeenCalledTimes(2)
  expect(warn).toHaveBeenCalledTimes(2)
  await spares.close()
  vi.advanceTimersByTime(100_000)
  spares.take(request({ open }))
  vi.advanceTimersByTime(100_000)
  expect(open).toHaveBeenCalledTimes(2)
})

test('the kind that was not taken for the longest time makes room, and closing ends the rest', async () => {
  const { spares, relays, request } = createSpares()
  for (let kind = 0; kind < 17; kind++) {
    spares.take(request({ key: `${kind}` }))
    vi.advanceTimersByTime(100)
  }
  expect(spares.count).toBe(16)
  expect(relays.map(({ isTerminated }) => isTerminated)).toEqual(relays.map((_, index) => index === 0))
  await spares.close()
  expect(spares.count).toBe(0)
  expect(relays.every(({ isTerminated }) => isTerminated)).toBe(true)
})
