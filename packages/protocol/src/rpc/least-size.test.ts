import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { codecs } from '../codec/codecs.js'
import { getSize } from '../codec/codec.js'
import { getLeastSize } from './least-size.js'

const values = [
  null,
  true,
  0,
  -1.5,
  '',
  'text',
  'ü€😀',
  [],
  {},
  [1, 2, 3],
  { name: 'x', list: [null, { deep: ['y'] }] },
  Array.from({ length: 5000 }, () => ({ a: 0 })),
  [...Array<number>(2000).fill(0), 'x'.repeat(10_000)],
]

test('is at most the encoded size', () =>
  rows(values.map(value => [JSON.stringify(value).slice(0, 30), value]))((_name, value) => {
    const size = getLeastSize(value, Infinity)
    expect(size).toBeLessThanOrEqual(JSON.stringify(value).length)
    expect(size).toBeLessThanOrEqual(getSize(codecs.msgpack.encodeValue(value)!))
  }))

test('counts what is far down, and bytes', () => {
  expect(getLeastSize([...Array<number>(2000).fill(0), 'x'.repeat(10_000)], Infinity)).toBeGreaterThan(12_000)
  expect(getLeastSize({ body: new Uint8Array(1000) }, Infinity)).toBeGreaterThan(1000)
})

test('stops at what is enough', () => {
  const huge = Array.from({ length: 1000 }, () => 'x'.repeat(1000))
  expect(getLeastSize(huge, 5000)).toBeLessThan(7000)
})
