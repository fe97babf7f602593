import { EventEmitter, once } from 'node:events'
import { expect, test } from 'vitest'
import type { Request } from '../loops/calls.js'
import { usualCall } from '../model/payloads.js'
import type { Task } from '../model/scenario.js'
import { createMeasuring } from './threads.js'

const task: Task = { loop: 'calls', ms: 1 }
const never = new Promise<never>(() => {})

test('sends a payload once, and returns the answer of each request', async () => {
  const sent: Request[] = []
  const measure = createMeasuring(async request => ({ rate: sent.push(request) }), never)
  expect(await Promise.all([measure(task, usualCall), measure(task, usualCall)])).toEqual([{ rate: 1 }, { rate: 2 }])
  expect(sent.map(({ payloadId, payload }) => [payloadId, payload?.id])).toEqual([
    ['usual', 'usual'],
    ['usual', undefined],
  ])
})

test('rejects a request that fails', async () => {
  const measure = createMeasuring(() => Promise.reject(new Error('the port is closed')), never)
  await expect(measure(task, usualCall)).rejects.toThrow('the port is closed')
})

test('rejects pending and later requests when the thread is gone', async () => {
  const gone = new EventEmitter()
  const failed = once(gone, 'gone') as Promise<never>
  const measure = createMeasuring(() => never, failed)
  const pending = measure(task, usualCall)
  gone.emit('error', new Error('the thread is gone'))
  await expect(pending).rejects.toThrow('the thread is gone')
  await expect(measure(task, usualCall)).rejects.toThrow('the thread is gone')
})
