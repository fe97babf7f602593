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
  const left = new StreamMultiplexer(near, near, { closed: fault => faults.push(fault) })
  const right: StreamMultiplexer = new StreamMultiplexer(far, far, {
    opened: id => opened.push(right.open(id)),
    closed: fault => faults.push(fault),
  })
  return { left, right, near, far, faults, opened }
}

/** A record as it is on the wire. Its types are those of data, credit, an end and a reset. */
function record(id: number, type: number, number: number, body: Uint8Array = new Uint8Array()): Buffer {
  const header = Buffer.alloc(9)
  header.writeUInt32LE(id, 0)
  header[4] = 0xf8 + type
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

test('what a window holds is written before `flush` returns, if the pipe takes it', () => {
  let bytes = 0
  const pipe = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      done()
    },
  })
  const streams = new StreamMultiplexer(pipe, pipe, { closed() {} })
  streams.open(0).write(Buffer.alloc(60_000))
  streams.flush()
  expect(bytes).toBeGreaterThan(60_000)
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
  const left = new StreamMultiplexer(near, near, { closed() {} })
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
    'an invalid type, for a stream that is not open': [record(7, 0, 0)],
    'a record without data': [record(0, 1, 0)],
    'a record that is too long': [record(0, 1, 2 ** 14 + 1)],
    'more data than the window': Array.from({ length: 5 }, () => record(0, 1, 2 ** 14, new Uint8Array(2 ** 14))),
    'more credit than the window': [record(0, 2, 1)],
    'data behind the end': [record(0, 3, 0), record(0, 1, 1, new Uint8Array(1))],
  })(async records => {
    const [near, far] = createPipe()
    const faults: unknown[] = []
    const left = new StreamMultiplexer(near, near, { closed: fault => faults.push(fault) })
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
  const left = new StreamMultiplexer(near, near, { closed: fault => faults.push(fault) })
  far.resume()
  for (const type of [1, 2, 3, 4]) far.write(record(7, type, 1, type === 1 ? new Uint8Array(1) : undefined))
  const stream = left.open(0)
  far.write(record(0, 1, 2, Buffer.from('ok')))
  const [chunk] = (await once(stream, 'data')) as [Buffer]
  expect([String(chunk), faults]).toEqual(['ok', []])
})

/** Data of as many bytes for a stream. */
const dataOf = (id: number, bytes: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes / 2 ** 14) }, (_, index) => {
    const size = Math.min(2 ** 14, bytes - index * 2 ** 14)
    return record(id, 1, size, Buffer.alloc(size))
  })

test('text between records ends the pipe with the next record at the latest', () =>
  rows(['\u0001\u0001\u0001\u0001\u0001\u0001', 'a line\n', 'ééé\n', '\u{10ffff}\u{10ffff}\u{10ffff}'])(async text => {
    const [near, far] = createPipe()
    const faults: unknown[] = []
    const left = new StreamMultiplexer(near, near, { closed: fault => faults.push(fault) })
    left.open(1)
    far.resume().write(text)
    far.write(record(1, 1, 1, Buffer.from('x')))
    await expect.poll(() => faults).toMatchObject([{ reason: 'InvalidRequest' }])
  }))

test('a peer can send a window to streams that were never open, and no more', () =>
  rows<[string, (near: Buffer[]) => void, isFault: boolean]>([
    ['nothing', () => {}, false],
    ['data of a window', records => records.push(...dataOf(7, 2 ** 16)), false],
    ['one byte more', records => records.push(...dataOf(7, 2 ** 16), ...dataOf(8, 1)), true],
    ['credit of a window', records => records.push(record(7, 2, 2 ** 16)), false],
    ['one more', records => records.push(record(7, 2, 2 ** 16), record(8, 2, 0)), true],
    ['as many ends', records => records.push(...Array.from({ length: 2 ** 16 }, () => record(7, 3, 0))), false],
    ['one reset more', records => records.push(...dataOf(7, 2 ** 16), record(7, 4, 0)), true],
  ])(async (_what, add, isFault) => {
    const [near, far] = createPipe()
    const faults: unknown[] = []
    const left = new StreamMultiplexer(near, near, { closed: fault => faults.push(fault) })
    const stream = left.open(0)
    const records: Buffer[] = []
    add(records)
    far.resume().write(Buffer.concat([...records, record(0, 1, 2, Buffer.from('ok'))]))
    if (isFault) await expect.poll(() => faults).toMatchObject([{ message: expect.stringContaining('not open') }])
    else expect([String((await once(stream, 'data'))[0]), faults]).toEqual(['ok', []])
  }))

