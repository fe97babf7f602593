import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createEventBatch, PublishWindow, readEvents, type SentEvent } from './event-fanout.js'

const event = (payload: unknown): SentEvent => ({ target: null, event: 'news', payload })

function create(): { add: ReturnType<typeof createEventBatch>; sent: unknown[][]; counts: number[] } {
  const [sent, counts]: [unknown[][], number[]] = [[], []]
  const add = createEventBatch((body, count) => {
    counts.push(count)
    sent.push(readEvents(body).map(({ payload }) => payload))
  })
  return { add, sent, counts }
}

describe('createEventBatch', () => {
  it('sends the events of a tick as one message, in order, with their payloads as they were emitted', async () => {
    const { add, sent, counts } = create()
    const payload = { n: 1 }
    for (const each of [payload, 2, 'three']) expect(add(event(each), 1000)).toBe(true)
    payload.n = 4
    await nextTick()
    add(event(undefined), 1000)
    await nextTick()
    expect(sent).toEqual([[{ n: 1 }, 2, 'three'], [undefined]])
    expect(counts).toEqual([3, 1])
  })

  it('splits messages at the limit, and rejects an event that exceeds it alone', async () => {
    const { add, sent } = create()
    const text = 'x'.repeat(300)
    for (const each of [1, 2, 3, 4, 5]) expect(add(event(text + each), 1000)).toBe(true)
    expect(add(event('x'.repeat(1000)), 1000)).toBe(false)
    await nextTick()
    expect(sent.flat()).toEqual([1, 2, 3, 4, 5].map(each => text + each))
    expect(sent.map(({ length }) => length)).toEqual([2, 2, 1])
  })
})

const MEGABYTE = 2 ** 20

describe('PublishWindow', () => {
  it('holds 16 MiB, or a single larger message', () => {
    const window = new PublishWindow({ flush: () => new Promise(() => {}) })
    expect(window.add(20 * MEGABYTE)).toBe(true)
    expect(window.add(1)).toBe(false)
    const other = new PublishWindow({ flush: () => new Promise(() => {}) })
    for (let i = 0; i < 16; i++) expect(other.add(MEGABYTE)).toBe(true)
    expect(other.add(1)).toBe(false)
  })

  it('has room again once the server has all or is gone', () =>
    rows([
      ['the server has received everything', () => Promise.resolve()],
      ['the connection is lost', () => Promise.reject(new Error('lost'))],
    ])(async (_condition, flush) => {
      const window = new PublishWindow({ flush })
      for (let i = 0; i < 16; i++) window.add(MEGABYTE)
      expect(window.add(1)).toBe(false)
      await expect.poll(() => window.add(16 * MEGABYTE)).toBe(true)
    }))
})
