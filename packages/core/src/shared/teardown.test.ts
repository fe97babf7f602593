import { afterEach, expect, it, vi } from 'vitest'
import { runSequentially } from './teardown.js'

afterEach(() => void vi.useRealTimers())

const never = new AbortController().signal
const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

it('waits for each step before the next', async () => {
  const order: string[] = []
  const slow = (name: string) => async () => {
    order.push(`${name} begins`)
    await nextTick()
    order.push(`${name} ends`)
  }
  await runSequentially([slow('a'), () => order.push('b'), slow('c')], never, () => {})
  expect(order).toEqual(['a begins', 'a ends', 'b', 'c begins', 'c ends'])
})

it('reports a step that throws or rejects, and goes on', async () => {
  const errors: unknown[] = []
  const ran: string[] = []
  const steps = [
    () => {
      throw 'thrown'
    },
    () => Promise.reject('rejected'),
    () => ran.push('last'),
  ]
  await runSequentially(steps, never, error => errors.push(error))
  expect(errors).toEqual(['thrown', 'rejected'])
  expect(ran).toEqual(['last'])
})

it('waits five seconds for a step that hangs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const ran: string[] = []
  const done = runSequentially([() => new Promise(() => {}), () => ran.push('next')], never, () => {})
  await vi.advanceTimersByTimeAsync(4999)
  expect(ran).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(ran).toEqual(['next'])
  await done
})

it('starts all remaining steps when the signal aborts, and leaves them soon', async () => {
  const controller = new AbortController()
  const ran: number[] = []
  const hang = (n: number) => () => {
    ran.push(n)
    return new Promise(() => {})
  }
  const done = runSequentially([hang(1), hang(2), hang(3)], controller.signal, () => {})
  expect(ran).toEqual([1])
  controller.abort()
  await done
  expect(ran).toEqual([1, 2, 3])
})

it('waits for quick steps after the signal has aborted', async () => {
  const ran: string[] = []
  const quick = async (): Promise<void> => {
    await nextTick()
    ran.push('quick')
  }
  await runSequentially([() => new Promise(() => {}), quick], AbortSignal.abort(), () => {})
  expect(ran).toEqual(['quick'])
})
