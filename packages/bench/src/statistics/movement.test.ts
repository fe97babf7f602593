import { expect, test } from 'vitest'
import { getMovement } from './movement.js'

test.each([
  ['each round of one half is beyond each round of the other', [[304, 297, 112, 109]], 300.5 / 110.5],
  ['it became slower', [[100, 110, 200, 220]], 2],
  ['the halves are two processes', [[100, 110], [200, 220]], 2], // prettier-ignore
])('a figure moved if %s', (_, processes, factor) => {
  expect(getMovement(processes)).toBe(factor)
})

test.each([
  ['one round of each half is alike', [[109, 297, 112, 304]]],
  ['the halves differ by less than the limit', [[130, 125, 112, 109]]],
  ['there are fewer than two rounds in a half', [[304, 109]]],
  ['later rounds are like the last of the first half', [[304, 297, 112, 109, 108, 111, 110, 109]]],
])('a figure did not move if %s', (_, processes) => {
  expect(getMovement(processes)).toBe(1)
})
