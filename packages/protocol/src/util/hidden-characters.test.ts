import { expect, test, vi } from 'vitest'
import { warn } from './platform.js'

test('a warning has no control characters of a terminal, and none that hide or reorder its text', () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  warn('The server "\u001b[2J\u009b1A\u0007\u202e\u2028\u200b\n" has é\tand 👨\u200d👩')
  expect(emitWarning.mock.lastCall).toEqual([
    String.raw`The server "\u001b[2J\u009b1A\u0007\u202e\u2028\u200b\u000a" has é` + '\tand 👨\u200d👩',
  ])
  emitWarning.mockRestore()
})
