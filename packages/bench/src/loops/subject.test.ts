import { expect, test } from 'vitest'
import { checkAnswer, prepareCall } from './subject.js'

test('accepts bytes in either form, and nothing else, when bytes are expected', () => {
  const call = prepareCall({ command: 'echo_bytes', args: [1], expected: [1], bytes: true })
  const bytes = call.args as Uint8Array
  expect(() => checkAnswer(call, bytes)).not.toThrow()
  expect(() => checkAnswer(call, bytes.buffer)).not.toThrow()
  expect(() => checkAnswer(call, [1])).toThrow('expected')
  expect(() => checkAnswer(prepareCall({ ...call, expected: [1], bytes: false }), bytes)).toThrow('expected')
})
