import { expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getSize, type PackedMessage } from '../codec/codec.js'
import { codecs } from '../codec/codecs.js'
import { BusError } from '../errors/bus-error.js'
import { CHANNEL_MESSAGE_COST, MAX_STREAM_UNREAD, STREAM_WINDOW } from '../wire/limits.js'
import { CallProgress } from './call-options.js'
import { createGuard, getLeastSize, StreamReceiver, watchReceiver } from './stream-receiver.js'
import { awaitSent, sendEach, StreamSender, type StreamWriter } from './stream-sender.js'
import { countStreams, Streams } from './streams.js'

function create() {
  const sent: unknown[] = []
  const writer = {
    isFull: false,
    encode: () => '',
    put: () => {},
    send: (message: object) => void sent.push(message),
    fail: () => {},
    room: () => undefined,
  }
  const streams = new Streams({
    writer,

    toError: thrown => thrown as BusError,
    createCheck: () => () => true,
  })
  return { streams, sent }
}
const close = (channel: number): object => ({ jsonrpc: '2.0', method: '$/closeChannel', params: { channel } })

test('a call opens none of its streams if one of them cannot be read', async () => {
  const { streams } = create()
  async function* count() {
    yield 1
  }
  const source = count()
  const locked = new ReadableStream()
  locked.getReader()
  expect(() => streams.replace('upload', { a: source, b: locked }, () => undefined)).toThrow(
    'The argument "b" of command "upload"',
  )
  expect(await source.next()).toEqual({ done: true, value: undefined })
  expect(countStreams(streams)).toBe(0)
})

test('a value in whose place the gate has sent an error closes its stream', async () => {
  const { streams, sent } = create()
  const receiver = streams.receive(7, new StreamReceiver())
  const next = receiver.next()
  streams.handle('$/channel', { channel: 7, index: 0, error: { code: -32002, message: 'no' } })
  await expect(next).rejects.toMatchObject({ reason: 'Rejected' })
  expect(sent).toEqual([close(7)])
})

test('the first message of an unknown stream closes it, and later ones are dropped', () => {
  const { streams, sent } = create()
  streams.handle('$/channel', { channel: 7, index: 0, message: 1 })
  streams.handle('$/channel', { channel: 7, index: 1, message: 2 })
  streams.handle('$/channel', { channel: 8, index: 0, end: true })
  expect(sent).toEqual([close(7)])
})

test('malformed messages are refused', () =>
  rows<[string, unknown]>([
    ['$/channel', undefined],
    ['$/channel', { channel: -1, index: 0, message: 1 }],
    ['$/channel', { channel: 7, credit: 'much' }],
    ['$/channel', { channel: 7, index: 0, error: 'text' }],
    ['$/channel', { channel: 7, index: 0, messages: [1, 2] }],
    ['$/credit', { channel: 7, bytes: -1 }],
    ['$/closeChannel', { channel: '7' }],
    ['$/other', { channel: 7 }],
  ])((method, params) => expect(create().streams.handle(method, params)).toBe(false)))

const TEXT = 'x'.repeat(100)
const COST = TEXT.length + CHANNEL_MESSAGE_COST

/** A stream, and what it has written. */
function open(window: number, { room, begin }: { room?: Promise<void>; begin?: () => void } = {}) {
  const written: unknown[] = []
  const asked: number[] = []
  const ends: unknown[] = []
  const writer = {
    isFull: false as boolean,
    encode: (_stream, value) => value as string,
    put: encoded => void written.push(encoded),
    room: () => room,
    send(message) {
      const { credit, index } = (message as { params: { credit?: number; index: number } }).params
      if (credit === undefined) ends.push(index)
      else asked.push(credit)
    },
    fail: (_stream, error) => void ends.push(error),
  } satisfies StreamWriter
  return { stream: new StreamSender(1, writer, window, () => {}, begin), writer, written, asked, ends }
}

test('sends while its messages in flight cost less than the window, and one more with each credit of one', () => {
  const { stream, written, asked } = open(4 * COST)
  for (let n = 0; n < 8; n++) void stream.send(TEXT)
  expect(written).toHaveLength(4)
  stream.credit(COST)
  expect(written).toHaveLength(5)
  stream.credit(COST - 1)
  expect(written).toHaveLength(6)
  // One byte is in flight still: the last message exceeds the window by it.
  stream.credit(COST)
  expect(written).toHaveLength(7)
  expect(asked).toEqual(Array(7).fill(COST))
})

test('a message that waits keeps the bytes that it owns, and has a copy of those that are borrowed', () => {
  const { stream, writer, written } = open(COST)
  const pack = (borrowed: boolean): PackedMessage => ({
    codec: codecs.json,
    encoded: TEXT,
    attachments: [new Uint8Array(4)],
    borrowed,
  })
  const packed = [pack(false), pack(false), pack(true)]
  const rest = [...packed]
  writer.encode = () => rest.shift() as never
  for (const _ of packed) void stream.send(undefined)
  stream.credit(9 * COST)
  stream.credit(9 * COST)
  const attached = written.map(each => (each as PackedMessage).attachments[0])
  expect(attached.map((bytes, at) => bytes === packed[at]!.attachments[0])).toEqual([true, true, false])
})

