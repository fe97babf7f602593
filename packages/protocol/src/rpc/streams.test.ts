import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { BusError } from '../errors/bus-error.js'
import { StreamReceiver } from './stream-receiver.js'
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
