import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { codecs } from '../codec/codecs.js'
import { getSize } from '../codec/codec.js'
import type { BusError } from '../errors/bus-error.js'
import { MAX_STREAM_UNREAD } from '../wire/limits.js'
import { createGuard, getLeastSize } from './stream-guard.js'

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

/** Lets messages of so many bytes arrive unread, with other things between. Returns the number after which the sender has violated its credit. */
function flood(size: number, count: number, { others = 0, isGranted = true } = {}): number | undefined {
  const faults: BusError[] = []
  let receivedBytes = 0
  const check = createGuard(
    () => receivedBytes,
    error => void faults.push(error),
  )
  const unread: string[][] = []
  while (unread.length < count && faults.length === 0) {
    receivedBytes += size + others
    unread.push(['x'.repeat(size)])
    check(unread, isGranted)
  }
  return faults.length > 0 ? unread.length : undefined
}

test('a sender violates its credit with 4 MiB unread, besides the two largest, with many small messages, or with one before it has any', () => {
  expect(flood(MAX_STREAM_UNREAD / 4, 100)).toBe(6)
  expect(flood(1, 5000)).toBe(4097)
  expect(flood(1, 1, { isGranted: false })).toBe(1)
})

test('a sender may have unread what it has credit for, whatever else arrives', () => {
  expect(flood(128 * 1024, 8)).toBeUndefined()
  expect(flood(128 * 1024, 8, { others: MAX_STREAM_UNREAD })).toBeUndefined()
})
