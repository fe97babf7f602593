import { describe, expect, it } from 'vitest'
import { SentStreams } from './sent-streams.js'

const END = { reason: 'Cancelled', data: { done: true } }

async function* count() {
  yield 1
  yield 2
}

describe('sent streams', () => {
  it('answer each request with one value, then with the end', async () => {
    const streams = new SentStreams()
    const id = streams.add(count())
    expect([await streams.next(id), await streams.next(id)]).toEqual([1, 2])
    await expect(streams.next(id)).rejects.toMatchObject(END)
    await expect(streams.next(id)).rejects.toMatchObject(END)
  })

  it('refuse a second request while the first waits, so that a receiver cannot queue requests', async () => {
    const streams = new SentStreams()
    const id = streams.add(count())
    const first = streams.next(id)
    await expect(streams.next(id)).rejects.toMatchObject({ reason: 'InvalidRequest' })
    expect(await first).toBe(1)
    expect(await streams.next(id)).toBe(2)
  })

  it('wait for values that were larger when they were sent than they seemed', async () => {
    const streams = new SentStreams()
    let produced = 0
    const id = streams.add(
      (async function* () {
        for (;;) yield ++produced
      })(),
    )
    for (let ahead = 1; ahead <= 4; ahead++) void streams.next(id, ahead)
    await expect.poll(() => produced).toBe(4)
    for (let value = 0; value < 4; value++) streams.sent({ stream: id, ahead: 1 }, 2 ** 19)
    void streams.next(id, 5)
    await new Promise(resolve => setImmediate(resolve))
    expect(produced).toBe(4)
    // All but the last one were read.
    void streams.next(id, 3)
    await expect.poll(() => produced).toBeGreaterThan(4)
  })

  it('wait while the receiver holds 1 MiB unread, and go on when it requests more', async () => {
    const streams = new SentStreams()
    let produced = 0
    const id = streams.add(
      (async function* () {
        for (;;) {
          produced++
          yield { text: 'x'.repeat(2 ** 19) }
        }
      })(),
    )
    await streams.next(id, 1)
    await streams.next(id, 2)
    const third = streams.next(id, 3)
    await new Promise(resolve => setImmediate(resolve))
    expect(produced).toBe(2)
    // One request more than before: two values were read.
    const fourth = streams.next(id, 2)
    await Promise.all([third, fourth])
    expect(produced).toBe(4)
  })

  it('refuse more requests than a receiver can make ahead', async () => {
    const streams = new SentStreams()
    const id = streams.add({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) })
    for (let n = 1; n <= 32; n++) void streams.next(id, n)
    await expect(streams.next(id, 33)).rejects.toMatchObject({ reason: 'InvalidRequest' })
  })

  it('answer a request for an unknown stream with the end', async () => {
    await expect(new SentStreams().next(7)).rejects.toMatchObject(END)
  })

  it('open none of a call if one of them cannot be read', async () => {
    const streams = new SentStreams()
    const source = count()
    await source.next()
    const locked = new ReadableStream()
    locked.getReader()
    expect(() => streams.replace('upload', { a: source, b: locked })).toThrow('The argument "b" of command "upload"')
    expect(await source.next()).toEqual({ done: true, value: undefined })
  })
})
