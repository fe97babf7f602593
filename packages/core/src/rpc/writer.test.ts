import { codecs } from '@sallyport/protocol/internal/codec'
import { StreamSender } from '@sallyport/protocol/internal/rpc'
import {
  CHANNEL_READ_AHEAD,
  type Frame,
  type Link,
  MAX_EVENT_QUEUE,
  MAX_EVENT_QUEUE_BYTES,
  MAX_SESSION_QUEUE,
  MAX_SESSION_QUEUE_BYTES,
} from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { AnswerScheduler, SessionWriter } from './writer.js'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { rows } from '../../../../scripts/testing.js'
import { call, Peer, setUp } from '../../test/support/peer.js'
import { toCounts } from '../shared/metrics.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('cork holds messages back over the end of the tick, until uncork', async () => {
  const bodies: unknown[] = []
  const link = { send: ({ body }: Frame) => bodies.push(body), room: () => undefined } as unknown as Link
  const listener = { congested() {}, drained() {}, dropped() {}, recovered() {} }
  const { json: codec } = codecs
  const writer = new SessionWriter(link, codec, toCounts(), new AnswerScheduler().schedule, listener)
  const put = (encoded: string): void => writer.put({ codec, encoded, attachments: [] })
  writer.cork()
  put('1')
  await nextTick()
  put('2')
  expect(bodies).toEqual([])
  writer.uncork()
  expect(bodies).toEqual(['[1,2]'])
  put('3')
  await nextTick()
  await nextTick()
  expect(bodies).toEqual(['[1,2]', '3'])
})

/** Returns names in the order in which their callbacks ran, until after the next tick. */
async function getOrder(run: (record: (name: string) => () => void) => void): Promise<string[]> {
  const order: string[] = []
  run(name => () => order.push(name))
  for (let turn = 0; turn < 3; turn++) await nextTurn()
  return order
}

const settleAfter = async (microtasks: number): Promise<void> => {
  for (let count = 0; count < microtasks; count++) await Promise.resolve()
}

describe('a scheduler', () => {
  const scheduler = new AnswerScheduler()

  test('flushes after everything that is ready when no frame has come in', async () => {
    const order = await getOrder(record => {
      setImmediate(record('immediate'))
      scheduler.schedule(record('end'))
      void settleAfter(5).then(record('promises'))
      process.nextTick(record('nextTick'))
    })
    expect(order).toEqual(['promises', 'nextTick', 'immediate', 'end'])
  })

  test('flushes once promises have settled after flushAfterMicrotasks', async () => {
    const order = await getOrder(record => {
      setImmediate(record('immediate'))
      scheduler.flushAfterMicrotasks()
      void settleAfter(9).then(() => {
        record('promises')()
        scheduler.schedule(record('end'))
      })
    })
    expect(order).toEqual(['promises', 'end', 'immediate'])
  })

  test('flushes at the end of the tick again after the tick of flushAfterMicrotasks', async () => {
    scheduler.flushAfterMicrotasks()
    await nextTurn()
    const order = await getOrder(record => {
      scheduler.schedule(record('end'))
      process.nextTick(record('nextTick'))
    })
    expect(order).toEqual(['nextTick', 'end'])
  })

  test('is not affected by another one', async () => {
    const order = await getOrder(record => {
      new AnswerScheduler().flushAfterMicrotasks()
      scheduler.schedule(record('end'))
      setImmediate(record('immediate'))
      process.nextTick(record('nextTick'))
    })
    expect(order).toEqual(['nextTick', 'end', 'immediate'])
  })
})

describe('answers', () => {
  const commands = {
    // Each answer has its own callback of the same tick.
    late: () => new Promise(resolve => setImmediate(resolve, 'late')),
    soon: async () => {
      await settleAfter(5)
      return 'soon'
    },
    now: () => 'now',
  }
  const receiveAnswers = async (...names: string[]): Promise<Peer> => {
    const peer = new Peer((await setUp('brownfield', commands)).core, 'main')
    peer.send(`[${names.map((name, id) => call(id, name)).join()}]`)
    for (const _ of names) await peer.next()
    return peer
  }

  test('share a frame when their callbacks run in one tick', async () => {
    expect((await receiveAnswers('late', 'late', 'late', 'late')).frames).toBe(1)
  })

  test('do not wait for promises when they are ready immediately', async () => {
    expect((await receiveAnswers('soon', 'now', 'soon', 'now')).frames).toBe(2)
  })
})

describe('while the link has no room', () => {
  /** A writer with room for no message. */
  async function setUpFull() {
    const link = { send() {}, room: () => new Promise(() => {}) } as unknown as Link
    const dropped: number[] = []
    const listener = {
      congested() {},
      drained() {},
      dropped: (count: number) => void dropped.push(count),
      recovered() {},
    }
    const { json: codec } = codecs
    const writer = new SessionWriter(link, codec, toCounts(), new AnswerScheduler().schedule, listener)
    const put = (encoded: string, isEvent: boolean): void =>
      writer.put({ codec, encoded, attachments: [] }, undefined, 0, isEvent)
    put('1', false)
    await nextTick()
    return { writer, dropped, put }
  }

  test('as many events wait as the limits of number and bytes allow, and no more', () =>
    rows([
      ['number', MAX_EVENT_QUEUE, ''],
      ['bytes', 32, 'x'.repeat(MAX_EVENT_QUEUE_BYTES / 32)],
    ])(async (_limit, count, text) => {
      const { put, dropped } = await setUpFull()
      for (let n = 0; n < count; n++) put(text, true)
      expect(dropped).toEqual([])
      put('x', true)
      expect(dropped).toEqual([1])
    }))

  test('as many answers, calls and messages wait as the limits of number and bytes allow, and no more', () =>
    rows([
      ['number', MAX_SESSION_QUEUE, ''],
      ['bytes', 64, 'x'.repeat(MAX_SESSION_QUEUE_BYTES / 64)],
    ])(async (_limit, count, text) => {
      const { put, writer } = await setUpFull()
      const isOverloaded = expect.objectContaining({ reason: 'Overloaded' }) as Error
      const channel = new StreamSender(1, writer, CHANNEL_READ_AHEAD, () => {})
      for (let n = 1; n < count; n++) put(text, false)
      expect(writer.isFull).toBe(false)
      put(text, false)
      expect(writer.result(1, 'm', null)).toEqual(isOverloaded)
      expect(() => writer.request(1, 'f', {}, undefined, undefined)).toThrow(isOverloaded)
      await expect(channel.send(1)).rejects.toEqual(isOverloaded)
    }))
})
