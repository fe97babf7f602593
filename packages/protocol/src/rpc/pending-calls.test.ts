// Each call is settled exactly once, and then leaves no entry, no timer and no listener on a signal.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { IS_NODE } from '#platform'
import type { BusError } from '../errors/bus-error.js'
import type { CallOptions } from './call-options.js'
import type { ResponseMessage } from '../wire/messages.js'
import { PendingCalls, waitForCalls } from './pending-calls.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function setUp() {
  const abandoned: number[] = []
  const settled: string[] = []
  const pending = new PendingCalls(id => abandoned.push(id))
  const add = (options?: CallOptions): number => {
    const id = pending.takeId()
    const settle = {
      resolve: (value: unknown) => settled.push(`${id} ${String(value)}`),
      reject: (error: BusError) => settled.push(`${id} ${error.reason}`),
    }
    pending.add(id, 'greet', settle.resolve, settle.reject, options)
    return id
  }
  return { pending, add, settled, abandoned }
}

const answer = (id: number | string | null, result: unknown = 'ok'): ResponseMessage => ({
  jsonrpc: '2.0',
  id: id!,
  result,
})
const error = (id: number, code: number): ResponseMessage => ({ jsonrpc: '2.0', id, error: { code, message: 'no' } })
const gone = (): BusError => ({ reason: 'Disconnected' }) as BusError
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

