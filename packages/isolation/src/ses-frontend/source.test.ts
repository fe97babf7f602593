// This file locks its process down.
import { BusError } from '@sallyport/protocol/internal/errors'
import { beforeAll, describe, expect, test } from 'vitest'
import { lockDown } from '../compartment/lockdown.js'
import { toFault, toScriptError } from './source.js'

beforeAll(() => {
  lockDown()
  harden(BusError)
})

describe('a script gets', () => {
  test('an error with frozen prototypes, or another value, unchanged', () => {
    for (const thrown of [new TypeError('x'), new BusError('Denied', 'x', { cause: new Error('y') }), 'a text', null]) {
      expect(toScriptError(thrown)).toBe(thrown)
    }
  })

  test('only the message of an error of Node', () => {
    expect(toScriptError(new DOMException('why', 'AbortError'))).toMatchObject({
      reason: 'Crashed',
      message: 'why',
    })
  })

  test('no cause that is, or has, an error of Node', () => {
    for (const cause of [new DOMException('x'), new Error('x', { cause: new DOMException('y') })]) {
      const shown = toScriptError(new BusError('Timeout', 'late', { data: 1, cause }))
      expect(shown).toMatchObject({ reason: 'Timeout', message: 'late', data: 1 })
      expect((shown as BusError).cause).toBe(undefined)
    }
  })
})

describe('the host gets', () => {
  test('reason, message and stack of an error as strings', () => {
    expect(toFault(new BusError('Denied', 'no'))).toMatchObject({ reason: 'Denied', message: 'no' })
    const odd = Object.assign(new Error('x'), { reason: 'Denied', stack: { toString: () => 'y' } })
    expect(toFault(odd)).not.toBe(odd)
    expect(toFault(odd)).toMatchObject({ message: 'x', stack: 'x' })
    expect(toFault(odd)).not.toHaveProperty('reason')
  })

  test('an error for any thrown value, whatever it does', () => {
    const fail = (): never => {
      throw new Error('y')
    }
    const traps = new Proxy({}, { get: () => fail })
    const reasons = [{ toString: fail }, 'Denied']
    for (const thrown of [
      new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail }),
      new Proxy({}, traps),
      Object.create(BusError.prototype, { reason: { value: { toString: fail } } }),
      Object.create(BusError.prototype, { reason: { get: () => reasons.shift() } }),
    ]) {
      expect(toFault(thrown)).not.toHaveProperty('reason')
    }
  })

  test('at most 8192 characters of a message', () => {
    expect(toFault(new Error('x'.repeat(1e6))).message).toHaveLength(8192)
  })
})
