// The place and the message of a syntax error in the body of an async function.
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { findBodyError } from './function-body.js'

test('finds none in a whole body', () =>
  rows(['', 'return 1 // end', 'return await 1', 'if (1) {\n}\n', 'const body = () => {\n}', 'return {}', '{}'])(body =>
    expect(findBodyError(body)).toBe(undefined),
  ))

test('has the place of a mistake, the end of what stays open, or where a body leaves its function', () =>
  rows([
    ['a b', ':1:3', "Unexpected identifier 'b'"],
    ['1\n  a b', ':2:5', "Unexpected identifier 'b'"],
    ['f(1', ':1:3', 'missing ) after argument list'],
    ['if (1) {', ':1:9', 'Unexpected end of input'],
    ['if (1) {\n  f(', ':2:5', 'Unexpected end of input'],
    ['return (', ':1:9', 'Unexpected end of input'],
    ['const x = [1,\n', ':2:1', 'Unexpected end of input'],
    ['`text', ':1:6', 'Unexpected end of input'],
    ['const f = () => {\n  return {\n}', ':3:2', 'Unexpected end of input'],
    ['}', ':1:1', "Unexpected token '}'"],
    ['if (1) {\n}}\n', ':2:2', "Unexpected token '}'"],
    ['return 1 }, async () => { return 2', ':1:11', "Unexpected token ','"],
    ['return 1 }); (async () => { return 2', ':1:11', "Unexpected token ')'"],
    ['return 1\n}\nasync function other() { return 2', ':3:1', "Unexpected token 'async'"],
  ])((body, position, message) => expect(findBodyError(body)).toEqual({ position, message })))
