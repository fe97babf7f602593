import { expect, test } from 'vitest'
import { Waiting } from './cancel.js'
import { loopsOf } from './loops.js'
import { callsOnly, type Subject } from './subject.js'

/** Both sides in one thread; `change` makes it a worse one. */
function subjectOf(change: Partial<Subject> = {}): Subject {
  const waiting = new Waiting()
  const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  return {
    ...callsOnly(async (command, args) => {
      await nextTurn()
      const { id } = args as { id: number }
      return command === 'waits' ? waiting.waits(id) : waiting.heard(id)
    }),
    callUntil: (_, args, signal) => waiting.wait((args as { id: number }).id, signal),
    ...change,
  }
}

test('both sides say when they heard of it', async () => {
  const figures = await loopsOf(subjectOf())({ loop: 'cancel', ms: 2 }, [])
  expect(Object.keys(figures)).toEqual(['settled', 'signal'])
  for (const value of Object.values(figures)) expect(value).toBeGreaterThan(0)
})

test('a call that is answered, or fails before it is given up, fails the measurement', async () => {
  const measure = (change: Partial<Subject>): unknown => loopsOf(subjectOf(change))({ loop: 'cancel', ms: 1 }, [])
  await expect(async () => measure({ callUntil: async () => 'an answer' })).rejects.toThrow('was answered')
  const fails = { callUntil: () => Promise.reject(new Error('no such command')) }
  await expect(async () => measure(fails)).rejects.toThrow('no such command')
  await expect(async () => measure({ callUntil: () => new Promise(() => {}) })).rejects.toThrow('does not run')
  await expect(async () => measure({ callUntil: undefined as never })).rejects.toThrow('cancels nothing')
})
