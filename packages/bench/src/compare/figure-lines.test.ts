import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { readFigures } from './figure-lines.js'

const time = { unit: 'µs', better: 'lower' }

describe('lines of text', () => {
  test('with a name, a number and a unit are figures', () =>
    rows([
      ['parse 12.5 ms', { name: 'parse', value: 12_500, ...time }],
      ['parse large file: 1,234 us', { name: 'parse large file', value: 1234, ...time }],
      ['  write = 3e2 ns', { name: 'write', value: 0.3, ...time }],
      ['start 2s', { name: 'start', value: 2_000_000, ...time }],
      ['requests 12000 ops/s', { name: 'requests', value: 12_000, unit: 'ops/s', better: 'higher' }],
      ['read 2 MiB/s', { name: 'read', value: 2 ** 21, unit: 'B/s', better: 'higher' }],
      [
        'encode x 1,234 ops/sec ±0.45% (93 runs sampled)',
        { name: 'encode', value: 1234, unit: 'ops/sec', better: 'higher' },
      ],
      ['\u001b[31mquick*100000\u001b[39m: 1.5s', { name: 'quick*100000', value: 1_500_000, ...time }],
      ['heap 3 kB', { name: 'heap', value: 3000, unit: 'B', better: 'lower' }],
    ])((line, figure) => expect(readFigures(line)).toEqual([{ ...figure, value: expect.closeTo(figure.value) }])))

  test('of other kinds are none', () =>
    rows([
      '',
      'Node v20 started 3 workers',
      'done in 5',
      'warming up ...',
      '12 ms',
      '{ broken',
      '2026-01-02 03:04 start',
    ])(line => expect(readFigures(line)).toEqual([])))
})

describe('lines of JSON', () => {
  test('have a name, a value, and any unit', () => {
    const lines = ['{"name":"parse","value":2,"unit":"ms"}', '{"name":"cycles","value":7}', 'noise']
    expect(readFigures(lines.join('\n'))).toEqual([
      { name: 'parse', value: 2000, ...time },
      { name: 'cycles', value: 7, unit: '', better: 'lower' },
    ])
  })

  test('can say that higher is better', () => {
    expect(readFigures('{"name":"score","value":7,"better":"higher"}')).toMatchObject([{ better: 'higher' }])
  })

  test('without a name or a number are ignored', () => {
    expect(readFigures('{"value":7}\n{"name":"a","value":"7"}\n{"level":"info"}')).toEqual([])
  })
})

test('a unit that objects inherit is no unit of time or size', () => {
  expect(readFigures('value 1 constructor')).toEqual([])
  expect(readFigures('{ "name": "value", "value": 1, "unit": "constructor" }')).toMatchObject([{ value: 1 }])
})

test('a name that is printed several times has several figures', () => {
  expect(readFigures('parse 1 ms\nparse 2 ms\n').map(({ value }) => value)).toEqual([1000, 2000])
})
