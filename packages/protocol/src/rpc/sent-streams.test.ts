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
