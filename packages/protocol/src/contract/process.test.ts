import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { deserializeValue, serializeValue } from './process.js'

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
