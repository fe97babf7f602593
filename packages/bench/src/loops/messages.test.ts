import { expect, test } from 'vitest'
import { createBackend, progress } from './handlers.js'
import { createLoops } from './serve.js'
import type { Subject } from './subject.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Both sides in one thread. */
function createSubject(change: Partial<Subject> = {}): Subject {
  const listeners = new Map<string, (payload: unknown) => void>()
  const emit = (event: string, payload: unknown): void => listeners.get(event)?.(payload)
  // A frontend's report of a fan-out comes with a later tick, when core waits for it.
  const emitLater = (event: string, payload: unknown): void => void setImmediate(() => emit(event, payload))
  const { commands, receive } = createBackend(
    () => (event, payload) => (event.startsWith('fan-') ? emitLater(event, payload) : emit(event, payload)),
  )
  return {
    call: async (command, args) => {
      await nextTick()
      return commands[command]?.(args as never)
    },
    emit: receive,
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

test.each([
  [{ loop: 'events-in', ms: 2 }, ['rate']],
  [{ loop: 'events-out', ms: 2 }, ['rate']],
  [{ loop: 'stream', ms: 2 }, ['rate']],
  [{ loop: 'listeners', ms: 2, size: 100 }, ['each']],
  [{ loop: 'fan-out', ms: 2, size: 1 }, ['each']],
] as const)('measures the figures of %j', async (task, names) => {
  const figures = await createLoops(createSubject())(task, [])
  expect(Object.keys(figures)).toEqual(names)
  for (const value of Object.values(figures)) expect(value).toBeGreaterThan(0)
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

test('fails the measurement when one of many listeners misses an event', async () => {
  let events = 0
  const subject = createSubject()
  const deaf: Subject = {
    ...subject,
    listen: (event, receive) => subject.listen(event, payload => ++events % 7 !== 0 && receive(payload)),
  }
  const task = { loop: 'listeners', ms: 1, size: 10 } as const
  await expect(async () => createLoops(deaf)(task, [])).rejects.toThrow(/of \d+ messages/)
})
