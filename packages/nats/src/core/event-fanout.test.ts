import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { EventBatch, readEvents, type SentEvent } from './event-fanout.js'

const event = (payload: unknown): SentEvent => ({ target: null, event: 'news', payload })

function create(): { batch: EventBatch; sent: unknown[][]; counts: number[] } {
  const [sent, counts]: [unknown[][], number[]] = [[], []]
  const batch = new EventBatch((body, count) => {
    counts.push(count)
    sent.push(readEvents(body).map(({ payload }) => payload))
  })
  return { batch, sent, counts }
}

test('the events of a turn go as one message, in order, and as they were', async () => {
  const { batch, sent, counts } = create()
  const payload = { n: 1 }
  for (const each of [payload, 2, 'three']) expect(batch.add(event(each), 1000)).toBe(true)
  payload.n = 4
  await nextTurn()
  batch.add(event(undefined), 1000)
  await nextTurn()
  expect(sent).toEqual([[{ n: 1 }, 2, 'three'], [undefined]])
  expect(counts).toEqual([3, 1])
})

test('a message has no more bytes than may go, and an event that has more by itself is refused', async () => {
  const { batch, sent } = create()
  const text = 'x'.repeat(300)
  for (const each of [1, 2, 3, 4, 5]) expect(batch.add(event(text + each), 1000)).toBe(true)
  expect(batch.add(event('x'.repeat(1000)), 1000)).toBe(false)
  await nextTurn()
  expect(sent.flat()).toEqual([1, 2, 3, 4, 5].map(each => text + each))
  expect(sent.map(({ length }) => length)).toEqual([2, 2, 1])
})
