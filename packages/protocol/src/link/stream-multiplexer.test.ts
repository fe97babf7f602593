import { Duplex, type DuplexOptions } from 'node:stream'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { StreamMultiplexer } from './stream-multiplexer.js'

/** Returns the two ends of a pipe. Only later versions of Node have `duplexPair`. */
function createPipe(options: DuplexOptions = {}): [Duplex, Duplex] {
  const ends: Duplex[] = []
  for (const place of [0, 1]) {
    ends.push(
      new Duplex({
        ...options,
        read() {},
        write(chunk, _encoding, done) {
          ends[1 - place]!.push(chunk)
          setImmediate(done)
        },
        final(done) {
          ends[1 - place]!.push(null)
          done()
        },
      }),
    )
  }
  return ends as [Duplex, Duplex]
}

function connect() {
  const [near, far] = createPipe()
  const faults: unknown[] = []
  const opened: Duplex[] = []
  const left = new StreamMultiplexer(near, { closed: fault => faults.push(fault) })
  const right: StreamMultiplexer = new StreamMultiplexer(far, {
    opened: id => opened.push(right.open(id)),
    closed: fault => faults.push(fault),
  })
  return { left, right, near, far, faults, opened }
}

/** A record as it is on the wire. */
function record(id: number, type: number, number: number, body: Uint8Array = new Uint8Array()): Buffer {
  const header = Buffer.alloc(9)
  header.writeUInt32LE(id, 0)
  header[4] = type
  header.writeUInt32LE(number, 5)
  return Buffer.concat([header, body])
}

const closed = async (...streams: Duplex[]): Promise<void> => {
  for (const stream of streams) if (!stream.destroyed) await once(stream.resume(), 'close')
}

const readAll = async (stream: Duplex): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

test('streams carry bytes both ways, in order, beyond their windows, and end alone', async () => {
  const { left, opened } = connect()
  const body = Buffer.alloc(2 ** 20, 'abcdefg')
  const streams = [0, 1, 2].map(id => left.open(id))
  for (const stream of streams) stream.end(body)
  await expect.poll(() => opened.length).toBe(3)
  for (const stream of opened) stream.end('answer')
  expect((await Promise.all(opened.map(readAll))).map(each => each.equals(body))).toEqual([true, true, true])
  expect((await Promise.all(streams.map(readAll))).map(String)).toEqual(['answer', 'answer', 'answer'])
})

test('a stream that nobody reads holds no more than its window, and delays no other', async () => {
  const { left, opened } = connect()
  const stalled = left.open(0)
  stalled.write(Buffer.alloc(2 ** 22))
  await expect.poll(() => opened.length).toBe(1)
  const other = left.open(1)
  const body = Buffer.alloc(2 ** 20, 1)
  other.end(body)
  await expect.poll(() => opened.length).toBe(2)
  expect((await readAll(opened[1]!)).equals(body)).toBe(true)
  expect(opened[0]!.readableLength).toBeLessThanOrEqual(2 ** 16)
  expect(stalled.writableLength).toBe(2 ** 22)
})

test('what a peer sent before it exited is read, although a write to it fails first', async () => {
  const near = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
  const left = new StreamMultiplexer(near, { closed() {} })
  const stream = left.open(0)
  stream.write('to nobody')
  await new Promise(setImmediate)
  near.push(record(0, 1, 4, Buffer.from('last')))
  near.push(null)
  expect(String(await readAll(stream))).toBe('last')
})

test('a stream that is destroyed ends the other end, and what still arrives for it is dropped', async () => {
  const { left, opened, faults } = connect()
  const stream = left.open(0)
  stream.write('first')
  await expect.poll(() => opened.length).toBe(1)
  opened[0]!.destroy()
  stream.write('second')
  await once(stream.resume(), 'close')
  const next = left.open(1)
  next.write('third')
  await expect.poll(() => opened.length).toBe(2)
  expect(faults).toEqual([])
  left.close()
  await expect.poll(() => faults).toEqual([undefined])
  expect(left.open(2).destroyed).toBe(true)
})

test('the end of the pipe ends all streams', async () => {
  const { left, opened, far } = connect()
  const streams = [0, 1].map(id => left.open(id))
  for (const stream of streams) stream.write('x')
  await expect.poll(() => opened.length).toBe(2)
  far.destroy()
  // A pipe of the system ends with its other end, and these two streams do not.
  left.close()
  await closed(...streams, ...opened)
})

test('an invalid record ends the pipe with InvalidRequest, and every stream with it', () =>
  rows<Buffer[]>({
    'an invalid type': [record(0, 9, 0)],
    'a record without data': [record(0, 1, 0)],
    'a record that is too long': [record(0, 1, 2 ** 14 + 1)],
    'more data than the window': Array.from({ length: 5 }, () => record(0, 1, 2 ** 14, new Uint8Array(2 ** 14))),
    'more credit than the window': [record(0, 2, 1)],
    'data behind the end': [record(0, 3, 0), record(0, 1, 1, new Uint8Array(1))],
  })(async records => {
    const [near, far] = createPipe()
    const faults: unknown[] = []
    const left = new StreamMultiplexer(near, { closed: fault => faults.push(fault) })
    const stream = left.open(0)
    const other = left.open(1)
    far.resume()
    far.write(Buffer.concat(records))
    await expect.poll(() => faults).toMatchObject([{ reason: 'InvalidRequest' }])
    await closed(stream, other)
    expect(near.destroyed).toBe(true)
  }))

test('records for streams that are not open change nothing', async () => {
  const [near, far] = createPipe()
  const faults: unknown[] = []
  const left = new StreamMultiplexer(near, { closed: fault => faults.push(fault) })
  far.resume()
  for (const type of [1, 2, 3, 4]) far.write(record(7, type, 1, type === 1 ? new Uint8Array(1) : undefined))
  const stream = left.open(0)
  far.write(record(0, 1, 2, Buffer.from('ok')))
  const [chunk] = (await once(stream, 'data')) as [Buffer]
  expect([String(chunk), faults]).toEqual(['ok', []])
})

test('a peer that floods and reads nothing fills no memory with credit', async () => {
  const stalled = new Duplex({ writableHighWaterMark: 64, read() {}, write() {} })
  const faults: unknown[] = []
  const streams = new StreamMultiplexer(stalled, { closed: fault => faults.push(fault) })
  let received = 0
  streams.open(1).on('data', (chunk: Buffer) => (received += chunk.length))
  for (let sent = 0; sent < 100 && !stalled.destroyed; sent++) {
    stalled.push(record(1, 1, 2 ** 14, Buffer.alloc(2 ** 14)))
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(stalled.writableLength).toBeLessThan(200)
  expect(received).toBeLessThan(100 * 2 ** 14)
  expect(faults).toHaveLength(1)
})
