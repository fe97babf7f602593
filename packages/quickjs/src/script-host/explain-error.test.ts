import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { explainError, explainSyntax } from './explain-error.js'
import { ScriptSource } from './script-source.js'

const notFunction = { name: 'TypeError', message: 'not a function' }

test('names the call of what is not a function', () =>
  rows<[line: string, column: number, message: string]>([
    ['return notes.serach({})', 13, 'notes.serach is not a function'],
    ['return notes?.serach ({})', 13, 'notes?.serach is not a function'],
    ['  go()', 3, 'go is not a function'],
    ['a.b(); c.d.e(1)', 11, 'c.d.e is not a function'],
    ['this.#run()', 5, 'this.#run is not a function'],
    ['(1)()', 4, 'not a function'],
    ['', 1, 'not a function'],
  ])((line, column, message) => expect(explainError(notFunction, () => ['', line], [2, column])).toBe(message)))

test('explains other errors by their message, without the code', () =>
  rows([
    [{ name: 'ReferenceError', message: 'process is not defined' }, /A script has nothing of Node\.js/],
    [{ name: 'ReferenceError', message: 'fetch is not defined' }, /net: \["example\.com"\]/],
    [{ name: 'ReferenceError', message: 'toString is not defined' }, /^toString is not defined$/],
    [{ name: 'Error', message: 'process is not defined' }, /^process is not defined$/],
    [{ name: 'Error', message: 'not a function' }, /^not a function$/],
  ])((error, message) => {
    const getLines = vi.fn<() => string[]>(() => ['go()'])
    expect(explainError(error, getLines, [1, 1])).toMatch(message)
    expect(getLines).not.toHaveBeenCalled()
  }))

test('an error in another file is not explained by this code', () => {
  expect(explainError(notFunction, () => ['go()'], undefined)).toBe('not a function')
})

test('of a long line only the place is read', () => {
  const line = `${'a.'.repeat(200_000)}go(${' await'.repeat(200_000)}`
  expect(explainError(notFunction, () => [line], [1, 5])).toBe('not a function')
  expect(explainError(notFunction, () => [line], [1, 400_001])).toMatch(/^a[a.]{90,110}\.go is not a function$/)
  expect(explainSyntax('no', `${' '.repeat(400_000)}await x`, 400_007, true)).toMatch(/only valid in an async/)
})

test('explains a syntax error by what stands there', () =>
  rows<[line: string, column: number, isBody: boolean, message: string]>([
    ['import fs from "fs"', 8, true, 'no: the code is the body of a function. Use await import() instead'],
    ['import fs from "fs"', 8, false, 'no'],
    ['import("fs") x', 13, true, 'no'],
    ['  await x', 9, true, 'no: await is only valid in an async function'],
    ['```js', 3, true, 'The code begins with a fence of Markdown: pass it without ```'],
  ])((line, column, isBody, message) => expect(explainSyntax('no', line, column, isBody)).toBe(message)))

test('the place of an error is found in its stack, whatever the script has made of it', () => {
  const source = new ScriptSource({ name: 'a (b).js', place: 'a (b).js', text: 'go()' }, undefined)
  const explain = (stack: string): string => source.explain({ ...notFunction, stack })[0]
  expect(explain('    at f (a (b).js:1:1)\n')).toBe('not a function')
  expect(explain('    at a.js:1:1)\n    at a (b).js:1:1')).toBe('not a function')
  const forged = ` at 0${' ('.repeat(4090)}`
  for (let at = 0; at < 3000; at++) explain(forged)
})
