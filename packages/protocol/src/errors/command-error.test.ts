import { describe, expect, it, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { BusError, fromErrorObject, toErrorObject } from './bus-error.js'
import { CommandError, isCommandError, toBusError, withoutData } from './command-error.js'

const failed = (thrown: unknown): BusError => toBusError('find', thrown)

describe('a CommandError', () => {
  it('reaches the caller as code, message and data only', () => {
    const cause = new Error('/home/secret')
    const error = failed(new CommandError('NOT_FOUND', 'no note 7', { data: { id: 7 }, cause }))
    expect(toErrorObject(error)).toStrictEqual({
      code: -32000,
      message: 'no note 7',
      data: { code: 'NOT_FOUND', message: 'no note 7', data: { id: 7 } },
    })
    expect(error.cause).toBe(cause)
  })

  it('can have a code only', () => {
    expect(failed(new CommandError('FULL')).data).toStrictEqual({ code: 'FULL', message: 'FULL' })
    expect(failed(new CommandError('FULL', 'x', { data: null })).data).toStrictEqual({
      code: 'FULL',
      message: 'x',
      data: null,
    })
  })

  it('rejects a code that is not a string with text', () =>
    rows([undefined, null, 7, '', {}, Symbol('A')])(code =>
      expect(() => new CommandError(code as string)).toThrow(expect.objectContaining({ reason: 'InternalError' })),
    ))

  it('is a BusError that middleware reads as its caller does', () => {
    const thrown = new CommandError('NOT_FOUND', 'no note 7', { data: { id: 7 } })
    for (const error of [thrown, failed(thrown), fromErrorObject(toErrorObject(thrown))]) {
      expect(error).toMatchObject({
        name: 'BusError',
        reason: 'CommandFailed',
        code: -32000,
        commandCode: 'NOT_FOUND',
        commandData: { id: 7 },
      })
      expect(isCommandError(error, 'NOT_FOUND')).toBe(true)
    }
  })

  it('treats an Error as data like a thrown Error', () => {
    const system = Object.assign(new Error("ENOENT: no such file or directory, open '/home/secret'"), {
      code: 'ENOENT',
      errno: -2,
      path: '/home/secret',
    })
    const { data } = failed(new CommandError('IO', 'cannot read', { data: system }))
    expect(data).toStrictEqual({ code: 'IO', message: 'cannot read', data: 'ENOENT: no such file or directory' })
  })

  it('fails its call even if reading its message throws', () => {
    const odd = Object.defineProperty(new CommandError('A', 'x'), 'message', {
      get() {
        throw new Error('gotcha')
      },
    })
    expect(toErrorObject(failed(odd))).toMatchObject({ message: 'a value that cannot be shown', data: { code: 'A' } })
  })
})

describe('isCommandError', () => {
  test('recognizes the error of a call by its code', () => {
    const error: unknown = failed(new CommandError('NOT_FOUND', 'no', { data: { id: 7 } }))
    expect(isCommandError(error)).toBe(true)
    expect(isCommandError(error, 'NOT_FOUND')).toBe(true)
    expect(isCommandError(error, 'FULL')).toBe(false)
    if (!isCommandError<{ id: number }>(error, 'NOT_FOUND')) throw new Error('unreachable')
    expect(error.commandData.id).toBe(7)
  })

  test('is false for anything else', () =>
    rows([
      undefined,
      null,
      new Error('x'),
      new BusError('CommandFailed', 'x', { data: { code: 7, message: 'x' } }),
      failed('a string'),
      failed(null),
      failed({ code: 7, message: 'x' }),
      failed({ code: 'A' }),
      new BusError('Denied', 'x', { data: { code: 'A', message: 'x' } }),
    ])(other => expect(isCommandError(other)).toBe(false)))
})

test('a code that is too long is dropped, and a message truncated', () => {
  const long = 'x'.repeat(1_000_000)
  const why = new TypeError('too long')
  const left = withoutData(failed(new CommandError('A', long)), 'It', why)
  expect(left.data).toStrictEqual({ code: 'A', message: long.slice(0, 4096) })
  expect(toErrorObject(withoutData(failed(new CommandError(long)), 'It', why))).not.toHaveProperty('data')
})

test('an error with data that cannot be serialized keeps its code and its message', () => {
  const why = new TypeError('too deep')
  const error = withoutData(failed(new CommandError('A', 'x', { data: 1 })), 'The error', why)
  expect(toErrorObject(error)).toStrictEqual({
    code: -32000,
    message: 'x (The error cannot be serialized: too deep)',
    data: { code: 'A', message: 'x' },
  })
  expect(toErrorObject(withoutData(failed({ a: 1 }), 'It', why))).not.toHaveProperty('data')
})

test('a thrown value that has bytes is described by their type', () => {
  const { message } = failed({ held: new Uint8Array(2) })
  expect(message).toBe('command "find" failed: it threw {"held":"[object Uint8Array]"}')
})
