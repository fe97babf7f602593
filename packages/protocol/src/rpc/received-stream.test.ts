// The receiver's end of a stream: what a caller answers to a pull concerns this stream alone.
import { describe, expect, it } from 'vitest'
import { BusError } from '../errors/bus-error.js'
import { MAX_STREAM_UNREAD } from '../wire/limits.js'
import { ReadAhead } from './read-ahead.js'
import { createStreamEnd, ReceivedStream } from './received-stream.js'

const DONE = { done: true, value: undefined }

function setUp(answer: () => Promise<unknown>) {
  const sent: string[] = []
  const stream = new ReceivedStream(7, {
    pull: (id, signal) => {
      sent.push(`pull ${id}`)
      return Promise.race([
        answer(),
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new BusError('Cancelled', '')))),
      ])
    },
    stop: id => void sent.push(`stop ${id}`),
  })
  return { stream, sent }
}

const never = (): Promise<never> => new Promise(() => {})

describe('a received stream', () => {
  it('pulls one value for each next, and stops when the caller is done', async () => {
    const answers = [1, { done: true }]
    const { stream, sent } = setUp(async () => answers.shift() ?? Promise.reject(createStreamEnd()))
    expect(sent).toEqual([])
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    expect(await stream.next()).toEqual({ done: false, value: { done: true } })
    expect([await stream.next(), await stream.next()]).toEqual([DONE, DONE])
    expect(sent).toEqual(['pull 7', 'pull 7', 'pull 7'])
  })

  it('rejects with an error, stops the source, and is done afterwards', async () => {
    const { stream, sent } = setUp(() => Promise.reject(new BusError('Rejected', 'no')))
    await expect(stream.next()).rejects.toMatchObject({ reason: 'Rejected' })
    expect(await stream.next()).toEqual(DONE)
    expect(sent).toEqual(['pull 7', 'stop 7'])
  })

  it('is done at once when it is left while a caller never answers', async () => {
    const { stream, sent } = setUp(never)
    const next = stream.next()
    expect(await stream.return()).toEqual(DONE)
    expect(await next).toEqual(DONE)
    expect(sent).toEqual(['pull 7', 'stop 7'])
  })

  it('rejects a pending and every later next when its call ends', async () => {
    const { stream, sent } = setUp(never)
    const next = stream.next()
    ReceivedStream.end(stream, new BusError('Disconnected', 'gone'))
    await expect(next).rejects.toMatchObject({ reason: 'Disconnected', message: 'gone' })
    await expect(stream.next()).rejects.toMatchObject({ message: 'gone' })
    expect(sent).toEqual(['pull 7'])
  })
})

describe('a stream that is read ahead', () => {
  const KIB = 2 ** 10
  /** Reads until eight values are requested at a time, and leaves those unread. Each of these has so many bytes. */
  async function readAhead(size: number, options: { arrived?: number } = {}): Promise<BusError[]> {
    const faults: BusError[] = []
    let requests = 0
    const caller = {
      receivedBytes: 0,
      canReadAhead: true,
      pull: async () => {
        const isLarge = ++requests > 8
        // The reader has to wait for the first ones.
        if (!isLarge) await new Promise(resolve => setImmediate(resolve))
        caller.receivedBytes += options.arrived ?? (isLarge ? size : 1)
        return isLarge ? 'x'.repeat(size) : 'small'
      },
      stop: () => {},
      violated: (error: BusError) => void faults.push(error),
    }
    const stream = new ReceivedStream(7, caller, new ReadAhead(7, caller))
    for (let i = 0; i < 8; i++) await stream.next()
    await new Promise(resolve => setImmediate(resolve))
    expect(requests).toBeGreaterThan(14)
    return faults
  }

  it('reports a source that sends far more than was granted', async () => {
    expect((await readAhead(MAX_STREAM_UNREAD / 4))[0]).toMatchObject({
      reason: 'InvalidRequest',
      message: 'The peer violated the protocol: more than 1048576 bytes of a stream are unread',
    })
  })

  it('accepts what was granted', async () => {
    expect(await readAhead(128 * KIB)).toEqual([])
  })

  it('accepts what was granted while much of other things arrives', async () => {
    expect(await readAhead(128 * KIB, { arrived: MAX_STREAM_UNREAD })).toEqual([])
  })
})
