// Event names and targets follow Tauri's rules; channel references have Tauri's form.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { MAX_LABEL_LENGTH } from './limits.js'
import {
  checkEventName,
  isLabel,
  METHOD,
  NODE_METHOD,
  parseChannelReference,
  toChannelReference,
  toEventTarget,
} from './messages.js'

describe('event names', () => {
  it('names of letters, digits and a few signs are valid', () =>
    rows([
      ...['a', '', 'backend-event', 'a/b:c_d-e', 'tauri://created', 'ünïcödé', 'イベント', 'событие', 'حدث', '४२'],
      ...['Ⅷ', '½', '𝒳', 'x'.repeat(2 ** 20)],
    ])(name => expect(() => checkEventName(name)).not.toThrow()))

  it('anything else is invalid', () =>
    rows([
      'a b',
      ' ',
      'a.b',
      'a|b',
      'a\n',
      '\n',
      'a\u0000b',
      'a\u200bb',
      'a!',
      'a😀',
      '"',
      '\ud800',
      'a\u00a0',
      '$/event',
    ])(name =>
      expect(() => checkEventName(name)).toThrow('Event name must include only alphanumeric characters, `-`, `/`'),
    ))

  it('the error contains the name', () =>
    rows([
      [undefined, 'got undefined'],
      [null, 'got object'],
      [5, 'got number'],
      [['a'], 'got object'],
      ['a b', 'got "a b"'],
      ['\u001b', 'got "\\u001b"'],
      [` ${'x'.repeat(999)}`, `${'x'.repeat(79)}…"`],
    ])((name, text) => {
      expect(() => checkEventName(name)).toThrow(expect.objectContaining({ reason: 'InvalidParams' }))
      expect(() => checkEventName(name)).toThrow(text)
    }))
})

describe('channel references', () => {
  it('preserve any id', () =>
    rows([0, 1, 256, 2 ** 32 - 1])(id => expect(parseChannelReference(toChannelReference(id))).toBe(id)))

  it("have Tauri's form", () => expect(toChannelReference(7)).toBe('__CHANNEL__:7'))

  it('anything else is invalid', () =>
    rows([
      ...['', '-1', '+1', '1.5', '1e3', '0x10', ' 1', '1 ', '1\n', '4294967296', '99999999999', '१'].map(
        id => `__CHANNEL__:${id}`,
      ),
      ...['__channel__:1', 'x__CHANNEL__:1', '', 7, null, undefined],
      ...[[['__CHANNEL__:1']], { toString: () => '__CHANNEL__:1' }],
    ])(value => expect(parseChannelReference(value)).toBeUndefined()))
})

describe('event targets', () => {
  it('a string addresses a label', () => expect(toEventTarget('main')).toEqual({ kind: 'AnyLabel', label: 'main' }))

  it('Any and App need no label, and drop one', () =>
    rows(['Any', 'App'])(kind => expect(toEventTarget({ kind, label: 'main' })).toEqual({ kind })))

  it('all other kinds need a label', () =>
    rows(['AnyLabel', 'Window', 'Webview', 'WebviewWindow'])(kind => {
      expect(toEventTarget({ kind, label: 'main', more: 1 })).toEqual({ kind, label: 'main' })
      expect(() => toEventTarget({ kind })).toThrow('An event target is a label, or { kind, label }')
      expect(() => toEventTarget({ kind, label: 5 })).toThrow(expect.objectContaining({ reason: 'InvalidParams' }))
    }))

  it('anything else is invalid', () =>
    rows([
      ...[undefined, null, 5, [[]], {}, { label: 'main' }, { kind: 'any' }],
      ...[{ kind: '__proto__', label: 'x' }, () => 'main'],
    ])(target => expect(() => toEventTarget(target)).toThrow(expect.objectContaining({ reason: 'InvalidParams' }))))
})

it('the names of the methods are fixed', () => {
  expect({ ...METHOD, ...NODE_METHOD }).toEqual({
    listen: 'plugin:event|listen',
    unlisten: 'plugin:event|unlisten',
    emit: 'plugin:event|emit',
    emitTo: 'plugin:event|emit_to',
    emitAll: '$/emit',
    answer: 'plugin:expose|answer',
    event: '$/event',
    channel: '$/channel',
    cancel: '$/cancelRequest',
    credit: '$/credit',
    closeChannel: '$/closeChannel',
    sync: '$/sync',
    rejected: '$/rejected',
  })
})

it('a label has at most 200 characters', () => {
  expect(isLabel('x'.repeat(MAX_LABEL_LENGTH))).toBe(true)
  expect(isLabel('x'.repeat(MAX_LABEL_LENGTH + 1))).toBe(false)
})
