import { expect, test } from 'vitest'
import { wideProgress } from './handlers.js'
import { loopsOf } from './loops.js'
import { callsOnly, type Subject } from './subject.js'

/** A sender that is never more than `ahead` messages before the receiver. */
function subjectOf(ahead: number, messageOf: (index: number) => unknown = wideProgress): Subject {
  let taken = 0
  let many = Infinity
  return {
    ...callsOnly(async () => Math.min(many, taken + ahead)),
    pour: async (count, take) => {
      many = count
      for (taken = 0; taken < count;) await take(messageOf(taken++))
      return { waited: 50 }
    },
  }
}

const measure = (subject: Subject): unknown => loopsOf(subject)({ loop: 'slow-consumer', ms: 3 }, [])

test('the most that waits is what the sender was ahead', async () => {
  expect(await measure(subjectOf(7))).toEqual({ depth: 7, waited: 50 })
  // All at once: when it is asked first, 256 have been taken.
  expect(await measure(subjectOf(Infinity))).toEqual({ depth: 16_384 - 256, waited: 50 })
})

test('a message that is lost or overtaken fails the measurement', async () => {
  const swaps = subjectOf(1, index => wideProgress(index === 3 ? 4 : index))
  await expect(async () => measure(swaps)).rejects.toThrow('message 4 came where 3 was due')
  const loses = { ...subjectOf(1), pour: async () => ({ waited: 0 }) }
  await expect(async () => measure(loses)).rejects.toThrow('0 of 16384 messages')
})
