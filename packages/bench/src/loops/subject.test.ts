import { afterEach, describe, expect, test, vi } from 'vitest'
import { ArrivalClock, checkAnswer, prepareCall } from './subject.js'

test('accepts bytes in either form, and nothing else, when bytes are expected', () => {
  const call = prepareCall({ command: 'echo_bytes', args: [1], expected: [1], bytes: true })
  const bytes = call.args as Uint8Array
  expect(() => checkAnswer(call, bytes)).not.toThrow()
  expect(() => checkAnswer(call, bytes.buffer)).not.toThrow()
  expect(() => checkAnswer(call, [1])).toThrow('expected')
  expect(() => checkAnswer(prepareCall({ ...call, expected: [1], bytes: false }), bytes)).toThrow('expected')
})

describe('ArrivalClock', () => {
  afterEach(() => vi.restoreAllMocks())

  function createClock(...arrivals: number[]): ArrivalClock {
    const clock = new ArrivalClock()
    const now = vi.spyOn(performance, 'now')
    clock.start()
    for (const at of arrivals) {
      now.mockReturnValueOnce(at)
      clock.record()
    }
    return clock
  }

  test('measures the times between arrivals in µs, and calls per second', () => {
    expect(createClock(10, 11, 12, 16).stop()).toEqual({ p50: 1000, p99: expect.closeTo(3940), rate: 500 })
  })

  test('forgets earlier arrivals when it restarts', () => {
    const clock = createClock(1, 2)
    clock.start()
    expect(() => clock.stop()).toThrow('Core received 0 calls')
  })

  test('throws when only one call arrived', () => {
    expect(() => createClock(1).stop()).toThrow('Core received 1 calls')
  })
})
