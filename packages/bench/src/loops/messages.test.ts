import { expect, test } from 'vitest'
import { createBackend, progress } from './handlers.js'
import { createLoops } from './serve.js'
import type { Subject } from './subject.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Both sides in one thread. */
function createSubject(change: Partial<Subject> = {}): Subject {
  const listeners = new Map<string, (payload: unknown) => void>()
  const emit = (event: string, payload: unknown): void => listeners.get(event)?.(payload)
  const { commands, countEvent } = createBackend(() => emit)
  return {
    call: async (command, args) => {
      await nextTick()
      return commands[command]?.(args as never)
    },
    emit: countEvent,
    listen: async (event, listener) => {
      listeners.set(event, listener)
      return () => listeners.delete(event)
    },
    stream: async (_, count, take) => {
      for (let chunk = 0; chunk < count; chunk++) take(progress(chunk))
      await nextTick()
    },
    ...change,
  }
}

test.each(['events-in', 'events-out', 'stream'] as const)('measures the rate of %s', async loop => {
  const figures = await createLoops(createSubject())({ loop, ms: 2 }, [])
  expect(Object.keys(figures)).toEqual(['rate'])
  expect(figures['rate']).toBeGreaterThan(0)
})

test('fails the measurement when a message is lost', async () => {
  const loses = createSubject({ emit: () => {} })
  await expect(async () => createLoops(loses)({ loop: 'events-out', ms: 1 }, [])).rejects.toThrow(/0 of \d+ messages/)
})

test('fails the measurement when messages arrive out of order', async () => {
  const swaps = createSubject({
    stream: async (_, count, receive) => {
      for (let chunk = count - 1; chunk >= 0; chunk--) receive(progress(chunk))
    },
  })
  await expect(async () => createLoops(swaps)({ loop: 'stream', ms: 1 }, [])).rejects.toThrow(
    /messages arrived in order/,
  )
})
