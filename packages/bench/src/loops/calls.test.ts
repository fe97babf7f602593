import { afterEach, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { usualCall } from '../model/payloads.js'
import type { Task } from '../model/scenario.js'
import { checkAnswer, measureTask, prepareCall, type Send } from './calls.js'
import { greet } from './peers.js'

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const calls = usualCall.calls.map(prepareCall)

/** Both sides in one thread. */
const send: Send = async (_, args) => {
  await nextTick()
  return greet(args as { name: string })
}

describe('calls', () => {
  test('measures the figures of each loop', () =>
    rows([
      [{ loop: 'calls', ms: 2 }, ['p50', 'rate', 'cpu']],
      [{ loop: 'calls', ms: 2, inFlight: 8 }, ['rate', 'cpu']],
      [{ loop: 'calls', ms: 2, settleMs: 2, inFlight: 8 }, ['rate', 'cpu']],
      [{ loop: 'sparse', ms: 2 }, ['p50']],
      [{ loop: 'burst', ms: 2 }, ['p50']],
    ] as const)(async (task, names) => {
      const figures = await measureTask(send, calls, task)
      expect(Object.keys(figures)).toEqual(names)
      for (const value of Object.values(figures)) expect(value).toBeGreaterThan(0)
    }))

  test('fails the measurement when an answer is wrong', async () => {
    const wrong = async (): Promise<string> => 'Bye'
    await expect(async () => measureTask(wrong, calls, { loop: 'calls', ms: 1 })).rejects.toThrow(
      '\'greet\' returned "Bye"; expected "Hello, World!"',
    )
  })

  test('fails the measurement when a later answer is wrong', async () => {
    let answers = 0
    const wrong = async (): Promise<string> => (answers++ < calls.length ? 'Hello, World!' : 'Bye')
    await expect(async () => measureTask(wrong, calls, { loop: 'calls', ms: 1, inFlight: 4 })).rejects.toThrow('Bye')
  })
})

describe('many at a time', () => {
  afterEach(() => vi.restoreAllMocks())

  /** Returns the number of calls that take so long by a virtual clock, one after the other. */
  async function countCalls(task: Omit<Task, 'loop'>, callMs: number): Promise<number> {
    let made = 0
    vi.spyOn(performance, 'now').mockImplementation(() => made * callMs)
    const slow = async (): Promise<string> => {
      made++
      return 'Hello, World!'
    }
    await measureTask(slow, usualCall.calls.map(prepareCall), { loop: 'calls', ...task })
    return made
  }

  test('end soon after their time when few large ones are in flight', async () => {
    expect(await countCalls({ ms: 10, inFlight: 3 }, 20)).toBeLessThanOrEqual(1 + 2 * 3)
  })

  test('settle for their time, then are measured for theirs', async () => {
    expect(await countCalls({ ms: 100, settleMs: 300, inFlight: 4 }, 1)).toBeGreaterThanOrEqual(400)
  })
})

test('rejects a loop that the arm cannot run', async () => {
  const task = { loop: 'plugin', ms: 1 } as const
  await expect(measureTask(send, calls, task)).rejects.toThrow("no loop 'plugin'")
})

test('accepts bytes in either form, and nothing else, when bytes are expected', () => {
  const bytes = Uint8Array.from([1])
  const call = prepareCall({ command: 'echo_bytes', args: bytes, expected: bytes })
  expect(() => checkAnswer(call, bytes)).not.toThrow()
  expect(() => checkAnswer(call, bytes.buffer)).not.toThrow()
  expect(() => checkAnswer(call, [1])).toThrow('expected')
  expect(() => checkAnswer(prepareCall({ command: 'echo', args: [1], expected: [1] }), bytes)).toThrow('expected')
})

describe('calls at a fixed rate', () => {
  afterEach(() => vi.restoreAllMocks())

  /** Returns what is found when calls take so long by a virtual clock, one after the other. */
  async function load(callMs: number): Promise<Record<string, number>> {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 0.01))
    const slow = async (): Promise<string> => {
      now += callMs
      return 'Hello, World!'
    }
    return measureTask(slow, calls, { loop: 'load', ms: 800, inFlight: 64 })
  }

  test('have their limit near what a transport can serve, and a short tail at half of it', async () => {
    const { limit = 0, p99 = 0 } = await load(1)
    expect(limit).toBeGreaterThan(700)
    expect(limit).toBeLessThan(1200)
    expect(p99).toBeLessThan(2000)
  })

  test('have no limit where each call takes longer than the tail may', async () => {
    expect(await load(20)).toEqual({ limit: 0 })
  })
})