test('a peer that does not know yet that streams have closed breaks nothing, and one that goes on does', async () => {
  const [near, far] = createPipe()
  const faults: unknown[] = []
  const left = new StreamMultiplexer(near, near, { closed: fault => faults.push(fault) })
  far.resume()
  const stream = left.open(0)
  for (let id = 1; id <= 100; id++) {
    const closing = left.open(id)
    closing.write('it')
    closing.destroy()
    far.write(Buffer.concat([...dataOf(id, 2 ** 16), record(id, 2, 2), record(id, 3, 0), record(id, 4, 0)]))
  }
  // The window of streams that were never open.
  far.write(Buffer.concat([...dataOf(1, 2 ** 16), record(0, 1, 2, Buffer.from('ok'))]))
  expect([String((await once(stream, 'data'))[0]), faults]).toEqual(['ok', []])
  far.write(Buffer.concat(dataOf(1, 1)))
  await expect.poll(() => faults).toMatchObject([{ reason: 'InvalidRequest' }])
})

test('a peer that floods and reads nothing fills no memory with credit', async () => {
  const stalled = new Duplex({ writableHighWaterMark: 64, read() {}, write() {} })
  const faults: unknown[] = []
  const streams = new StreamMultiplexer(stalled, stalled, { closed: fault => faults.push(fault) })
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

/** Returns what a multiplexer makes of the first bytes of its peer. */
function greet() {
  const [near, far] = createPipe()
  const faults: (Error | undefined)[] = []
  let skipped = ''
  const left = new StreamMultiplexer(near, near, {
    greeting: '\nhello 1\n',
    skipped: bytes => void (skipped += bytes.toString()),
    closed: fault => faults.push(fault),
  })
  const received: string[] = []
  left.open(1).on('data', (chunk: Buffer) => received.push(chunk.toString()))
  const data = record(1, 1, 2, Buffer.from('it'))
  return { far: far.resume(), left, faults, received, data, getSkipped: () => skipped }
}

test('what others print before the greeting is told apart from the first record, wherever the chunks end', () =>
  rows(['', '\n', '\nhello 2\n', '\n\nhello \nhello ', 'x'.repeat(2 ** 16)])(async before => {
    const bytes = Buffer.concat([Buffer.from(`${before}\nhello 1\n`), record(1, 1, 2, Buffer.from('it'))])
    for (const size of [1, 3, bytes.length]) {
      if (size < 3 && bytes.length > 1000) continue
      const { far, received, getSkipped, faults } = greet()
      for (let at = 0; at < bytes.length; at += size) far.write(bytes.subarray(at, at + size))
      await expect.poll(() => received).toEqual(['it'])
      expect(getSkipped()).toBe(before)
      expect(faults).toEqual([])
    }
  }))

test('a peer that does not greet is told of as it prints, and ended behind 64 KiB', async () => {
  const { far, received, getSkipped, faults, data } = greet()
  far.write('half a line')
  await expect.poll(getSkipped).toBe('half a line')
  far.write(data)
  for (let sent = 0; sent < 2 ** 16; sent += 2 ** 10) far.write('x'.repeat(2 ** 10))
  await expect.poll(() => faults.map(fault => fault?.message)).toEqual([expect.stringContaining('no greeting')])
  expect(received).toEqual([])
})

test('a peer that ends before it has greeted has printed all that it sent', async () => {
  const { far, left, getSkipped, faults } = greet()
  far.end('no such image\nhell')
  await expect.poll(() => faults).toEqual([undefined])
  expect(getSkipped()).toBe('no such image\nhell')
  expect(left.isGreeted).toBe(false)
})
