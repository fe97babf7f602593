import { expect, test } from 'vitest'
import { usualCall } from '../payloads/greet.js'
import { sharedClock } from './bench-event.js'
import { makeReady } from './check.js'
import { loopsOf } from './loops.js'
import { callsOnly, type Subject } from './subject.js'

const calls = usualCall.calls.map(makeReady)
const measure = (subject: Subject): unknown => loopsOf(subject)({ loop: 'recover-core', ms: 1 }, calls)

/** A core that is away for so many calls after it has crashed. */
function subjectOf(away: number, born: () => number = sharedClock, reason = 'Disconnected'): Subject {
  let asked = 0
  return callsOnly(async command => {
    if (command === 'crash') return sharedClock() + 2000
    if (command === 'born') return born()
    if (++asked <= away) throw Object.assign(new Error('away'), { reason })
    return 'Hello, World!'
  })
}

test('asks until there is an answer, and counts from the crash', async () => {
  const { time } = (await measure(subjectOf(3))) as { time: number }
  // Three pauses of a millisecond, which timers may cut short by a part of one.
  expect(time).toBeGreaterThan(2000)
})

test('who was there before has not crashed, and any other error fails', async () => {
  await expect(async () => measure(subjectOf(0, () => 1))).rejects.toThrow('core has not crashed')
  await expect(async () => measure(subjectOf(1, sharedClock, 'Denied'))).rejects.toThrow('away')
})
