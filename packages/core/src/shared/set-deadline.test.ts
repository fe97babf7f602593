import { MessageChannel } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { setDeadline } from './set-deadline.js'

test('a deadline is over only if nothing has arrived, although this thread was busy', () =>
  rows([
    ['is not over if what it waits for arrived while this thread was busy', true],
    ['is over if nothing has arrived', false],
  ])(async (_what, arrives) => {
    const { port1, port2 } = new MessageChannel()
    onTestFinished(() => port1.close())
    const onLate = vi.fn<() => void>()
    port1.on('message', () => end())
    // The event loop runs timers next, before it reads.
    await new Promise(setImmediate)
    const end = setDeadline(10, onLate)
    if (arrives) port2.postMessage(undefined)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    // After the turn in which the deadline has passed.
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate)
    expect(onLate).toHaveBeenCalledTimes(arrives ? 0 : 1)
  }))

test('a deadline that has ended is never over', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  setDeadline(10, () => {})()
  expect(vi.getTimerCount()).toBe(0)
})
