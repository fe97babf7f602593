import { expect, test } from 'vitest'
import { usualCall } from '../payloads/greet.js'
import type { Task } from '../task.js'
import type { Request } from '../workers/serve.js'
import { converse } from './conversation.js'

const task: Task = { loop: 'calls', ms: 1 }

test('a payload is sent once, and answers find their requests', async () => {
  const sent: Request[] = []
  const conversation = converse(request => sent.push(request))
  const [first, second] = [conversation.measure(task, usualCall), conversation.measure(task, usualCall)]
  expect(sent.map(({ payloadId, payload }) => [payloadId, payload?.id])).toEqual([
    ['usual', 'usual'],
    ['usual', undefined],
  ])
  conversation.receive({ id: sent[1]!.id, figures: { rate: 2 } })
  conversation.receive({ id: sent[0]!.id, error: 'wrong answer' })
  await expect(first).rejects.toThrow('wrong answer')
  await expect(second).resolves.toEqual({ rate: 2 })
})

test('a request has an end: the deadline, a send that fails, or the end of the thread', async () => {
  await expect(converse(() => {}, 1).measure(task, usualCall)).rejects.toThrow('no answer after 2 ms')
  const shut = converse(() => Promise.reject(new Error('the port is shut')))
  await expect(shut.measure(task, usualCall)).rejects.toThrow('the port is shut')
  const conversation = converse(() => {})
  const waiting = conversation.measure(task, usualCall)
  conversation.fail(new Error('the thread is gone'))
  await expect(waiting).rejects.toThrow('the thread is gone')
  await expect(conversation.measure(task, usualCall)).rejects.toThrow('the thread is gone')
})
