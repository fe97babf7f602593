import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { callsOnly, measureTask, type Subject } from './calls.js'
import { progress } from './peers.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const createSubject = (stream: Subject['stream']): Subject => ({ ...callsOnly(() => Promise.reject()), stream })

test('measures the rate of a channel', async () => {
  const subject = createSubject(async (_, count, receive) => {
    for (let chunk = 0; chunk < count; chunk++) receive(progress(chunk))
    await nextTick()
  })
  const figures = await measureTask(subject, [], { loop: 'stream', ms: 2 })
  expect(Object.keys(figures)).toEqual(['rate'])
  expect(figures['rate']).toBeGreaterThan(0)
})

test('fails the measurement when messages are lost or out of order', () =>
  rows([
    ['out of order', (count: number, at: number) => count - 1 - at],
    ['lost', (_count: number, at: number) => at + 1],
  ])(async (_, getIndex) => {
    const subject = createSubject(async (_command, count, receive) => {
      for (let at = 0; at < count; at++) receive(progress(getIndex(count, at)))
    })
    await expect(async () => measureTask(subject, [], { loop: 'stream', ms: 1 })).rejects.toThrow(
      /messages arrived in order/,
    )
  }))