test('asks for credit after each quarter of the window', () => {
  const { stream, asked } = open(8 * COST)
  for (let n = 0; n < 5; n++) void stream.send(TEXT)
  expect(asked).toEqual([2 * COST, 2 * COST])
})

test('false credit gains one window, once the link has room', async () => {
  let makeRoom = (): void => {}
  const { stream, written } = open(2 * COST, { room: new Promise(resolve => (makeRoom = resolve)) })
  const sending = Array.from({ length: 9 }, () => stream.send(TEXT))
  for (let n = 0; n < 10; n++) stream.credit(Number.MAX_SAFE_INTEGER)
  await Promise.resolve()
  expect(written).toHaveLength(2)
  makeRoom()
  await sending[3]
  expect(written).toHaveLength(4)
  stream.abandon()
  const outcomes = await Promise.allSettled(sending)
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(5)
})

test('ends after the messages that wait for credit, with the error of its source', () => {
  const { stream, written, ends } = open(COST)
  for (let n = 0; n < 2; n++) void stream.send(TEXT)
  stream.end()
  expect(ends).toEqual([])
  stream.credit(COST)
  expect([written.length, ends]).toEqual([2, [2]])
})

test('a stream that its reader has left says no end', () => {
  const { stream, ends } = open(COST)
  stream.abandon()
  stream.end()
  expect(ends).toEqual([])
})

test('a stream that is over refuses messages as such, however full its link is', () =>
  rows<(stream: StreamSender) => void>({
    'its sender has ended it': stream => stream.end(),
    'its reader has left it': stream => stream.abandon(),
  })(async act => {
    const { stream, writer } = open(COST)
    for (let n = 0; n < 2; n++) stream.send(TEXT).catch(() => {})
    act(stream)
    writer.isFull = true
    await expect(stream.send(TEXT)).rejects.toMatchObject({ reason: 'Disconnected' })
  }))

test('a refused message that nobody awaits is no unhandled rejection', async () => {
  const unhandled = vi.fn<() => void>()
  process.on('unhandledRejection', unhandled)
  onTestFinished(() => void process.off('unhandledRejection', unhandled))
  const { stream } = open(COST)
  stream.abandon()
  void stream.send(TEXT)
  await new Promise(setImmediate)
  expect(unhandled).not.toHaveBeenCalled()
})

test('a message whose toJSON ends its stream is refused, and not sent', () =>
  rows<(stream: StreamSender) => void>({
    'as its sender': stream => stream.end(),
    'as its reader': stream => stream.abandon(),
  })(async act => {
    const { stream, writer, written } = open(2 * COST)
    writer.encode = (sender, value) => {
      act(sender)
      return value as string
    }
    await expect(stream.send(TEXT)).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(written).toEqual([])
  }))

test('the answer of a call waits for messages that wait for credit, and for no others', async () => {
  const { stream } = open(COST)
  void stream.send(TEXT)
  expect(awaitSent([stream])).toBeUndefined()
  void stream.send(TEXT)
  const sent = awaitSent([stream])
  expect(sent).toBeInstanceOf(Promise)
  stream.credit(COST)
  await sent
  expect(awaitSent([stream])).toBeUndefined()
})

test('a source is not read before the first credit, and no further than the first value that there is no credit for', async () => {
  let read = 0
  let sending: Promise<boolean> | undefined
  const { stream, written } = open(2 * COST, { begin: () => void (sending = sendEach(source(), stream)) })
  async function* source(): AsyncGenerator<string> {
    for (;;) {
      read++
      yield TEXT
    }
  }
  expect(read).toBe(0)
  stream.credit(2 * COST)
  await new Promise(setImmediate)
  expect([read, written.length]).toEqual([3, 2])
  stream.abandon()
  expect(await sending).toBe(false)
})

const DONE = { done: true, value: undefined }

function openReceiver(isLazy = false) {
  const sent: unknown[] = []
  const stream = new StreamReceiver<unknown>()
  const peer = { credit: (bytes: number) => void sent.push(bytes), close: () => void sent.push('close') }
  stream.open({ ...peer, forget: () => {} }, isLazy)
  let index = 0
  const say = (message: unknown): void => stream.receive({ channel: 7, index: index++, message })
  const ask = (credit: number): void => stream.receive({ channel: 7, credit })
  return { stream, sent, say, ask }
}

test('gives the first credit when it is read, and what it is asked for once the messages before were read', async () => {
  const { stream, sent, say, ask } = openReceiver(true)
  const first = stream.next()
  expect(sent).toEqual([STREAM_WINDOW])
  for (const message of [1, 2]) say(message)
  ask(5)
  expect(await first).toEqual({ done: false, value: 1 })
  expect(sent).toHaveLength(1)
  expect(await stream.next()).toEqual({ done: false, value: 2 })
  expect(sent).toEqual([STREAM_WINDOW, 5])
})

