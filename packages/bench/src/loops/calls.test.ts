import { describe, expect, test } from 'vitest'
import { echoBytes, FAILURE, failingCall, usualCall } from '../payloads/payloads.js'
import { createBackend, greet, sharedClock } from './handlers.js'
import { createLoops } from './serve.js'
import { callsOnly, prepareCall, type Subject } from './subject.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const calls = usualCall.calls.map(prepareCall)

/** Both sides in one thread. */
const createSubject = (change: Partial<Subject> = {}): Subject => ({
  ...callsOnly(async (_, args) => {
    await nextTick()
    return greet(args as { name: string })
  }),
  transfer: async (_, bytes) =>
    structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] }) as Uint8Array<ArrayBuffer>,
  ...change,
})

describe('calls', () => {
  test.each([
    [{ loop: 'calls', ms: 2 }, ['p50', 'p99', 'rate', 'each', 'cpu']],
    [{ loop: 'calls', ms: 2, inFlight: 8 }, ['rate', 'each', 'cpu']],
    [{ loop: 'calls', ms: 2, settleMs: 2, inFlight: 8 }, ['rate', 'each', 'cpu']],
    [{ loop: 'sparse', ms: 2 }, ['p50', 'p99']],
  ] as const)('measures the figures of %j', async (task, names) => {
    const figures = await createLoops(createSubject())(task, calls)
    expect(Object.keys(figures)).toEqual(names)
    for (const value of Object.values(figures)) expect(value).toBeGreaterThan(0)
  })

  test('fails the measurement when an answer is wrong', async () => {
    const wrong = createSubject({ call: async () => 'Bye' })
    await expect(async () => createLoops(wrong)({ loop: 'calls', ms: 1 }, calls)).rejects.toThrow(
      '\'greet\' returned "Bye"; expected "Hello, World!"',
    )
  })

  test('fails the measurement when a later answer is wrong', async () => {
    let answers = 0
    const wrong = createSubject({ call: async () => (answers++ < calls.length ? 'Hello, World!' : 'Bye') })
    await expect(async () => createLoops(wrong)({ loop: 'calls', ms: 1, inFlight: 4 }, calls)).rejects.toThrow('Bye')
  })

  test('expects a failing call to fail with its own error', async () => {
    const failing = failingCall.calls.map(prepareCall)
    const throws = (message: string): Subject => createSubject({ call: () => Promise.reject(new Error(message)) })
    const task = { loop: 'calls', ms: 1 } as const
    expect(Object.keys(await createLoops(throws(FAILURE))({ ...task, inFlight: 4 }, failing))).toContain('rate')
    await expect(async () => createLoops(throws('other'))(task, failing)).rejects.toThrow('"other"; expected')
    await expect(async () => createLoops(createSubject())(task, failing)).rejects.toThrow('expected it to fail')
  })
})

describe('transfers', () => {
  const bytes = echoBytes('bytes', '', 'some text').calls.map(prepareCall)
  const measure = (change?: Partial<Subject>): unknown =>
    createLoops(createSubject(change))({ loop: 'giving', ms: 1 }, bytes)

  test('measure bytes that are transferred and come back unchanged', async () => {
    expect(Object.keys((await measure()) as object)).toEqual(['p50', 'p99', 'rate'])
  })

  test('fail when bytes are copied', async () => {
    const transfer: Subject['transfer'] = async (_, sent) => Uint8Array.from(sent)
    await expect(async () => measure({ transfer })).rejects.toThrow('copied instead of transferred')
  })

  test('fail when bytes come back changed', async () => {
    const transfer: Subject['transfer'] = async (_, sent) => {
      structuredClone(sent, { transfer: [sent.buffer as ArrayBuffer] })
      return new Uint8Array(3)
    }
    await expect(async () => measure({ transfer })).rejects.toThrow('expected')
  })
})

describe('cancelled calls', () => {
  const createCancelling = (change: Partial<Subject> = {}): Subject => {
    const { commands, wait } = createBackend(() => () => {})
    return {
      ...callsOnly(async (command, args) => {
        await nextTick()
        return commands[command]!(args as never)
      }),
      callUntil: (_, args, signal) => wait(args as { id: number }, signal),
      ...change,
    }
  }

  test('measure when the caller and the handler notice the abort', async () => {
    const figures = await createLoops(createCancelling())({ loop: 'cancel', ms: 2 }, [])
    expect(Object.keys(figures)).toEqual(['settled', 'signal'])
    for (const value of Object.values(figures)) expect(value).toBeGreaterThan(0)
  })

  test.each<[when: string, change: Partial<Subject>, error: string]>([
    ['a call is answered', { callUntil: async () => 'an answer' }, 'was answered'],
    [
      'a call fails before it is cancelled',
      { callUntil: () => Promise.reject(new Error('no such command')) },
      'no such command',
    ],
    ['the handler does not run', { callUntil: () => new Promise(() => {}) }, 'does not run'],
    ['the arm cannot cancel calls', { callUntil: undefined as never }, 'cannot cancel'],
  ])('fail when %s', async (_, change, error) => {
    const measure = createLoops(createCancelling(change))
    await expect(async () => measure({ loop: 'cancel', ms: 1 }, [])).rejects.toThrow(error)
  })
})

describe('recovery of core', () => {
  /** A core that is gone for so many calls after its crash. */
  const createCrashing = (gone: number, born: () => number = sharedClock, reason = 'Disconnected'): Subject => {
    let attempts = 0
    return callsOnly(async command => {
      if (command === 'crash') return sharedClock() + 2000
      if (command === 'born') return born()
      if (++attempts <= gone) throw Object.assign(new Error('gone'), { reason })
      return 'Hello, World!'
    })
  }
  const measure = (subject: Subject): unknown => createLoops(subject)({ loop: 'recover-core', ms: 1 }, calls)

  test('calls until there is an answer, and counts from the crash', async () => {
    const { time } = (await measure(createCrashing(3))) as { time: number }
    // Three pauses of a millisecond, which timers may shorten a little.
    expect(time).toBeGreaterThan(2000)
  })

  test('fails when the old core answers', async () => {
    await expect(async () => measure(createCrashing(0, () => 1))).rejects.toThrow('Core did not crash')
  })

  test('fails on any other error', async () => {
    await expect(async () => measure(createCrashing(1, sharedClock, 'Denied'))).rejects.toThrow('gone')
  })
})

test('rejects a loop that the arm cannot run', async () => {
  const measure = createLoops(createSubject())
  await expect(async () => measure({ loop: 'codec', ms: 1 }, calls)).rejects.toThrow("no loop 'codec'")
})
