import { expect, test } from 'vitest'
import { workingCall } from '../payloads/greet.js'
import { makeReady } from './check.js'
import { loopsOf } from './loops.js'
import { callsOnly, type Subject } from './subject.js'

const calls = workingCall.calls.map(makeReady)

/** Answers one call each turn; of more than `window` that wait it refuses the rest. */
function busy(window: number, answer = 'done'): Subject {
  const waiting: (() => void)[] = []
  const turn = (): void => {
    waiting.shift()?.()
    if (waiting.length > 0) setImmediate(turn)
  }
  return callsOnly(
    () =>
      new Promise((resolve, reject) => {
        if (waiting.length >= window) return reject(Object.assign(new Error('too much'), { reason: 'Overloaded' }))
        waiting.push(() => resolve(answer))
        if (waiting.length === 1) setImmediate(turn)
      }),
  )
}

test('what is refused is counted beside what is answered', async () => {
  const { rate, refused, p99 } = await loopsOf(busy(64))({ loop: 'overload', ms: 300 }, calls)
  expect(rate).toBeGreaterThan(0)
  expect(refused).toBeGreaterThan(0)
  expect(refused).toBeLessThan(100)
  expect(p99).toBeGreaterThan(0)
})

test('who refuses nothing answers everything', async () => {
  expect(await loopsOf(busy(Infinity))({ loop: 'overload', ms: 5 }, calls)).toMatchObject({ refused: 0 })
})

test('any other error fails the measurement, and so does a wrong answer', async () => {
  const breaks = callsOnly(() => Promise.reject(new Error('broken')))
  await expect(async () => loopsOf(breaks)({ loop: 'overload', ms: 1 }, calls)).rejects.toThrow('broken')
  const wrong = loopsOf(busy(Infinity, 'half'))({ loop: 'overload', ms: 1 }, calls)
  await expect(async () => wrong).rejects.toThrow('"half" where "done" was expected')
})
