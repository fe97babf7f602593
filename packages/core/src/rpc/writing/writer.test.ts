import { codecs } from '@sallyport/protocol/internal/codec'
import type { Frame, Link } from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { AnswerScheduler } from './answer-scheduler.js'
import { SessionWriter } from './writer.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('cork holds messages back over the end of the tick, until uncork', async () => {
  const bodies: unknown[] = []
  const link = { send: ({ body }: Frame) => bodies.push(body), room: () => undefined } as unknown as Link
  const listener = { congested() {}, drained() {}, dropped() {}, recovered() {} }
  const { json: codec } = codecs
  const writer = new SessionWriter(link, codec, new Float64Array(32), new AnswerScheduler(), listener)
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
