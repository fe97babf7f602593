import { expect, test } from 'vitest'
import type { Request } from '../loops/serve.js'
import type { Task } from '../model/scenario.js'
import { usualCall } from '../payloads/payloads.js'
import { createConversation } from './threads.js'

const task: Task = { loop: 'calls', ms: 1 }

test('sends a payload once, and matches answers with their requests', async () => {
  const sent: Request[] = []
  const { measure, receive } = createConversation(request => sent.push(request))
  const [first, second] = [measure(task, usualCall), measure(task, usualCall)]
  expect(sent.map(({ payloadId, payload }) => [payloadId, payload?.id])).toEqual([
    ['usual', 'usual'],
    ['usual', undefined],
  ])
  receive({ id: sent[1]!.id, figures: { rate: 2 } })
  receive({ id: sent[0]!.id, error: 'wrong answer' })
  await expect(first).rejects.toThrow('wrong answer')
  await expect(second).resolves.toEqual({ rate: 2 })
})

test('rejects a request after its deadline', async () => {
  await expect(createConversation(() => {}, 1).measure(task, usualCall)).rejects.toThrow('No answer within 2 ms')
})

test('rejects a request that cannot be sent', async () => {
  const { measure } = createConversation(() => Promise.reject(new Error('the port is closed')))
  await expect(measure(task, usualCall)).rejects.toThrow('the port is closed')
})

test('rejects pending and later requests when the thread is gone', async () => {
  const { measure, fail } = createConversation(() => {})
  const pending = measure(task, usualCall)
  fail(new Error('the thread is gone'))
  await expect(pending).rejects.toThrow('the thread is gone')
  await expect(measure(task, usualCall)).rejects.toThrow('the thread is gone')
})
