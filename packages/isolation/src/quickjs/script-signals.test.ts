import { expect, test } from 'vitest'
import { ScriptSignals } from './script-signals.js'

test('a script that uses all signals can use each again, but no more until one is released', () => {
  const signals = new ScriptSignals()
  const first = signals.get(0)
  const release = signals.take()
  for (let id = 1; id < 16_384; id++) signals.get(id)
  signals.take()
  const full = expect.objectContaining({ reason: 'Overloaded' })
  expect(() => signals.get(16_384)).toThrow(full)
  expect(signals.get(0)).toBe(first)
  const releaseAgain = signals.take()
  release()
  expect(() => signals.get(16_384)).toThrow(full)
  releaseAgain()
  expect(signals.get(16_384).aborted).toBe(false)
})
