import { expect, test } from 'vitest'
import { BusError } from '../errors/bus-error.js'
import { STREAM_WINDOW } from '../wire/limits.js'
import { StreamReceiver } from './stream-receiver.js'

const DONE = { done: true, value: undefined }

function open(isLazy = false) {
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
  const { stream, sent, say, ask } = open(true)
  const first = stream.next()
  expect(sent).toEqual([STREAM_WINDOW])
  for (const message of [1, 2]) say(message)
  ask(5)
  expect(await first).toEqual({ done: false, value: 1 })
  expect(sent).toHaveLength(1)
  expect(await stream.next()).toEqual({ done: false, value: 2 })
  expect(sent).toEqual([STREAM_WINDOW, 5])
})

test('rejects once with the error of its source, after the messages before', async () => {
  const { stream, say } = open()
  say(1)
  stream.finish(new BusError('CommandFailed', 'no more'))
  expect(await stream.next()).toEqual({ done: false, value: 1 })
  await expect(stream.next()).rejects.toThrow('no more')
  expect(await stream.next()).toEqual(DONE)
})

test('rejects a pending and every later next when its call ends, and drops what was not read', async () => {
  const { stream, say } = open()
  const [pending] = [stream.next(), say(1), say(2)]
  await pending
  stream.fail(new BusError('Disconnected', 'gone'))
  for (let n = 0; n < 2; n++) await expect(stream.next()).rejects.toThrow('gone')
})

test('is done at once when it is left while its sender never sends', async () => {
  const { stream, sent } = open()
  const next = stream.next()
  stream.close()
  expect([await next, await stream.next(), sent]).toEqual([DONE, DONE, ['close']])
})
