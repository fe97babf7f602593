import { expect, test } from 'vitest'
import { CHANNEL_MESSAGE_COST } from '../wire/limits.js'
import { sendEach, StreamSender, type StreamWriter } from './stream-sender.js'

const TEXT = 'x'.repeat(100)
const COST = TEXT.length + CHANNEL_MESSAGE_COST

/** A stream, and what it has written. */
function open(window: number, { room, begin }: { room?: Promise<void>; begin?: () => void } = {}) {
  const written: unknown[] = []
  const asked: number[] = []
  const ends: unknown[] = []
  const writer: StreamWriter = {
    isFull: false,
    encode: (_stream, value) => value as string,
    put: encoded => void written.push(encoded),
    room: () => room,
    send(message) {
      const { credit, index } = (message as { params: { credit?: number; index: number } }).params
      if (credit === undefined) ends.push(index)
      else asked.push(credit)
    },
    fail: (_stream, error) => void ends.push(error),
  }
  return { stream: new StreamSender(1, writer, window, () => {}, begin), written, asked, ends }
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
