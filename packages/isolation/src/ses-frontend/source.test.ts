// Errors on their way into a script, and out of it. This process is locked down for good.
import { BusError } from '@sallyport/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { lockDown } from '../sandbox/lockdown.js'
import { toFault, toScriptError } from './source.js'

beforeAll(() => {
  lockDown()
  harden(BusError)
})

describe('a script sees', () => {
  test('an error whose prototypes are frozen, and whatever is no error, as it is', () => {
    for (const thrown of [new TypeError('x'), new BusError('Denied', 'x', { cause: new Error('y') }), 'a text', null]) {
      expect(toScriptError(thrown)).toBe(thrown)
    }
  })

  test('the text alone of an error of Node’s', () => {
    expect(toScriptError(new DOMException('why', 'AbortError'))).toMatchObject({
      reason: 'InternalError',
      message: 'why',
    })
  })

  test('no cause that is one, however deep', () => {
    for (const cause of [new DOMException('x'), new Error('x', { cause: new DOMException('y') })]) {
      const shown = toScriptError(new BusError('Timeout', 'late', { data: 1, cause }))
      expect(shown).toMatchObject({ reason: 'Timeout', message: 'late', data: 1 })
      expect((shown as BusError).cause).toBe(undefined)
    }
  })
})

describe('the host sees', () => {
  test('reason, message and stack, as text', () => {
    expect(toFault(new BusError('Denied', 'no'))).toMatchObject({ reason: 'Denied', message: 'no' })
    const odd = Object.assign(new Error('x'), { reason: 'Denied', stack: { toString: () => 'y' } })
    expect(toFault(odd)).not.toBe(odd)
    expect(toFault(odd)).toMatchObject({ message: 'x', stack: 'x' })
    expect(toFault(odd)).not.toHaveProperty('reason')
  })

  test('no more than a few thousand characters', () => {
    expect(toFault(new Error('x'.repeat(1e6))).message).toHaveLength(8192)
  })
})
