import { codecs, type Frame, type Link } from '@sallyport/protocol/internal'
import { expect, test } from 'vitest'
import { SessionQueue } from './session-queue.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('cork holds messages back over the end of the tick, until uncork', async () => {
  const bodies: unknown[] = []
  const link = { send: ({ body }: Frame) => bodies.push(body), room: () => undefined } as unknown as Link
  const listener = { congested() {}, drained() {}, dropped() {}, recovered() {} }
  const queue = new SessionQueue(link, codecs.json, new Float64Array(32), listener)
  queue.cork()
  queue.send(codecs.json, '1')
  await nextTick()
  queue.send(codecs.json, '2')
  expect(bodies).toEqual([])
  queue.uncork()
  expect(bodies).toEqual(['[1,2]'])
  queue.send(codecs.json, '3')
  await nextTick()
  await nextTick()
  expect(bodies).toEqual(['[1,2]', '3'])
})
