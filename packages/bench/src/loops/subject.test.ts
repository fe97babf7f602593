import { expect, test } from 'vitest'
import { checkAnswer, prepareCall, repeat } from './calls.js'

test('accepts bytes in either form, and nothing else, when bytes are expected', () => {
  const call = prepareCall({ command: 'echo_bytes', args: [1], expected: [1], bytes: true })
  const bytes = call.args as Uint8Array
  expect(() => checkAnswer(call, bytes)).not.toThrow()
  expect(() => checkAnswer(call, bytes.buffer)).not.toThrow()
  expect(() => checkAnswer(call, [1])).toThrow('expected')
  expect(() => checkAnswer(prepareCall({ ...call, expected: [1], bytes: false }), bytes)).toThrow('expected')
})

test('work is repeated in each place in flight as often as it must be, and one that fails ends the measurement', async () => {
  let made = 0
  const task = { loop: 'scripts', ms: 0, inFlight: 3 } as const
  const figures = await repeat(async () => void made++, task)
  expect(made).toBe(3)
  expect(Object.keys(figures)).toEqual(['p50', 'p99', 'rate'])
  made = 0
  await repeat(async () => void made++, { ...task, inFlight: 1 }, { least: 5 })
  expect(made).toBe(5)
  const fail = (): Promise<never> => Promise.reject(new Error('no answer'))
  await expect(repeat(fail, task)).rejects.toThrow('no answer')
})