describe('a call', () => {
  it('has the next id, starting at 1', () => {
    const { pending, add } = setUp()
    expect([add(), add(), add()]).toEqual([1, 2, 3])
    expect(pending.takeId()).toBe(4)
    expect(pending.size).toBe(3)
  })

  it('is settled by its first response only', () => {
    const { pending, add, settled } = setUp()
    const [first, second] = [add(), add()]
    pending.settle(answer(second, 'b'))
    pending.settle(answer(second, 'again'))
    pending.settle(error(second, -32000))
    pending.settle(error(first, -32000))
    pending.settle(answer(first, 'late'))
    expect(settled).toEqual(['2 b', '1 CommandFailed'])
    expect(pending.size).toBe(0)
  })

  it('is not settled by a response to another id', () =>
    rows([0, 99, '1', null, -1])(id => {
      const { pending, add, settled } = setUp()
      add()
      pending.settle(answer(id))
      expect([settled, pending.size]).toEqual([[], 1])
    }))

  it('times out once, notifies core, and ignores late responses', () => {
    const { pending, add, settled, abandoned } = setUp()
    const { signal } = new AbortController()
    const id = add({ timeout: 5, signal })
    vi.advanceTimersByTime(20)
    expect([settled, abandoned, pending.size, listeners(signal)]).toEqual([['1 Timeout'], [1], 0, 0])
    pending.settle(answer(id))
    pending.rejectAll(gone)
    expect([settled, abandoned]).toEqual([['1 Timeout'], [1]])
  })

  it('is cancelled once, notifies core, and ignores late responses', () => {
    const { pending, add, settled, abandoned } = setUp()
    const controller = new AbortController()
    const id = add({ timeout: 5, signal: controller.signal })
    controller.abort()
    expect([settled, abandoned, pending.size, listeners(controller.signal)]).toEqual([['1 Cancelled'], [1], 0, 0])
    pending.settle(answer(id))
    pending.rejectAll(gone)
    vi.advanceTimersByTime(20)
    expect([settled, abandoned]).toEqual([['1 Cancelled'], [1]])
  })

  it('counts if it arrived before its deadline, and this thread was busy until then', async () => {
    const { pending, add, settled, abandoned } = setUp()
    const ids = [add({ timeout: 5 }), add({ timeout: 5, signal: new AbortController().signal })]
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1000)
    vi.advanceTimersByTime(5)
    clock.mockRestore()
    for (const id of ids) pending.settle(answer(id))
    await nextTurn()
    expect([settled, abandoned]).toEqual([['1 ok', '2 ok'], []])
  })

  it('leaves no timer after its response', () => {
    const { pending, add } = setUp()
    const ids = [add({ timeout: 60_000 }), add({ timeout: 60_000, signal: new AbortController().signal })]
    expect(vi.getTimerCount()).toBe(2)
    for (const id of ids) pending.settle(answer(id))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('neither times out nor is cancelled after its response', () => {
    const { pending, add, settled, abandoned } = setUp()
    const controller = new AbortController()
    pending.settle(answer(add({ timeout: 5, signal: controller.signal })))
    expect(listeners(controller.signal)).toBe(0)
    controller.abort()
    vi.advanceTimersByTime(20)
    expect([settled, abandoned, pending.size]).toEqual([['1 ok'], [], 0])
  })

  it('neither times out nor is cancelled after its link was lost, and does not notify core', () => {
    const { pending, add, settled, abandoned } = setUp()
    const controller = new AbortController()
    add({ timeout: 5, signal: controller.signal })
    add()
    pending.rejectAll(gone)
    controller.abort()
    vi.advanceTimersByTime(20)
    expect([settled, abandoned, pending.size]).toEqual([['1 Disconnected', '2 Disconnected'], [], 0])
  })
})

describe('waitForCalls', () => {
  it('resolves for each waiter once its calls are settled, whatever settles the last one', () =>
    rows<(calls: ReturnType<typeof setUp>) => void>({
      'a response': ({ pending }) => void pending.settle(answer(2)),
      'its caller': ({ pending }) => pending.abandon(2, gone()),
      'the end of the link': ({ pending }) => pending.rejectAll(gone),
    })(async settleLast => {
      const calls = setUp()
      const log: string[] = []
      calls.add()
      void waitForCalls(calls.pending).then(() => log.push('one'))
      calls.add()
      void waitForCalls(calls.pending).then(() => log.push('both'))
      calls.pending.settle(answer(1))
      calls.add()
      await turn()
      expect(log).toEqual(['one'])
      settleLast(calls)
      await turn()
      expect(log).toEqual(['one', 'both'])
    }))

  it('resolves if no call waits', () => expect(waitForCalls(setUp().pending)).resolves.toBeUndefined())
})

describe('a thousand calls', () => {
  it.skipIf(!IS_NODE)('can share a signal, and are all cancelled by it', async () => {
    const warnings: Error[] = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warned)
    const { pending, add, settled, abandoned } = setUp()
    const controller = new AbortController()
    for (let i = 0; i < 1000; i++) add({ signal: controller.signal })
    controller.abort()
    await turn()
    process.off('warning', warned)
    expect([settled.length, abandoned.length, pending.size, listeners(controller.signal)]).toEqual([1000, 1000, 0, 0])
    expect(warnings).toEqual([])
  })

  it('are each settled once, in any order of events', () => {
    const { pending, add, settled } = setUp()
    let seed = 1
    const random = (below: number): number => (seed = (seed * 48_271) % 0x7fff_ffff) % below
    const controllers: AbortController[] = []
    for (let i = 0; i < 1000; i++) {
      const controller = new AbortController()
      controllers.push(controller)
      add(
        [undefined, { timeout: random(8) }, { signal: controller.signal }, { timeout: 5, signal: controller.signal }][
          i % 4
        ],
      )
    }
    for (let step = 0; step < 3000; step++) {
      const id = 1 + random(1000)
      const what = random(3)
      if (what === 0) pending.settle(answer(id))
      else if (what === 1) pending.settle(error(id, -32001))
      else controllers[id - 1]!.abort()
      if (step % 500 === 0) vi.advanceTimersByTime(2)
    }
    pending.rejectAll(gone)
    pending.rejectAll(gone)
    vi.advanceTimersByTime(20)
    const ids = settled.map(text => Number.parseInt(text, 10)).toSorted((a, b) => a - b)
    expect(ids).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
    expect(pending.size).toBe(0)
    expect(controllers.reduce((sum, { signal }) => sum + listeners(signal), 0)).toBe(0)
  })
})