test('gives no credit once it has ended', async () => {
  const { stream, sent, say, ask } = openReceiver(true)
  say(1)
  ask(5)
  stream.finish()
  expect([await stream.next(), await stream.next(), sent]).toEqual([{ done: false, value: 1 }, DONE, []])
})

test('rejects once with the error of its source, after the messages before', async () => {
  const { stream, say } = openReceiver()
  say(1)
  stream.finish(new BusError('CommandFailed', 'no more'))
  expect(await stream.next()).toEqual({ done: false, value: 1 })
  await expect(stream.next()).rejects.toThrow('no more')
  expect(await stream.next()).toEqual(DONE)
})

test('rejects a pending and every later next when its call ends, and drops what was not read', async () => {
  const { stream, say } = openReceiver()
  const [pending] = [stream.next(), say(1), say(2)]
  await pending
  stream.fail(new BusError('Disconnected', 'gone'))
  for (let n = 0; n < 2; n++) await expect(stream.next()).rejects.toThrow('gone')
})

test('a stream that ended before its call was whole if all of it had been read, and otherwise fails', () =>
  rows([
    ['all', true, DONE],
    ['not all', false, 'gone'],
  ])(async (_how, isRead, expected) => {
    const { stream, say } = openReceiver()
    say(1)
    stream.finish()
    if (isRead) await stream.next()
    stream.fail(new BusError('Disconnected', 'gone'))
    expect(await stream.next().catch(({ message }: BusError) => message)).toEqual(expected)
  }))

test('is done at once when it is left while its sender never sends', async () => {
  const { stream, sent } = openReceiver()
  const next = stream.next()
  stream.close()
  expect([await next, await stream.next(), sent]).toEqual([DONE, DONE, ['close']])
})

test('holds the deadline of a call up while what has arrived is not read, and not once it is left or has ended', () =>
  rows<(stream: StreamReceiver) => unknown>({
    'it is left': stream => stream.close(),
    'its call ends': stream => stream.fail(),
    'all is read': stream => stream.take(),
    'all is read after its end': stream => (stream.finish(), stream.take()),
  })(act => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { stream, say } = openReceiver()
    const progress = new CallProgress({ idle: 1000 })
    watchReceiver(stream, progress)
    const expired = vi.fn<() => void>()
    progress.watch(expired)
    say(1)
    vi.advanceTimersByTime(10_500)
    expect(expired).not.toHaveBeenCalled()
    act(stream)
    vi.advanceTimersByTime(1000)
    expect(expired).toHaveBeenCalledOnce()
  }))

const values = [
  null,
  true,
  0,
  -1.5,
  '',
  'text',
  'ü€😀',
  [],
  {},
  [1, 2, 3],
  { name: 'x', list: [null, { deep: ['y'] }] },
  Array.from({ length: 5000 }, () => ({ a: 0 })),
  [...Array<number>(2000).fill(0), 'x'.repeat(10_000)],
]

test('is at most the encoded size', () =>
  rows(values.map(value => [JSON.stringify(value).slice(0, 30), value]))((_name, value) => {
    const size = getLeastSize(value, Infinity)
    expect(size).toBeLessThanOrEqual(JSON.stringify(value).length)
    expect(size).toBeLessThanOrEqual(getSize(codecs.msgpack.encodeValue(value)!))
  }))

test('counts what is far down, and bytes', () => {
  expect(getLeastSize([...Array<number>(2000).fill(0), 'x'.repeat(10_000)], Infinity)).toBeGreaterThan(12_000)
  expect(getLeastSize({ body: new Uint8Array(1000) }, Infinity)).toBeGreaterThan(1000)
})

test('stops at what is enough', () => {
  const huge = Array.from({ length: 1000 }, () => 'x'.repeat(1000))
  expect(getLeastSize(huge, 5000)).toBeLessThan(7000)
})

/** Lets messages of so many bytes arrive unread, with other things between. Returns the number after which the sender has violated its credit. */
function flood(size: number, count: number, { others = 0, isGranted = true } = {}): number | undefined {
  const faults: BusError[] = []
  let receivedBytes = 0
  const check = createGuard(
    () => receivedBytes,
    error => void faults.push(error),
  )
  const unread: string[][] = []
  while (unread.length < count && faults.length === 0) {
    receivedBytes += size + others
    unread.push(['x'.repeat(size)])
    check(unread, isGranted)
  }
  return faults.length > 0 ? unread.length : undefined
}

test('a sender violates its credit with 4 MiB unread, besides the two largest, with many small messages, or with one before it has any', () => {
  expect(flood(MAX_STREAM_UNREAD / 4, 100)).toBe(6)
  expect(flood(1, 5000)).toBe(4097)
  expect(flood(1, 5000, { others: MAX_STREAM_UNREAD })).toBe(4097)
  expect(flood(1, 1, { isGranted: false })).toBe(1)
})

test('a sender may have unread what it has credit for, whatever else arrives', () => {
  expect(flood(128 * 1024, 8)).toBeUndefined()
  expect(flood(128 * 1024, 8, { others: MAX_STREAM_UNREAD })).toBeUndefined()
})
