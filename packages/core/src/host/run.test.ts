import { BusError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { wasNotDelivered } from './run.js'

test('code that can have run does not run again, whatever it throws', () =>
  rows([
    [new BusError('Disconnected', '', { data: { delivered: 'no' } }), true],
    [new BusError('Disconnected', '', { data: { delivered: 'unknown' } }), false],
    [new BusError('Disconnected', ''), false],
    [new BusError('CommandFailed', '', { data: { delivered: 'no' } }), false],
    [undefined, false],
  ])((error, isNot) => expect(wasNotDelivered(error)).toBe(isNot)))
