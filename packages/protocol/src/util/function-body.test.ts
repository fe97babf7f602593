// The place and the message of a syntax error in the body of an async function.
import { expect, test } from 'vitest'
import { findBodyError } from './function-body.js'

test.each(['', 'return 1 // end', 'return await 1', 'if (1) {\n}\n', 'const body = () => {\n}', 'return {}', '{}'])(
  'finds none in %j',
  body => expect(findBodyError(body)).toBe(undefined),
)

test.each([
  ['a b', ':1:3', "Unexpected identifier 'b'"],
  ['1\n  a b', ':2:5', "Unexpected identifier 'b'"],
  ['f(1', ':1:3', 'missing ) after argument list'],
])('has the place of a mistake: %j', (body, position, message) => {
  expect(findBodyError(body)).toEqual({ position, message })
})

test.each([
  ['if (1) {', ':1:9'],
  ['if (1) {\n  f(', ':2:5'],
  ['return (', ':1:9'],
  ['const x = [1,\n', ':2:1'],
  ['`text', ':1:6'],
  ['const f = () => {\n  return {\n}', ':3:2'],
])('names the end of a body that leaves something open: %j', (body, position) => {
  expect(findBodyError(body)).toEqual({ position, message: 'Unexpected end of input' })
})

test.each([
  ['}', ':1:1', "Unexpected token '}'"],
  ['if (1) {\n}}\n', ':2:2', "Unexpected token '}'"],
  ['return 1 }, async () => { return 2', ':1:11', "Unexpected token ','"],
  ['return 1 }); (async () => { return 2', ':1:11', "Unexpected token ')'"],
  ['return 1\n}\nasync function other() { return 2', ':3:1', "Unexpected token 'async'"],
])('names the place where a body leaves its function: %j', (body, position, message) => {
  expect(findBodyError(body)).toEqual({ position, message })
})
