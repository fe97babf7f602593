import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { toPlainText } from './hidden-characters.js'
import { warn } from './platform.js'

test('a warning has no control characters of a terminal, and none that hide or reorder its text', () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  warn('The server "\u001b[2J\u009b1A\u0007\u202e\u2028\u200b\n" has é\tand 👨\u200d👩')
  expect(emitWarning.mock.lastCall).toEqual([
    String.raw`The server "\u001b[2J\u009b1A\u0007\u202e\u2028\u200b\u000a" has é` + '\tand 👨\u200d👩',
  ])
  emitWarning.mockRestore()
})

test('what others have said has no sequence that a terminal obeys', () =>
  rows([
    ['\u001B[1;31mred\u001B[39;49m and \u009B2Jgone', 'red and gone'],
    ['\u001B]0;owned\u0007title\u001B]8;;http://x\u001B\\link\u009D0;x\u009C', 'titlelink'],
    ['\u001BPstring\u001B\\\u001B7saved\u001B(B\u001Bc', 'saved'],
    ['\u001B]0;the next line stays\nline\u0007', '0;the next line stays\nline\\u0007'],
    ['one\r\n\ttwo\n', 'one\n\ttwo\n'],
    ['over\rwritten\b \u202Eesrever', 'over\\u000dwritten\\u0008 \\u202eesrever'],
    ['\u001B', '\\u001b'],
    ['', ''],
  ])((text, plain) => expect(toPlainText(text)).toBe(plain)))
