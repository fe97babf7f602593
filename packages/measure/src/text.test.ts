import { expect, test } from 'vitest'
import { duration, formatBytes, formatEffect, formatValue, oneLine, plain, shortNumber, threeDigits } from './text.js'

test('three digits, wherever the point is', () => {
  expect([0, 0.0612, 2.9, 9.99, 49.06, 99.96, 534.4].map(threeDigits)).toEqual([
    '0.00',
    '0.061',
    '2.90',
    '9.99',
    '49.1',
    '100',
    '534',
  ])
})

test('numbers get a letter from a thousand on', () => {
  expect([999, 999.7, 534_000, 1_050_000, 3e12].map(shortNumber)).toEqual([
    '999',
    '1.00 k',
    '534 k',
    '1.05 M',
    '3000 G',
  ])
})

test('durations change their unit', () => {
  expect([49.1, 1500, 2_000_000, -0.5].map(duration)).toEqual(['49.1 µs', '1.50 ms', '2.00 s', '−0.500 µs'])
})

test('figures carry their unit, sizes the powers of 1024', () => {
  expect(formatValue(534_000, '/s')).toBe('534 k/s')
  expect(formatValue(1.5 * 2 ** 20, 'B')).toBe('1.50 MiB')
  expect(formatValue(12, '/s')).toBe('12.0 /s')
  expect([55, 6.9 * 1024, 1.5 * 1024 ** 2].map(formatBytes)).toEqual(['55 B', '6.90 KiB', '1.50 MiB'])
})

test('values of any unit have three digits', () => {
  expect(formatValue(25_000, 'ops/s')).toBe('25.0 kops/s')
  expect([formatValue(198, '/s'), formatValue(1500, 'µs'), formatValue(7, '')]).toEqual(['198 /s', '1.50 ms', '7.00'])
})

test('effects are percentages, up to ten times', () => {
  expect([1, 1.004, 1.104, 1.5, 235].map(formatEffect)).toEqual(['0 %', '0.4 %', '10.4 %', '50 %', '> 10×'])
})

test('third-party text cannot control a terminal', () => {
  expect(plain('\u001B[31mred\u001B[0m \u0007bell\u202E turned\nnext\tcolumn')).toBe('red bell turned\nnext\tcolumn')
  expect(oneLine('first\n  second\r\nthird')).toBe('first second third')
})
