import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { MAX_CONFIRM_TEXT, MAX_IN_FLIGHT } from '../wire/limits.js'
import { areTokens, deserializeValue, serializeValue, toConfirmText } from './messages.js'

test('the text of a confirmation is a string of bounded length without terminal control characters', () => {
  expect(toConfirmText(undefined)).toBe('')
  expect(toConfirmText(1n)).toBe('1')
  expect(toConfirmText(Symbol('s'))).toBe('Symbol(s)')
  const throwing = {
    toString: () => {
      throw new Error('x')
    },
  }
  expect(toConfirmText(throwing)).toBe('')
  expect(toConfirmText(Object.create(null))).toBe('')
  expect(toConfirmText(new Proxy({}, { get: () => expect.unreachable }))).toBe('')
  expect(toConfirmText({ [Symbol.toPrimitive]: () => ({}) })).toBe('')
  expect(toConfirmText({ toString: () => 1n })).toBe('1')
  expect(toConfirmText({ then() {} })).toBe('[object Object]')
  const longest = 'x'.repeat(MAX_CONFIRM_TEXT)
  expect(toConfirmText(longest)).toBe(longest)
  expect(toConfirmText(`${longest}x`)).toBe(`${longest.slice(1)}…`)
  expect(toConfirmText('\u001b[2Kdelete \u202etxt.exe\r')).toBe('\uFFFD[2Kdelete \uFFFDtxt.exe\uFFFD')
})

test('the text of a confirmation is one line without invisible characters', () => {
  for (const invisible of ['\n', '\r', '\t', '\u2028', '\u2029', '\u200b', '\u200f', '\u061c', '\u3164', '\u{e0041}']) {
    expect(toConfirmText(`Delete a.txt?${invisible}Install`)).toBe('Delete a.txt?\uFFFDInstall')
  }
  for (const text of ['👩\u200d🚀', '❤\ufe0f', 'Ünïcödé 漢字 عربي']) expect(toConfirmText(text)).toBe(text)
})

test('bytes arrive without the rest of the message, and views of one buffer share it', () => {
  const { buffer } = new Uint8Array([1, 2, 3, 4])
  const value = {
    path: '/secret',
    all: new Uint8Array(buffer),
    end: new Uint8Array(buffer, 2),
    map: new Map([[1, new Date(0)]]),
  }
  const copy = deserializeValue(serializeValue(value)) as typeof value
  expect(copy).toEqual(value)
  expect(copy.all.buffer.byteLength).toBe(4)
  expect(copy.end.buffer).toBe(copy.all.buffer)
})

test('shared memory and functions cannot be serialized', () =>
  rows([new SharedArrayBuffer(1), new Uint8Array(new SharedArrayBuffer(1)), () => {}])(value =>
    expect(() => serializeValue({ value })).toThrow('could not be cloned'),
  ))

test('tokens of an interrupted run are one for each call that can be open, of bounded length', () =>
  rows<[unknown, boolean]>([
    [undefined, false],
    [[], false],
    [['x'.repeat(64)], true],
    [['x'.repeat(65)], false],
    [['x', 1], false],
    [Array<string>(MAX_IN_FLIGHT).fill('x'), true],
    [Array<string>(MAX_IN_FLIGHT + 1).fill('x'), false],
  ])((tokens, isValid) => expect(areTokens(tokens)).toBe(isValid)))
