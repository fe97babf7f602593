import { codecs } from '@sallyport/protocol/internal/codec'
import type { Frame, Link } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { AnswerScheduler, SessionWriter } from './writer.js'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { call, Peer, setUp } from '../../test/support/peer.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('cork holds messages back over the end of the tick, until uncork', async () => {
  const bodies: unknown[] = []
  const link = { send: ({ body }: Frame) => bodies.push(body), room: () => undefined } as unknown as Link
  const listener = { congested() {}, drained() {}, dropped() {}, recovered() {} }
  const { json: codec } = codecs
  const writer = new SessionWriter(link, codec, new Float64Array(32), new AnswerScheduler().schedule, listener)
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
