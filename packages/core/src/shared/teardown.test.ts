// What is ended one after the other: order, failures, and what never ends.
import { afterEach, expect, it, vi } from 'vitest'
import { runSequentially } from './teardown.js'

afterEach(() => void vi.useRealTimers())

const never = new AbortController().signal
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

it('waits for each before the next begins', async () => {
  const order: string[] = []
  const slow = (name: string) => async () => {
    order.push(`${name} begins`)
    await turn()
    order.push(`${name} ends`)
  }
  await runSequentially([slow('a'), () => order.push('b'), slow('c')], never, () => {})
  expect(order).toEqual(['a begins', 'a ends', 'b', 'c begins', 'c ends'])
})

it('what throws or rejects is told, and stops nothing', async () => {
  const told: unknown[] = []
  const ran: string[] = []
  const steps = [
    () => {
      throw 'thrown'
    },
    () => Promise.reject('rejected'),
    () => ran.push('last'),
  ]
  await runSequentially(steps, never, error => told.push(error))
  expect(told).toEqual(['thrown', 'rejected'])
  expect(ran).toEqual(['last'])
})

it('what hangs holds up the rest for five seconds', async () => {
  vi.useFakeTimers()
  const ran: string[] = []
  const done = runSequentially([() => new Promise(() => {}), () => ran.push('next')], never, () => {})
  await vi.advanceTimersByTimeAsync(4999)
  expect(ran).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(ran).toEqual(['next'])
  await done
})

it('in a hurry all are begun, and a moment later left to themselves', async () => {
  const hurry = new AbortController()
  const ran: number[] = []
  const hang = (n: number) => () => {
    ran.push(n)
    return new Promise(() => {})
  }
  const done = runSequentially([hang(1), hang(2), hang(3)], hurry.signal, () => {})
  expect(ran).toEqual([1])
  hurry.abort()
  await done
  expect(ran).toEqual([1, 2, 3])
})

it('in a hurry what ends soon has ended', async () => {
  const ran: string[] = []
  const soon = async (): Promise<void> => {
    await turn()
    ran.push('soon')
  }
  await runSequentially([() => new Promise(() => {}), soon], AbortSignal.abort(), () => {})
  expect(ran).toEqual(['soon'])
})
